import { emit, patch, type Draft } from './draft.js';
import { drawFinally } from './draws.js';
import { inquire } from './inquiries.js';
import { openQuestions } from './ledger.js';
import type { RunResult } from './progress.js';
import { spendOf } from './spend.js';

/**
 * Closes a run that has ended, once the server has said what its lost calls cost, or patience is over, and once its shared budget
 * has got back what was not spent.
 */
export function trySettle(draft: Draft): void {
  const { phase, ledger, draw } = draft.state;
  if (phase !== 'settling') return;
  if (openQuestions(ledger).length > 0 && isWorthAsking(draft)) return;
  if (draw && !draw.settled) return drawFinally(draft);
  finish(draft);
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

/** Fixes the result and tells watchers. */
export function finish(draft: Draft): void {
  const { state } = draft;
  if (!state.ending) return;
  const result: RunResult = {
    runId: state.runId,
    ...state.ending,
    steps: state.stepsCompleted,
    spend: spendOf(state.ledger),
    unknownOutcomes: state.unknownOutcomes,
    review: null,
  };
  patch(draft, {
    phase: 'closed',
    closedAtMs: draft.atMs,
    ending: null,
    settleUntilMs: null,
    inquiry: null,
    result,
  });
  emit(draft, { type: 'run_completed', result });
}
