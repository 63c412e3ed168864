import { MAX_AGENT_DEPTH, MAX_CHILDREN } from '../../../src/core/behaviour.js';
import { ALREADY_STARTED } from '../../../src/core/outcomes.js';
import { NO_LIMITS } from '../../../src/core/run-input.js';
import { view } from '../../../src/core/view.js';
import { childInput, delegation, reports, request, resultOf } from '../support/agents.js';
import {
  eventsOf, lastOf, limited, modelCalls, refusal, resultObject, results, running, underWay,
} from '../support/run.js'; // prettier-ignore
import { Shell } from '../support/shell.js';
import { PARENT, preparedWith } from '../support/world.js';

const delegated = () => modelCalls(running(), delegation());

describe('a delegated goal', () => {
  it('is a run of its own that knows where it comes from', () => {
    const shell = modelCalls(
      running({}, { goal: 'Tidy up.', requestedBy: 'ada' }),
      delegation({ tools: ['look'] }),
    );
    expect(underWay(shell)).toEqual(['s0.c0']);
    expect(childInput(shell, 's0.c0')).toEqual({
      goal: 'Tidy the drawer.',
      model: 'maker/first',
      models: [],
      tools: ['look'],
      requestedBy: 'ada',
      taint: 'ask',
      limits: NO_LIMITS,
      shared: {},
      parent: { runId: 'run-1', key: 's0.c0', rootId: 'run-1', path: 's0.c0', depth: 1 },
    });
    expect(lastOf(shell, 'tool_started')?.childRunId).toBe('run-1/s0.c0');
    expect(view(shell.state).agents).toEqual([
      { callId: 's0.c0', runId: 'run-1/s0.c0', goal: 'Tidy the drawer.', maxCostUsd: null },
    ]);
  });

  it('may take no longer and no more steps than the run that delegates', () => {
    const limits = { ...NO_LIMITS, maxSteps: 5, maxDurationMs: 60_000 };
    const shell = running({ limits });
    shell.nowMs += 10_000;
    modelCalls(shell, delegation({ maxSteps: 9 }));
    expect(childInput(shell, 's0.c0').limits).toMatchObject({ maxSteps: 4, maxDurationMs: 50_000 });
  });

  it('is refused beyond the depth, and the last sub-agent cannot delegate itself', () => {
    const at = (depth: number) => {
      const shell = new Shell({ goal: 'x', parent: { ...PARENT, depth } });
      shell.deliver(
        shell.settlementOf('prepare', 'prepare', {
          kind: 'ok',
          value: preparedWith({ tools: ['look', 'delegate'] }),
        }),
      );
      return modelCalls(shell, delegation());
    };
    expect(resultObject(at(MAX_AGENT_DEPTH))).toMatchObject({ status: 'failed' });
    expect(childInput(at(MAX_AGENT_DEPTH - 1), 's0.c0')).toMatchObject({
      tools: ['look'],
      parent: { rootId: 'root', path: 's4.c1/s0.c0' },
    });
    expect(childInput(at(MAX_AGENT_DEPTH - 2), 's0.c0').tools).toEqual(['look', 'delegate']);
  });

  it('is refused when a run has had its sub-agents', () => {
    const shell = running();
    shell.state = { ...shell.state, childCount: MAX_CHILDREN };
    expect(resultObject(modelCalls(shell, delegation()))).toMatchObject({ status: 'failed' });
  });

  it('is not begun by a run whose limit is reached with the very answer that asks for it', () => {
    const shell = modelCalls(limited({ maxSteps: 1 }), delegation());
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
    expect(resultObject(shell)).toMatchObject({ status: 'refused_at_limit' });
  });
});

describe('the end of a sub-agent', () => {
  it('brings its answer, what it cost and what it left behind', () => {
    const shell = reports(delegated(), {
      result: resultOf({
        unknownOutcomes: [{ callId: 's1.c0', tool: 'send' }],
        artifacts: [{ callId: 's0.c0', id: 'a1', sizeBytes: 7 }],
      }),
    });
    expect(results(shell)).toEqual([
      '[Nobody knows whether these calls of it took effect: send (s1.c0).]\nThe drawer is tidy.',
    ]);
    expect(shell.state.unknownOutcomes).toEqual([{ callId: 's0.c0/s1.c0', tool: 'send' }]);
    expect(shell.state.artifacts).toEqual([{ callId: 's0.c0/s0.c0', id: 'a1', sizeBytes: 7 }]);
    expect(view(shell.state).spend).toMatchObject({
      costNanoUsd: 6_000,
      byPurpose: { child: { costNanoUsd: 5_000 } },
    });
  });

  it('counts once, though its run tells it again by closing', () => {
    const shell = reports(delegated(), { result: resultOf() });
    shell.deliver(shell.settlementOf('s0.c0', 'child', { kind: 'ok', value: resultOf() }));
    expect(view(shell.state).spend.costNanoUsd).toBe(6_000);
    expect(eventsOf(shell.events, 'tool_completed')).toHaveLength(1);
  });

  it('is heard from its run when no report came', () => {
    const shell = delegated();
    shell.deliver(
      shell.settlementOf('s0.c0', 'child', { kind: 'ok', value: resultOf({ outcome: 'limit' }) }),
    );
    expect(results(shell)).toEqual([
      '[The sub-agent reached a limit; this is what it had.]\nThe drawer is tidy.',
    ]);
  });

  it.each(['failed', 'cancelled'] as const)('that is no answer is told as such: %s', (outcome) => {
    expect(resultObject(reports(delegated(), { result: resultOf({ outcome }) }))).toMatchObject({
      status: outcome,
    });
  });

  it('from outside leaves its share charged and its outcome unknown', () => {
    const shell = modelCalls(limited({ maxCostUsd: 1 }), delegation({ maxCostUsd: 0.2 }));
    shell.deliver(shell.settlementOf('s0.c0', 'child', { kind: 'timed_out' }));
    expect(resultObject(shell)).toMatchObject({ status: 'unknown_outcome' });
    expect(view(shell.state).spend.estimatedNanoUsd).toBe(200_000_000);
    expect(shell.state.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'delegate' }]);
  });

  it('from outside is no lost model call that a cached answer could be the trace of', () => {
    const shell = modelCalls(limited({ maxCostUsd: 1 }), delegation({ maxCostUsd: 0.2 }));
    shell.deliver(shell.settlementOf('s0.c0', 'child', { kind: 'timed_out' }));
    const value = {
      model: 'maker/first',
      finish: 'stop',
      text: 'Done.',
      promptTokens: 0,
      completionTokens: 0,
      costNanoUsd: 0,
    };
    shell.deliver(
      shell.settlementOf('s1.m0', 'model', {
        kind: 'ok',
        value: { ...value, cached: true, cacheSourceId: 'gen-x' },
      }),
    );
    const { estimatedNanoUsd } = view(shell.state).spend;
    expect(estimatedNanoUsd).toBeGreaterThan(200_000_000);
  });

  it('that never began costs nothing', () => {
    const shell = modelCalls(limited({ maxCostUsd: 1 }), delegation());
    const outcome = {
      kind: 'failed' as const,
      code: ALREADY_STARTED,
      message: 'x',
      retryable: false,
      details: {},
    };
    shell.deliver(shell.settlementOf('s0.c0', 'child', outcome));
    expect(view(shell.state).spend.estimatedNanoUsd).toBe(0);
    expect(resultObject(shell)).toMatchObject({ status: 'cancelled' });
  });

  it('is not known of one that is under way when the server ends the run', () => {
    const shell = delegated().deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    expect(shell.state.result?.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'delegate' }]);
  });

  it('is waited for by a run that is cancelled, and its costs come up', () => {
    const shell = delegated().deliver({ type: 'cancel_requested' });
    expect(shell.cancelled.has('s0.c0')).toBe(true);
    reports(shell, { result: resultOf({ outcome: 'cancelled' }) });
    expect(shell.state.result).toMatchObject({ outcome: 'cancelled', spend: { costNanoUsd: 6_000 } });
  });
});

describe('a report', () => {
  it('shows what waits for a human, and asks once', () => {
    const shell = reports(delegated(), { pending: [request()] });
    reports(shell, { n: 2, pending: [request()] });
    expect(view(shell.state).pending).toEqual([request({ callId: 's0.c0/s2.c0' })]);
    expect(view(shell.state).status).toBe('waiting');
    expect(eventsOf(shell.events, 'decision_requested').map(({ callId }) => callId)).toEqual(['s0.c0/s2.c0']);
    reports(shell, { n: 3, pending: [request({ argsHash: 'sha256:two' })] });
    expect(eventsOf(shell.events, 'decision_requested')).toHaveLength(2);
  });

  it('that was overtaken changes nothing', () => {
    const shell = reports(delegated(), { n: 2 });
    const { state } = reports(shell, { n: 1, pending: [request()] });
    expect(view(state).pending).toEqual([]);
    expect(view(reports(shell, { key: 's9.c9', n: 3, pending: [request()] }).state).pending).toEqual([]);
  });

  it('puts decisions on record under the path to the call, so that another one is told that it comes late', () => {
    const decided = {
      callId: 's2.c0',
      tool: 'send',
      decision: 'approve' as const,
      note: null,
      by: 'ada',
      editedArgs: null,
    };
    const shell = reports(delegated(), { pending: [request()] });
    reports(shell, { n: 2, decided: [decided] });
    expect(lastOf(shell, 'decision_made')).toMatchObject({ ...decided, callId: 's0.c0/s2.c0' });
    expect(refusal(shell.control('approve', { callId: 's0.c0/s2.c0' }))).toBe('ALREADY_DECIDED');
    expect(refusal(shell.control('approve', { callId: 's0.c0/s9.c0' }))).toBe('CALL_NOT_PENDING');
  });
});
