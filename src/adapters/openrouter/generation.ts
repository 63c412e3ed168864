import type { JsonValue } from '../../core/json.js';
import type { Generation } from '../../ports/model.js';
import { billNanoUsd } from './cost.js';
import { at, countAt, textAt } from './json-read.js';

/** Reads the body of `GET /generation`; `null` when it does not say what was paid. */
export function readGeneration(body: JsonValue | undefined): Generation | null {
  const data = at(body, 'data');
  // An answer of the response cache: what was paid is the bill of the generation that it came from.
  const isReplay = textAt(data, 'response_cache_source_id') !== undefined;
  const costNanoUsd = billNanoUsd({
    cost: isReplay ? 0 : at(data, 'total_cost'),
    isByok: !isReplay && at(data, 'is_byok') === true,
    upstream: at(data, 'upstream_inference_cost'),
  });
  if (costNanoUsd === null) return null;
  return {
    costNanoUsd,
    promptTokens: countAt(data, 'native_tokens_prompt') || countAt(data, 'tokens_prompt'),
    completionTokens: countAt(data, 'native_tokens_completion') || countAt(data, 'tokens_completion'),
  };
}
