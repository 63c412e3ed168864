import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, homedir, tmpdir } from 'node:os';
import { gunzipSync, gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
// The package is CommonJS without names that Node can see, so its default is the only way in.
import proto from '@temporalio/proto';
import type { Progress } from '../../../src/core/progress.js';
import type { RunHistory } from '../../../src/testing/history.js';

const { History: HistoryProto } = proto.temporal.api.history.v1;
const DIR = fileURLToPath(new URL('../histories/', import.meta.url));
const SUFFIX = '.json.gz';

/** A workflow as it was recorded: the histories of its chain, and what it came to in the end if it was a run. */
export interface Recording {
  /** The workflow id. */
  runId: string;
  progress: Progress | null;
  histories: RunHistory[];
}

/** The names of what is recorded. */
export function recordedNames(): string[] {
  return readdirSync(DIR)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

export function readRecording(name: string): Recording {
  const text = gunzipSync(readFileSync(`${DIR}${name}${SUFFIX}`)).toString();
  const { histories, ...rest } = JSON.parse(text);
  return { ...rest, histories: histories.map(readHistory) };
}

/** As it comes off the wire: with 64-bit numbers, which JSON does not have. */
function readHistory(json: unknown): RunHistory {
  return HistoryProto.decode(HistoryProto.encode(historyFromJSON(json)).finish());
}

/**
 * Keeps what was recorded.
 * @returns the size of the file, in bytes
 * @throws Error when something of the recording machine is in it, or there is a recording of that name
 */
export function writeRecording(name: string, { histories, ...rest }: Recording): number {
  const scrubbed = histories.map((history) => scrub(JSON.parse(historyToJSON(history))));
  const text = JSON.stringify({ ...rest, histories: scrubbed });
  const readable = text + payloadTexts(scrubbed).join('\n');
  for (const trace of [hostname(), homedir(), tmpdir(), process.cwd()])
    if (trace.length > 2 && readable.includes(trace))
      throw new Error(`The recording of ${name} holds ${trace}.`);
  const file = gzipSync(text, { level: 9 });
  writeFileSync(`${DIR}${name}${SUFFIX}`, file, { flag: 'wx' });
  return file.length;
}

/** Without what names machines, processes and paths; replay does not look at it. */
function scrub(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrub);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'stackTrace');
  return Object.fromEntries(
    kept.map(([key, inner]) => [key, key === 'identity' ? 'recorded' : scrub(inner)]),
  );
}

function payloadTexts(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'data' && typeof inner === 'string'
      ? [Buffer.from(inner, 'base64').toString()]
      : payloadTexts(inner),
  );
}
