import { MAX_AGENT_DEPTH, MAX_CHILDREN } from '../behaviour.js';
import type { ChildReport, ChildState } from './child-run.js';
import { shareOf } from './child-share.js';
import { finishCall } from '../closing.js';
import { emit, parseJson, patch, patchCall, remember, type Draft } from '../draft.js';
import { drawMore } from '../money/draws.js';
import { withHumanWords, humanWords } from '../human/human-words.js';
import { toolKey } from '../keys.js';
import { absorb } from './child-ledger.js';
import { lose, reserve } from '../money/ledger.js';
import { deadlineMs, limitsOf } from '../money/limits.js';
import { currentModel } from '../model/models.js';
import { ALREADY_STARTED, type Delegation, type Outcome } from '../outcomes.js';
import type { PendingItem, RunResult } from '../progress.js';
import { readResult } from './read-report.js';
import { notRun, type CallResult } from '../calls/results.js';
import type { RunInput } from '../run-input.js';
import type { CallState } from '../state.js';
import { taintBy } from '../calls/taint.js';

/**
 * Starts a sub-agent with its share of what is left. Returns whether the call is settled or under way; else it waits for the shared
 * budget to grant more.
 */
export function startAgent(draft: Draft, call: CallState, delegation: Delegation): boolean {
  const { state } = draft;
  const depth = (state.parent?.depth ?? 0) + 1;
  const refuse = (message: string): true => {
    finishCall(draft, call.id, notRun('failed', message, humanWords(call)));
    return true;
  };
  if (depth > MAX_AGENT_DEPTH) return refuse(`Sub-agents may be ${MAX_AGENT_DEPTH} deep. Do it yourself.`);
  if (state.childCount >= MAX_CHILDREN)
    return refuse(`A run may have ${MAX_CHILDREN} sub-agents. Do it yourself.`);
  const share = shareOf(state, delegation);
  if (share.kind === 'draw') {
    drawMore(draft, share.totalNanoUsd);
    return false;
  }
  if (share.kind === 'none') {
    const message = 'The ceilings of this run leave nothing for a sub-agent.';
    finishCall(draft, call.id, notRun('refused_at_limit', message, humanWords(call)));
    return true;
  }
  const runId = `${state.runId}/${toolKey(call)}`;
  const input = agentInput(draft, call, { delegation, depth, ...share });
  const child: ChildState = { runId, input, shareNanoUsd: share.nanoUsd, reportCount: 0, pending: [] };
  patch(draft, {
    ledger: reserve(state.ledger, {
      id: toolKey(call),
      purpose: 'child',
      model: currentModel(state),
      nanoUsd: share.nanoUsd,
    }),
    childCount: state.childCount + 1,
  });
  patchCall(draft, call.id, { status: 'running', child });
  emit(draft, {
    type: 'tool_started',
    step: state.step,
    callId: call.id,
    tool: call.plan.name,
    args: parseJson(call.args),
    childRunId: runId,
  });
  return true;
}

function agentInput(
  draft: Draft,
  call: CallState,
  given: { delegation: Delegation; depth: number; nanoUsd: number | null; tokens: number | null },
): RunInput {
  const { state, atMs } = draft;
  const { delegation, depth, nanoUsd, tokens } = given;
  const { input, prepared, parent } = state;
  const { maxSteps } = limitsOf(state);
  const deadline = deadlineMs(state);
  const left = maxSteps === null ? null : Math.max(1, maxSteps - state.stepsCompleted);
  const tools = delegation.tools ?? prepared?.tools ?? [];
  const { system, requireApproval, unpricedModels, approvers, requestedBy, priority } = input;
  const { reasoning, temperature, maxOutputTokens, compactAtTokens } = input;
  const optional = { system, requireApproval, unpricedModels, approvers, requestedBy, priority };
  const tuning = { reasoning, temperature, maxOutputTokens, compactAtTokens, wire: prepared?.wire };
  return {
    ...defined({ ...optional, ...tuning }),
    goal: delegation.goal,
    model: currentModel(state),
    models: (prepared?.models ?? []).filter((model) => model !== currentModel(state)),
    tools: depth < MAX_AGENT_DEPTH ? tools : tools.filter((name) => name !== call.plan.name),
    taint: prepared?.taint ?? 'ask',
    limits: {
      maxCostUsd: nanoUsd === null ? null : nanoUsd / 1e9,
      maxTokens: tokens,
      maxSteps: least(delegation.maxSteps ?? null, left),
      maxDurationMs: deadline === null ? null : Math.max(1, deadline - atMs),
    },
    shared: state.shared,
    parent: {
      runId: state.runId,
      key: toolKey(call),
      rootId: parent?.rootId ?? state.runId,
      path: parent ? `${parent.path}/${call.id}` : call.id,
      depth,
      ...((state.tainted || parent?.tainted) && { tainted: true }),
      ...(prepared?.pins && { pins: prepared.pins }),
      ...(prepared?.pinnedId !== undefined && { pinnedId: prepared.pinnedId }),
    },
  };
}

function least(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** Without the fields that are not there: the input goes over the wire. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  // The entries are those of `fields`, less some.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Takes in what a sub-agent tells. Reports of no call, and those that are overtaken, change nothing. */
export function takeReport(draft: Draft, report: ChildReport): void {
  const call = draft.state.calls.find((one) => one.child && toolKey(one) === report.key);
  if (!call?.child || call.status === 'done' || report.n <= call.child.reportCount) return;
  const known = new Set(call.child.pending.map(toRequest));
  patchCall(draft, call.id, {
    child: { ...call.child, reportCount: report.n, pending: report.pending },
  });
  const { step } = draft.state;
  for (const decided of report.decided) {
    const callId = `${call.id}/${decided.callId}`;
    patch(draft, { decidedCallIds: remember(draft.state.decidedCallIds, callId) });
    emit(draft, { type: 'decision_made', step, ...decided, callId });
  }
  if (!draft.state.landing && !draft.state.cancelRequested)
    for (const item of report.pending) {
      const seenFromHere = { step, ...item, callId: `${call.id}/${item.callId}` };
      if (!known.has(toRequest(item))) emit(draft, { type: 'decision_requested', ...seenFromHere });
      if (report.reminded?.includes(item.callId)) emit(draft, { type: 'decision_reminder', ...seenFromHere });
    }
  if (report.result) settleAgent(draft, call, report.result);
}

/** One request of a sub-agent, told from an earlier one for the same call. */
function toRequest({ callId, requestedAt, argsHash }: PendingItem): string {
  return `${callId} ${requestedAt} ${argsHash}`;
}

/** Takes in that a sub-agent has closed. Usually its last report has said all before. */
export function settleChild(draft: Draft, key: string, outcome: Outcome<RunResult>): void {
  const call = draft.state.calls.find((one) => one.child && toolKey(one) === key);
  if (!call || (call.status !== 'running' && call.status !== 'cancelling')) return;
  const result = readResult(outcome.kind === 'ok' ? outcome.value : outcome.details);
  if (result) return settleAgent(draft, call, result);
  const neverStarted =
    (outcome.kind === 'cancelled' && outcome.neverStarted === true) ||
    (outcome.kind === 'failed' && outcome.code === ALREADY_STARTED);
  patch(draft, {
    ledger: lose(draft.state.ledger, { id: key, mayHaveCost: !neverStarted, askAtMs: draft.atMs }),
  });
  if (neverStarted)
    return finishCall(draft, call.id, notRun('cancelled', 'The sub-agent was never started.'));
  patch(draft, {
    unknownOutcomes: [...draft.state.unknownOutcomes, { callId: call.id, tool: call.plan.name }],
  });
  const message = 'The sub-agent was ended from outside. What it did is not known; verify before you go on.';
  finishCall(draft, call.id, notRun('unknown_outcome', message, humanWords(call)));
}

function settleAgent(draft: Draft, call: CallState, result: RunResult): void {
  patch(draft, { ledger: absorb(draft.state.ledger, toolKey(call), result.spend) });
  const seenFromHere = <T extends { callId: string }>(item: T): T => ({
    ...item,
    callId: `${call.id}/${item.callId}`,
  });
  const artifacts = result.artifacts.map(seenFromHere);
  patch(draft, {
    artifacts: [...draft.state.artifacts, ...artifacts],
    unknownOutcomes: [...draft.state.unknownOutcomes, ...result.unknownOutcomes.map(seenFromHere)],
  });
  if (result.taintedBy) taintBy(draft, seenFromHere(result.taintedBy));
  finishCall(draft, call.id, toCallResult(call, result));
}

const ENDED: Record<RunResult['outcome'], string> = {
  done: '',
  limit: 'The sub-agent reached a limit; this is what it had.',
  stopped: 'The sub-agent was stopped; this is what it had.',
  cancelled: 'The sub-agent was cancelled.',
  failed: 'The sub-agent failed.',
};

function toCallResult(call: CallState, { outcome, answer, unknownOutcomes }: RunResult): CallResult {
  const unknown =
    unknownOutcomes.length === 0
      ? []
      : [
          `Nobody knows whether these calls of it took effect: ${unknownOutcomes.map(({ tool, callId }) => `${tool} (${callId})`).join(', ')}.`,
        ];
  const words = [ENDED[outcome], ...unknown].filter((part) => part !== '').join(' ');
  if (outcome === 'failed' || outcome === 'cancelled')
    return notRun(outcome, `${words} ${answer}`.slice(0, 20_000), humanWords(call));
  return { status: 'ok', content: withHumanWords(call, words === '' ? answer : `[${words}]\n${answer}`) };
}
