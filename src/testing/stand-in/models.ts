/** Prices of long prompts, in whole nano-dollars per token; what is left out stays as in the model. The last one that applies counts. */
export interface StandInTier {
  /** It applies to prompts of more tokens than this: `min_prompt_tokens` of the list, which OpenRouter reads so. */
  abovePromptTokens: number;
  promptNanoUsd?: number;
  completionNanoUsd?: number;
  cacheReadNanoUsd?: number;
  cacheWriteNanoUsd?: number;
}

/** A model of the stand-in. */
export interface StandInModel {
  /** `author/slug`. The author decides the family: `anthropic`, `openai` and `google` models reason in their own way. */
  id: string;
  /** Whole nano-dollars per token read; `null`: no price is published, no cost reported or billed. */
  promptNanoUsd: number | null;
  /** Whole nano-dollars per token written. */
  completionNanoUsd: number | null;
  /** Whole nano-dollars per request; default 0. */
  requestNanoUsd?: number;
  /** Whole nano-dollars per prompt token out of the provider's cache; default: as `promptNanoUsd`. */
  cacheReadNanoUsd?: number;
  /** Whole nano-dollars per prompt token that goes into the provider's cache; default: as `promptNanoUsd`. */
  cacheWriteNanoUsd?: number;
  tiers?: readonly StandInTier[];
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
  /** Its provider knows no `tool_choice: "none"`, and answers 400 to it. */
  refusesToolChoiceNone?: boolean;
}

/** Tokens that are billed. The two kinds of cached ones are contained in `promptTokens`. */
export interface BilledTokens {
  promptTokens: number;
  completionTokens: number;
  cachedTokens?: number;
  cacheWriteTokens?: number;
}

/** The most that providers may charge, in dollars: per million tokens, and per request. */
export interface MaxPrice {
  prompt?: number | string | undefined;
  completion?: number | string | undefined;
  request?: number | string | undefined;
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

/** The bill for a request and its tokens: exact, as prices are whole nano-dollars. 0 without a price. */
export function priceOf(model: StandInModel, tokens: BilledTokens): number {
  if (!isPriced(model)) return 0;
  const { completionTokens } = tokens;
  return (
    promptPriceOf(model, tokens) +
    completionTokens * (ratesAt(model, tokens.promptTokens).completionNanoUsd ?? 0)
  );
}

/** The part of the bill that is due before a token is written. */
export function promptPriceOf(model: StandInModel, tokens: BilledTokens): number {
  if (!isPriced(model)) return 0;
  const { promptTokens, cachedTokens = 0, cacheWriteTokens = 0 } = tokens;
  const rates = ratesAt(model, promptTokens);
  const plain = rates.promptNanoUsd ?? 0;
  return (
    (model.requestNanoUsd ?? 0) +
    (promptTokens - cachedTokens - cacheWriteTokens) * plain +
    cachedTokens * (rates.cacheReadNanoUsd ?? plain) +
    cacheWriteTokens * (rates.cacheWriteNanoUsd ?? plain)
  );
}

/** Whether a request of that size costs more than its sender allows. What has no price passes. */
export function isDearerThan(model: StandInModel, max: MaxPrice, promptTokens: number): boolean {
  const { promptNanoUsd, completionNanoUsd } = ratesAt(model, promptTokens);
  const perMillionUsd = (nanoUsd: number | null): number => toUsd((nanoUsd ?? 0) * 1e6);
  return (
    perMillionUsd(promptNanoUsd) > Number(max.prompt ?? Infinity) ||
    perMillionUsd(completionNanoUsd) > Number(max.completion ?? Infinity) ||
    toUsd(model.requestNanoUsd ?? 0) > Number(max.request ?? Infinity)
  );
}

/** Prices per token, for a prompt of that size. */
export function ratesAt(
  model: StandInModel,
  promptTokens: number,
): Pick<StandInModel, 'promptNanoUsd' | 'completionNanoUsd' | 'cacheReadNanoUsd' | 'cacheWriteNanoUsd'> {
  const applying = (model.tiers ?? []).filter((tier) => promptTokens > tier.abovePromptTokens);
  return Object.assign({ ...model }, ...applying);
}

/** Whether there is a price at all. */
export function isPriced(model: StandInModel): boolean {
  return model.promptNanoUsd !== null && model.completionNanoUsd !== null;
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
      ...pricesOf(model),
      request: decimalUsd(model.requestNanoUsd ?? 0),
      image: '0',
      ...(model.tiers !== undefined && {
        overrides: model.tiers.map((tier) => ({
          ...pricesOf(tier),
          min_prompt_tokens: tier.abovePromptTokens,
        })),
      }),
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

/** Prices per token under OpenRouter's names. */
function pricesOf(rates: Partial<ReturnType<typeof ratesAt>>): Record<string, string> {
  const named = {
    prompt: rates.promptNanoUsd,
    completion: rates.completionNanoUsd,
    input_cache_read: rates.cacheReadNanoUsd,
    input_cache_write: rates.cacheWriteNanoUsd,
  };
  const given = Object.entries(named).flatMap(([name, nanoUsd]) =>
    nanoUsd === undefined ? [] : [[name, decimalUsd(nanoUsd)]],
  );
  return Object.fromEntries(given);
}

/** OpenRouter writes prices as decimal text, and -1 where a price is not known beforehand. */
function decimalUsd(nanoUsd: number | null): string {
  if (nanoUsd === null) return '-1';
  const digits = String(nanoUsd).padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '');
}
