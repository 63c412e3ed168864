import type { JsonObject } from '../../core/json.js';
import type { ModelRequest, ToolSpec } from '../../ports/model.js';
import { wellFormed } from './well-formed.js';

// OpenRouter, ChatRequest and ResponsesRequest: session_id and metadata are bounded.
const MAX_SESSION_ID_CHARS = 256;
const MAX_METADATA_VALUE_CHARS = 512;
const MAX_TOOL_NAME_CHARS = 64;
const NANO_PER_USD = 1e9;

/** The fields that say the same on every wire. */
export function commonFields(request: ModelRequest): JsonObject {
  const { model, models = [], temperature, maxPrice } = request;
  return {
    model,
    ...(models.length > 0 && { models }),
    ...(temperature !== undefined && { temperature }),
    ...(maxPrice !== undefined && { provider: { max_price: maxPriceOf(maxPrice) } }),
    metadata: metadataOf(request.metadata),
    session_id: request.sessionId.slice(0, MAX_SESSION_ID_CHARS),
    stream: true,
  };
}

/** The tools in an order that does not depend on who lists them. */
export function toolsByName(tools: readonly ToolSpec[]): ToolSpec[] {
  return [...tools].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

/** A model can make up any name; providers refuse the whole transcript for one that is not of this shape. */
export function sendableName(name: string): string {
  return name.replace(/[^\w-]/g, '_').slice(0, MAX_TOOL_NAME_CHARS) || 'unknown';
}

/** In US dollars, tokens by the million (OpenRouter, ProviderPreferences). The nearest number to whole nano-dollars is read back as these. */
function maxPriceOf(price: NonNullable<ModelRequest['maxPrice']>): JsonObject {
  return {
    prompt: price.promptNanoUsdPerMillion / NANO_PER_USD,
    completion: price.completionNanoUsdPerMillion / NANO_PER_USD,
    request: price.requestNanoUsd / NANO_PER_USD,
  };
}

function metadataOf(metadata: Record<string, string>): JsonObject {
  const pairs = Object.entries(metadata).map(([key, value]) => [
    key,
    wellFormed(value.slice(0, MAX_METADATA_VALUE_CHARS)),
  ]);
  return Object.fromEntries(pairs);
}
