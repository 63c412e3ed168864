import { results } from './run.js';
import type { Shell } from './shell.js';

/** The `status` of each call result that the model saw, `null` where the tool's own words stand. */
export function statusOfResults(shell: Shell): unknown[] {
  return results(shell).map((content) => {
    try {
      return Object(JSON.parse(content)).status ?? null;
    } catch {
      return null;
    }
  });
}
