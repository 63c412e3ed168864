import { createOpenRouterModel } from './adapters/openrouter/model.js';
import { answerChat, type ChatCallOptions } from './adapters/openrouter/normalized-chat.js';
import { loadConfig, requireModelKey, type Config } from './config.js';
import type { ChatAnswer, ChatRequest } from './ports/chat.js';

/** Where a chat call goes, and how it is watched and given up. */
export interface ChatOptions {
  /** @defaultValue `OPENROUTER_API_KEY` */
  apiKey?: string;
  /** @defaultValue `OPENROUTER_BASE_URL` */
  baseUrl?: string;
  /** Aborted, the call rejects with the reason of the signal. */
  signal?: AbortSignal;
  /** Hears the text as it comes. Must not throw. */
  onText?: (text: string) => void;
}

/** Makes chat calls out of JSON bodies, whatever they hold. */
export type ChatCaller = (
  body: unknown,
  options?: Pick<ChatCallOptions, 'signal' | 'onText'>,
) => Promise<ChatAnswer>;

/**
 * Makes one model call, without a run, in one shape for all models and servers. Tools are asked for, not run; nothing is tried again.
 * @throws AgentError `INPUT_INVALID` when the request does not fit, `CONFIG_INVALID` when the key or the address does not, else one of
 * the `MODEL_*` codes.
 */
export async function chat(request: ChatRequest, options: ChatOptions = {}): Promise<ChatAnswer> {
  const { apiKey, baseUrl, ...callOptions } = options;
  const config = loadConfig();
  // By the rules of the variables that they take the place of.
  const given = loadConfig({ OPENROUTER_API_KEY: apiKey, OPENROUTER_BASE_URL: baseUrl }).openrouter;
  const openrouter = {
    apiKey: apiKey === undefined ? config.openrouter.apiKey : given.apiKey,
    baseUrl: baseUrl === undefined ? config.openrouter.baseUrl : given.baseUrl,
  };
  return createChat({ ...config, openrouter })(request, callOptions);
}

/**
 * Makes a {@link ChatCaller} of what the configuration says.
 * @throws AgentError `CONFIG_INVALID` when OpenRouter would be called without a key
 */
export function createChat(config: Config): ChatCaller {
  const { stallTimeoutMs, firstContentTimeoutMs, wire } = config;
  const apiKey = requireModelKey(config) ?? 'none';
  const { baseUrl } = config.openrouter;
  const model = createOpenRouterModel({ apiKey, baseUrl, stallTimeoutMs, firstContentTimeoutMs });
  return (body, options) => answerChat(body, { ...options, model, wire });
}
