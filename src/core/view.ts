import { isPending, toPending } from './calls.js';
import { toIso } from './draft.js';
import { limitsOf } from './limits.js';
import { currentModel } from './models.js';
import type { Progress, RunStatus } from './progress.js';
import { spendOf } from './spend.js';
import type { RunState } from './state.js';

/** What query, current details, search attributes and renderers show. */
export function view(state: RunState): Progress {
  return {
    runId: state.runId,
    status: statusOf(state),
    goal: state.input.goal,
    model: currentModel(state),
    step: state.step,
    limits: limitsOf(state),
    budget: state.prepared?.budget ?? null,
    spend: spendOf(state.ledger),
    settling: state.phase === 'settling',
    // A run that is being cancelled asks for nothing any more.
    pending: state.cancelRequested ? [] : state.calls.filter(isPending).map(toPending),
    queuedMessages: state.queue.length,
    startedAt: toIso(state.startedAtMs),
    closedAt: state.closedAtMs === null ? null : toIso(state.closedAtMs),
    result: state.result,
  };
}

function statusOf(state: RunState): RunStatus {
  if (state.phase === 'closed') return 'closed';
  if (state.pause) return 'paused';
  if (state.landing || state.cancelRequested || state.phase === 'settling') return 'landing';
  return isWaiting(state) ? 'waiting' : 'running';
}

/** Nothing runs: a human, a point in time, or the end of an outage is awaited. */
function isWaiting(state: RunState): boolean {
  if (state.phase === 'model') return isWaitingForModel(state);
  if (state.phase !== 'calls') return false;
  return !state.calls.some(
    (call) => call.status === 'running' || call.status === 'ready' || call.status === 'checking',
  );
}

/** Between the attempts at a call a run still runs; it waits when all models are down, or when money has to come first. */
function isWaitingForModel({ model, prepared, draw }: RunState): boolean {
  if (model.call || draw?.call) return false;
  if (model.retryAtMs === null) return prepared !== null;
  return model.outageWaits > 0 && model.failures === 0;
}
