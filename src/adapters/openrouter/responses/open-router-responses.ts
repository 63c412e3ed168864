import { randomUUID } from 'node:crypto';
import { AgentError } from '../../../core/errors.js';
import type { JsonObject } from '../../../core/json.js';
import type { ReasoningOptions } from '../../../core/run-input.js';
import type { TranscriptItem } from '../../../core/transcript.js';
import type { ModelAnswer, ModelListener, ModelPort, ModelRequest, ToolSpec } from '../../../ports/model.js';
import { createOpenRouterModel } from '../model.js';

const OPENROUTER_URL = 'https://openrouter.ai/api/v1';
// The normalized chat call of contract §9 has the same.
const DEFAULT_MAX_OUTPUT_TOKENS = 4_096;

/** How to reach a model over the responses API. All can be left out, but for a key where the server wants one. */
export interface OpenRouterResponsesOptions {
  /**
   * The model.
   * @defaultValue `openai/gpt-oss-20b`
   */
  id?: string;
  /**
   * What to call this model in logs and lists.
   * @defaultValue `OpenRouterResponses`
   */
  name?: string;
  /**
   * What to call its server there.
   * @defaultValue `OpenRouter`
   */
  provider?: string;
  /** Needed for OpenRouter; asked for when a call is made. */
  apiKey?: string;
  /** @defaultValue `https://openrouter.ai/api/v1` */
  baseUrl?: string;
  /** Fallbacks, in order, for when the model fails or cannot be had. */
  models?: readonly string[];
  /** Only `false`, the default: OpenRouter keeps no conversations. */
  store?: boolean;
  /** How the model shall think. Left out, nothing is asked for: some models refuse to be asked. */
  reasoning?: ReasoningOptions;
}

/** One call. */
export interface ResponsesCall {
  /** The whole conversation, answers and results of tools included. */
  messages: readonly TranscriptItem[];
  /** Tools that the model may ask for; their `parameters` are JSON Schema. */
  tools?: readonly ToolSpec[];
  /** `none`: the model shall answer without calls. Default `auto`. */
  toolChoice?: ModelRequest['toolChoice'];
  /** Default 4096. */
  maxOutputTokens?: number;
  temperature?: number;
  /** JSON Schema that the answer shall be of. */
  responseSchema?: JsonObject;
  /** Groups the calls of one conversation, whose beginning is then cached by one provider. Default: one for all calls of this object. */
  sessionId?: string;
  /** Ends the call; its reason is then what is thrown. */
  signal?: AbortSignal;
  /** Hears the answer as it comes. */
  listener?: ModelListener;
}

/**
 * A model over OpenRouter's responses API, which is stateless: each call sends the whole conversation. Its {@link port} is for
 * `createAgentWorker`, {@link respond} for a call by itself.
 */
export class OpenRouterResponses {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly baseUrl: string;
  readonly models: readonly string[];
  readonly store = false;
  readonly reasoning: ReasoningOptions | undefined;
  readonly #apiKey: string | undefined;
  readonly #sessionId = randomUUID();
  #port: ModelPort | undefined;

  /** @throws AgentError `CONFIG_INVALID` with `store: true` */
  constructor(options: OpenRouterResponsesOptions = {}) {
    if (options.store === true)
      throw new AgentError(
        'CONFIG_INVALID',
        'Leave `store` out or set it to false: OpenRouter is stateless and refuses to store a response. Send the whole conversation with each call.',
      );
    this.id = options.id ?? 'openai/gpt-oss-20b';
    this.name = options.name ?? 'OpenRouterResponses';
    this.provider = options.provider ?? 'OpenRouter';
    this.baseUrl = (options.baseUrl ?? OPENROUTER_URL).replace(/\/+$/, '');
    this.models = [...(options.models ?? [])];
    this.reasoning = options.reasoning;
    this.#apiKey = options.apiKey;
  }

  /**
   * The port of models that makes all of its calls over the responses API. Requests name their own models; one for this model gets its
   * fallbacks, and one that says nothing of reasoning gets the reasoning of this object.
   * @throws AgentError `CONFIG_INVALID` when OpenRouter would be called without a key
   */
  get port(): ModelPort {
    this.#port ??= this.#createPort();
    return this.#port;
  }

  /**
   * Makes one call: no retries, no tool is run.
   * @throws AgentError `CONFIG_INVALID` as {@link port}, one of the `MODEL_*` codes, `MESSAGE_TOO_LARGE`
   */
  async respond({ messages, signal, listener, ...call }: ResponsesCall): Promise<ModelAnswer> {
    const request: ModelRequest = {
      tools: [],
      toolChoice: 'auto',
      maxOutputTokens: DEFAULT_MAX_OUTPUT_TOKENS,
      sessionId: this.#sessionId,
      ...call,
      model: this.id,
      items: messages,
      // Asked again it is another call: an answer out of the response cache would come without usage.
      metadata: { longhaul_purpose: 'respond', longhaul_nonce: randomUUID() },
    };
    return this.port.call(request, {
      signal: signal ?? new AbortController().signal,
      ...(listener !== undefined && { listener }),
    });
  }

  #createPort(): ModelPort {
    if (this.#apiKey === undefined && this.baseUrl === OPENROUTER_URL)
      throw new AgentError(
        'CONFIG_INVALID',
        'Give `apiKey` a key from https://openrouter.ai/keys, or point `baseUrl` at another server.',
      );
    const { id, models, reasoning } = this;
    const port = createOpenRouterModel({ apiKey: this.#apiKey ?? 'none', baseUrl: this.baseUrl });
    return {
      ...port,
      call: (request, options) =>
        port.call(
          {
            ...(reasoning !== undefined && { reasoning }),
            ...(request.model === id && models.length > 0 && { models: [...models] }),
            ...request,
            wire: 'responses',
          },
          options,
        ),
    };
  }
}
