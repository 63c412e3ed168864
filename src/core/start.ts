import { SYSTEM_PROMPT } from './behaviour.js';
import { EMPTY_LEDGER } from './ledger.js';
import type { RunInput } from './run-input.js';
import type { Draw, ModelState, RunState } from './state.js';
import { EMPTY_HASH, hashItems, type TranscriptItem } from './transcript.js';

/** Before the first attempt at a request: of a step, of another model, or with other words. */
export const FIRST_ATTEMPT = {
  failures: 0,
  losses: 0,
  heldTokens: null,
  lowered: false,
} satisfies Partial<ModelState>;

/** A model state at the beginning of a step. */
export const IDLE_MODEL: ModelState = {
  ...FIRST_ATTEMPT,
  call: null,
  index: 0,
  tries: 0,
  toolsOmitted: false,
  outageWaits: 0,
  outageSinceMs: null,
  retryAtMs: null,
};

/** What a run knows of its money before its first call, beside the ledger. */
export const FRESH_MONEY = {
  calibration: null,
  inquiry: null,
  inquiries: 0,
  draw: null,
  warned: [],
  ending: null,
  settleUntilMs: null,
} satisfies Partial<RunState>;

/** A shared budget before anything was drawn from it. */
export const FRESH_DRAW: Draw = { grantedNanoUsd: 0, askedNanoUsd: 0, call: null, count: 0, settled: false };

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
  return {
    version: 1,
    runId: run.runId,
    firstRunId: run.firstRunId,
    seq: 0,
    startedAtMs: run.atMs,
    closedAtMs: null,
    input: known,
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
}

/** The input with a goal that is a text. The rest may be anything until the worker has checked it. */
function toRunInput(input: unknown): RunInput {
  const isObject = typeof input === 'object' && !Array.isArray(input);
  const { goal, ...rest } = Object(isObject ? input : null);
  return { ...rest, goal: typeof goal === 'string' ? goal : '' };
}
