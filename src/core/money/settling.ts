import { emit, patch, type Draft } from '../draft.js';
import { drawFinally } from './draws.js';
import { inquire } from './inquiries.js';
import { openQuestions } from './ledger.js';
import type { RunResult } from '../progress.js';
import { hasTakenLeave } from '../agents/reports.js';
import { spendOf } from './spend.js';
import type { Ending, RunState } from '../state.js';
import { notify } from '../human/webhook.js';

/**
 * Closes a run that has ended, once the server has said what its lost calls cost, or patience is over, and once its shared budget
 * has got back what was not spent, and those who wait for its end have been told.
 */
export function trySettle(draft: Draft): void {
  const { phase, ledger, draw } = draft.state;
  if (phase !== 'settling') return;
  if (openQuestions(ledger).length > 0 && isWorthAsking(draft)) return;
  if (draw && !draw.settled) return drawFinally(draft);
  takeLeave(draft);
  if (hasTakenLeave(draft.state)) finish(draft);
}

/** Until patience is over; then what is due is asked a last time, as there may have been no worker to ask it. */
function isWorthAsking(draft: Draft): boolean {
  const { settleUntilMs } = draft.state;
  if (settleUntilMs !== null && draft.atMs < settleUntilMs) return true;
  if (settleUntilMs !== null) {
    patch(draft, { settleUntilMs: null });
    inquire(draft);
  }
  return draft.state.inquiry !== null;
}

/** Fixes the result and has it told, once. */
function takeLeave(draft: Draft): void {
  const { farewell, ending } = draft.state;
  if (farewell || !ending) return;
  patch(draft, { farewell: resultOf(draft.state, ending) });
  notify(draft, { type: 'run_completed' });
}

/** Closes the run and tells watchers. */
export function finish(draft: Draft): void {
  const { state } = draft;
  if (!state.ending) return;
  const result = state.farewell ?? resultOf(state, state.ending);
  patch(draft, {
    phase: 'closed',
    closedAtMs: draft.atMs,
    ending: null,
    settleUntilMs: null,
    inquiry: null,
    farewell: null,
    result,
  });
  emit(draft, { type: 'run_completed', result });
}

function resultOf(state: RunState, ending: Ending): RunResult {
  return {
    runId: state.runId,
    ...ending,
    steps: state.stepsCompleted,
    spend: spendOf(state.ledger),
    unknownOutcomes: state.unknownOutcomes,
    artifacts: state.artifacts,
    shared: state.shared,
    taintedBy: state.tainted,
    review: reviewOf(state),
    output: state.output,
  };
}

function reviewOf({ review }: RunState): RunResult['review'] {
  const { rounds, passed, gaps, problem } = review;
  return rounds === 0 ? null : { rounds, passed, gaps, problem };
}
