import type { Draw, ModelState, RunState } from './state.js';
import { rollHash } from './transcript.js';

/** Before the first attempt at a request: of a step, of another model, or with other words. */
export const FIRST_ATTEMPT = {
  failures: 0,
  losses: 0,
  repeats: 0,
  heldTokens: null,
  heldBy: null,
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
  coolUntilMs: null,
  mayRecover: false,
};

/** The model state at the beginning of the next step: which model is asked stays. */
export function nextStepModel({ index, coolUntilMs }: ModelState): ModelState {
  // Whatever the first model failed of, time has passed since.
  return { ...IDLE_MODEL, index, coolUntilMs, mayRecover: index > 0 };
}

/** Before anything was reviewed, shortened or repeated. */
export const FRESH_GUARDS = {
  review: { rounds: 0, stage: null, answer: '', passed: false, gaps: null, problem: null },
  compaction: { count: 0, steps: [], refusedStep: null, isDue: false },
  loop: { points: 0, seen: [], repeats: 0, asks: [] },
  record: [],
  repairedStep: null,
  output: null,
} satisfies Partial<RunState>;

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

/** What a run knows of its tools, its sub-agents and those who watch it, before its first step. */
export const FRESH_ERRANDS = {
  tainted: null,
  standing: [],
  signedDecisions: [],
  relays: [],
  errands: 0,
  answered: [],
  notices: [],
  noticeCount: 0,
  idle: null,
  parent: null,
  reporting: { count: 0, call: null, told: rollHash('', '[]'), decided: [], final: false },
  childCount: 0,
  lastRefused: null,
  farewell: null,
} satisfies Partial<RunState>;

/** A shared budget before anything was drawn from it. */
export const FRESH_DRAW: Draw = { grantedNanoUsd: 0, askedNanoUsd: 0, call: null, count: 0, settled: false };
