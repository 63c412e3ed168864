import type { z } from 'zod';
import type { JsonObject } from '../../core/json.js';
import { checkWith } from './zod-check.js';

/**
 * Makes the check of a run's shared values from the schema of the configuration.
 * @returns what is wrong with the values as a whole, or `null`. Without a schema anything goes.
 */
export function createSharedCheck(
  schema: z.core.$ZodType | undefined,
): (values: JsonObject) => string | null {
  return (values) => {
    if (schema === undefined) return null;
    const result = checkWith(schema, values);
    return result.ok ? null : result.message;
  };
}
