import { patch, type Draft } from '../draft.js';
import type { JsonObject } from '../json.js';
import type { ToolResult } from '../outcomes.js';
import { MAX_SHARED_CHARS } from '../run-input.js';

/**
 * Takes over what a call has put into the run's shared values, key by key; what settles later wins.
 * @returns why that is not possible, in words for the model, or `null`.
 */
export function takeShared(draft: Draft, { shared: changes, status }: ToolResult): string | null {
  if (!changes || status) return null;
  const kept = Object.entries({ ...draft.state.shared, ...changes }).filter(([, value]) => value !== null);
  const shared: JsonObject = Object.fromEntries(kept);
  // Calls beside it may have filled what was free when its own worker looked.
  if (JSON.stringify(shared).length > MAX_SHARED_CHARS)
    return `The tool ran, but the shared values of this run may have ${MAX_SHARED_CHARS} characters of JSON in all, so its own were not kept.`;
  patch(draft, { shared });
  return null;
}
