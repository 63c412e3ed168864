import { SYSTEM_PROMPT } from './behaviour.js';
import { forkState } from './fork.js';
import { FRESH_MONEY, IDLE_MODEL } from './fresh-state.js';
import { EMPTY_LEDGER } from './ledger.js';
import type { RunInput } from './run-input.js';
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
  const system = typeof known.system === 'string' ? `${SYSTEM_PROMPT}\n\n${known.system}` : SYSTEM_PROMPT;
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
    unknownOutcomes: [],
    artifacts: [],
    result: null,
  };
  return forkState(fresh, Object(input).fork) ?? fresh;
}

/** The input with a goal that is a text. The rest may be anything until the worker has checked it. */
function toRunInput(input: unknown): RunInput {
  const isObject = typeof input === 'object' && !Array.isArray(input);
  const { goal, fork: _, ...rest } = Object(isObject ? input : null);
  return { ...rest, goal: typeof goal === 'string' ? goal : '' };
}
