import { readFileSync } from 'node:fs';
import { AgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import { parseJsonObject } from './parse-values.js';

/**
 * Reads the JSON object in a file.
 * @param flag that names the file. @param file `-` for standard input.
 * @throws AgentError `INPUT_INVALID`
 */
export function readJsonObject(flag: string, file: string): JsonObject {
  try {
    return parseJsonObject(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new AgentError(
      'INPUT_INVALID',
      `${flag} ${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
