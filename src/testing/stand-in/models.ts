/** A model of the stand-in. */
export interface StandInModel {
  /** `author/slug`. The author decides the family: `anthropic`, `openai` and `google` models reason in their own way. */
  id: string;
  /** Whole nano-dollars per token read; `null`: no price is published, no cost reported or billed. */
  promptNanoUsd: number | null;
  /** Whole nano-dollars per token written. */
  completionNanoUsd: number | null;
  /** Tokens; default 128000. A longer request is refused. */
  contextLength?: number;
  /** Tokens; default 16384. An answer is cut there, and at `max_tokens`. */
  maxOutputTokens?: number;
  /** Whether hanging up stops the generation and its bill. Default: yes, but for `google` (OpenRouter's list of providers that go on). */
  cancellable?: boolean;
  /** Out of service: the next of `models` is asked, else 503. */
  down?: boolean;
  /** The user's own provider key pays: `usage.cost` is 0, `cost_details.upstream_inference_cost` has the bill. */
  byok?: boolean;
}

/** The models there are when none are given. Prices are made up, in the order of size of real ones. */
export const defaultModels: readonly StandInModel[] = [
  { id: 'stand-in/agent', promptNanoUsd: 500, completionNanoUsd: 2_000 },
  { id: 'anthropic/stand-in-claude', promptNanoUsd: 3_000, completionNanoUsd: 15_000 },
  { id: 'openai/stand-in-gpt', promptNanoUsd: 1_250, completionNanoUsd: 10_000 },
  { id: 'google/stand-in-gemini', promptNanoUsd: 300, completionNanoUsd: 2_500 },
  { id: 'stand-in/free', promptNanoUsd: 0, completionNanoUsd: 0 },
  { id: 'stand-in/unpriced', promptNanoUsd: null, completionNanoUsd: null },
];

/** The author of a model, which is its family. */
export function familyOf(model: StandInModel): string {
  return model.id.split('/')[0] ?? model.id;
}

/** The name of the provider that answers for a model. */
export function providerOf(model: StandInModel): string {
  const names: Readonly<Record<string, string>> = {
    anthropic: 'Anthropic',
    openai: 'OpenAI',
    google: 'Google AI Studio',
  };
  return names[familyOf(model)] ?? 'Stand-In';
}

/** Whether hanging up stops the bill. */
export function isCancellable(model: StandInModel): boolean {
  return model.cancellable ?? familyOf(model) !== 'google';
}

/** Longest request, in tokens. */
export function contextLengthOf(model: StandInModel): number {
  return model.contextLength ?? 128_000;
}

/** Longest answer, in tokens. */
export function maxOutputTokensOf(model: StandInModel): number {
  return model.maxOutputTokens ?? 16_384;
}

/** The bill for tokens: exact, as prices are whole nano-dollars. 0 without a price. */
export function priceOf(
  model: StandInModel,
  tokens: { promptTokens: number; completionTokens: number },
): number {
  return (
    tokens.promptTokens * (model.promptNanoUsd ?? 0) +
    tokens.completionTokens * (model.completionNanoUsd ?? 0)
  );
}

/** Dollars as OpenRouter writes them in `usage.cost`: the nearest JSON number, which prints as the exact decimal up to 15 digits. */
export function toUsd(nanoUsd: number): number {
  return nanoUsd / 1e9;
}

/** The body of `GET /models`. */
export function modelList(models: readonly StandInModel[], createdSeconds: number): Record<string, unknown> {
  return {
    data: models.map((model) => modelEntry(model, createdSeconds)),
    total_count: models.length,
    links: { next: null },
  };
}

function modelEntry(model: StandInModel, createdSeconds: number): Record<string, unknown> {
  return {
    id: model.id,
    canonical_slug: model.id,
    hugging_face_id: '',
    name: model.id,
    created: createdSeconds,
    description: 'A scripted model of the stand-in server.',
    context_length: contextLengthOf(model),
    architecture: {
      modality: 'text->text',
      input_modalities: ['text'],
      output_modalities: ['text'],
      tokenizer: 'Other',
      instruct_type: null,
    },
    pricing: {
      prompt: decimalUsd(model.promptNanoUsd),
      completion: decimalUsd(model.completionNanoUsd),
      request: '0',
      image: '0',
    },
    top_provider: {
      context_length: contextLengthOf(model),
      max_completion_tokens: maxOutputTokensOf(model),
      is_moderated: false,
    },
    per_request_limits: null,
    supported_parameters: [
      'tools',
      'tool_choice',
      'parallel_tool_calls',
      'max_tokens',
      'temperature',
      'reasoning',
    ],
    default_parameters: null,
    supported_voices: null,
    knowledge_cutoff: null,
    expiration_date: null,
    links: { details: `/api/v1/models/${model.id}/endpoints` },
  };
}

/** OpenRouter writes prices as decimal text, and -1 where a price is not known beforehand. */
function decimalUsd(nanoUsd: number | null): string {
  if (nanoUsd === null) return '-1';
  const digits = String(nanoUsd).padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '');
}
