import { SCHEMA_PROMPT, SYSTEM_PROMPT } from './behaviour.js';
import { forkState } from './fork.js';
import { FRESH_ERRANDS, FRESH_GUARDS, FRESH_MONEY, IDLE_MODEL } from './fresh-state.js';
import { EMPTY_LEDGER } from './money/ledger.js';
import { canonicalJson, type JsonObject } from './json.js';
import type { ParentInput, RunInput } from './run-input.js';
import type { RunState } from './state.js';
import { EMPTY_HASH, hashItems, type TranscriptItem } from './transcript.js';

/**
 * The state of a run before its first input.
 * @param input what the run was started with; anything at all, as a raw `temporal workflow start` may send. It is
 * checked by the worker before the first step (`prepared`), so a bad one ends the run instead of blocking it.
 */
export function startState(
  input: unknown,
  run: { runId: string; firstRunId: string; atMs: number },
): RunState {
  const known = toRunInput(input);
  const system = [
    SYSTEM_PROMPT,
    ...(typeof known.system === 'string' ? [known.system] : []),
    ...schemaWords(known.schema),
  ].join('\n\n');
  const transcript: TranscriptItem[] = [
    { role: 'system', content: system },
    { role: 'user', content: known.goal },
  ];
  const fresh: RunState = {
    version: 1,
    runId: run.runId,
    firstRunId: run.firstRunId,
    seq: 0,
    startedAtMs: run.atMs,
    closedAtMs: null,
    input: known,
    forkOf: null,
    prepared: null,
    earlyLimits: {},
    phase: 'preparing',
    step: 0,
    stepsCompleted: 0,
    transcript,
    transcriptHash: hashItems(EMPTY_HASH, transcript),
    model: IDLE_MODEL,
    calls: [],
    queue: [],
    messageIds: [],
    decidedCallIds: [],
    pause: null,
    landing: null,
    cancelRequested: false,
    ledger: EMPTY_LEDGER,
    ...FRESH_MONEY,
    ...FRESH_ERRANDS,
    ...FRESH_GUARDS,
    shared: isObject(known.shared) ? known.shared : {},
    parent: readParent(known.parent),
    unknownOutcomes: [],
    artifacts: [],
    result: null,
  };
  return forkState(fresh, Object(input).fork) ?? fresh;
}

/** A parent that is no such thing, as a raw start may name, is reported when the input is checked; until then there is none. */
function readParent(parent: unknown): ParentInput | null {
  const { runId, key, rootId, path, depth, tainted } = Object(parent);
  if (![runId, key, rootId, path].every((text) => typeof text === 'string')) return null;
  if (typeof depth !== 'number') return null;
  return { runId, key, rootId, path, depth, ...(tainted === true && { tainted }) };
}

/** What is nested too deeply to be written down is refused when the input is checked. */
function schemaWords(schema: unknown): string[] {
  if (!isObject(schema)) return [];
  try {
    return [`${SCHEMA_PROMPT}\n${canonicalJson(schema)}`];
  } catch {
    return [];
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The input with a goal that is a text. The rest may be anything until the worker has checked it. */
function toRunInput(input: unknown): RunInput {
  const isObject = typeof input === 'object' && !Array.isArray(input);
  const { goal, fork: _, ...rest } = Object(isObject ? input : null);
  return { ...rest, goal: typeof goal === 'string' ? goal : '' };
}
