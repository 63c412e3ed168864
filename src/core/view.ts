import { delegationOf } from './agents/delegation.js';
import { toIso } from './draft.js';
import { idleUntilMs } from './idle.js';
import { limitsOf } from './money/limits.js';
import { currentModel } from './model/models.js';
import type { AgentNote, Progress, RunStatus, WaitingNote } from './progress.js';
import { pendingOf } from './agents/reports.js';
import { isReviewed, roundsOf } from './review/review-rounds.js';
import { spendOf } from './money/spend.js';
import type { TaintPolicy } from './run-input.js';
import type { CallState, RunState } from './state.js';

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
    waiting: waitingOf(state),
    pending: pendingOf(state),
    queuedMessages: state.queue.length,
    lastRefused: state.lastRefused,
    taint: {
      policy: taintPolicyOf(state),
      by: state.tainted,
    },
    standing: state.standing,
    agents: agentsOf(state),
    idle: idleOf(state),
    shared: state.shared,
    review: reviewOf(state),
    compactions: state.compaction.count,
    repeats: state.loop.repeats,
    startedAt: toIso(state.startedAtMs),
    closedAt: state.closedAtMs === null ? null : toIso(state.closedAtMs),
    result: state.result ?? state.farewell,
  };
}

/** A run that asks nobody anything does not ask because of what it has read either. */
function taintPolicyOf({ prepared, input }: RunState): TaintPolicy {
  if (input.requireApproval === 'never') return 'off';
  return prepared ? (prepared.taint ?? 'off') : (input.taint ?? 'ask');
}

function waitingOf(state: RunState): WaitingNote | null {
  const { model, phase, pause, calls, idle } = state;
  if (pause?.reason === 'payment')
    return {
      code: 'MODEL_PAYMENT',
      message: 'The model server wants to be paid first. Add credit, then resume the run.',
      until: null,
    };
  if (pause || idle) return null;
  if (phase === 'calls') {
    const rests = calls.flatMap(({ status, dueAtMs }) =>
      status === 'waiting' && dueAtMs !== null ? dueAtMs : [],
    );
    if (rests.length === 0) return null;
    return { code: null, message: 'The agent lets time pass.', until: toIso(Math.max(...rests)) };
  }
  if (phase !== 'model') return null;
  const { retryAtMs, problem } = model;
  if (retryAtMs !== null) return problem ? { ...problem, until: toIso(retryAtMs) } : null;
  if (!isWaitingForModel(state)) return null;
  const message = 'What lost calls cost is asked for: it decides whether another step can be paid.';
  return { code: null, message, until: null };
}

function agentsOf(state: RunState): AgentNote[] {
  return state.calls.flatMap(({ id, child, status }) =>
    child && status !== 'done'
      ? [
          {
            callId: id,
            runId: child.runId,
            goal: child.input.goal,
            maxCostUsd: child.input.limits?.maxCostUsd ?? null,
          },
        ]
      : [],
  );
}

function idleOf(state: RunState): Progress['idle'] {
  const untilMs = idleUntilMs(state);
  if (!state.idle || untilMs === null) return null;
  return { since: toIso(state.idle.sinceMs), until: toIso(untilMs), answer: state.idle.answer };
}

function reviewOf(state: RunState): Progress['review'] {
  if (!isReviewed(state)) return null;
  const { rounds: round, stage, passed, gaps } = state.review;
  return { round, rounds: roundsOf(state), stage, passed, gaps };
}

function statusOf(state: RunState): RunStatus {
  if (state.phase === 'closed') return 'closed';
  if (state.pause) return 'paused';
  if (state.landing || state.cancelRequested || state.phase === 'settling') return 'landing';
  return isWaiting(state) ? 'waiting' : 'running';
}

/** Nothing runs: a human, a point in time, or the end of an outage is awaited. */
function isWaiting(state: RunState): boolean {
  if (state.idle) return true;
  if (state.phase === 'model') return isWaitingForModel(state);
  if (state.phase !== 'calls') return false;
  const active = ['running', 'ready', 'checking', 'verifying'];
  return !state.calls.some((call) => active.includes(call.status) && !isAsking(call));
}

/** A sub-agent that waits for a human. */
function isAsking(call: CallState): boolean {
  return delegationOf(call) !== null && (call.child?.pending.length ?? 0) > 0;
}

/** Between the attempts at a call a run still runs; it waits when all models are down, or when money has to come first. */
function isWaitingForModel({ model, prepared, draw }: RunState): boolean {
  if (model.call || draw?.call) return false;
  if (model.retryAtMs === null) return prepared !== null;
  return model.outageWaits > 0 && model.failures === 0;
}
