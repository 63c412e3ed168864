import { MAX_RESTARTS } from '../../../src/core/behaviour.js';
import type { Outcome, PlannedCall, ToolResult } from '../../../src/core/outcomes.js';
import { view } from '../../../src/core/view.js';
import {
  callOf, callState, eventsOf, lastOf, modelCalls, resultObject, results, running, toolSettles, underWay, verified,
} from '../support/run.js'; // prettier-ignore

const TIMED_OUT: Outcome<ToolResult> = { kind: 'timed_out' };
const NOT_BEGUN: Outcome<ToolResult> = { kind: 'timed_out', details: { acting: false } };
const FAILED = { kind: 'failed' as const, code: 'TOOL_FAILED', message: 'No.', retryable: true };

const called = (fields: Partial<PlannedCall> = {}) => modelCalls(running(), callOf(fields));
const inDoubt = (fields: Partial<PlannedCall> = {}) => toolSettles(called(fields), 's0.c0', TIMED_OUT);

describe('a call that certainly did not begin to act', () => {
  it.each<[string, Outcome<ToolResult>]>([
    ['its worker was lost', NOT_BEGUN],
    ['it could not get ready', { ...FAILED, details: { acting: false } }],
  ])('is begun again unasked when %s', (_, outcome) => {
    const shell = toolSettles(called(), 's0.c0', outcome);
    if (outcome.kind === 'failed') shell.awaitTimer();
    expect(underWay(shell)).toEqual(['s0.c0.r1']);
    expect(eventsOf(shell.events, 'decision_requested')).toEqual([]);
  });

  it('is not begun again without end', () => {
    const shell = toolSettles(called(), 's0.c0', NOT_BEGUN);
    for (let restart = 1; restart <= MAX_RESTARTS; restart++)
      toolSettles(shell, `s0.c0.r${restart}`, NOT_BEGUN);
    expect(resultObject(shell)).toMatchObject({ status: 'cancelled' });
    expect(shell.state.unknownOutcomes).toEqual([]);
  });

  it('rests before it is begun again after a failure, longer each time, and holds up nothing', () => {
    const failed = { ...FAILED, code: 'TOOL_UNKNOWN', details: { acting: false } };
    const shell = toolSettles(called(), 's0.c0', failed);
    expect([shell.timerAtMs, underWay(shell)]).toEqual([shell.nowMs + 1_000, []]);
    toolSettles(shell.awaitTimer(), 's0.c0.r1', failed);
    expect(shell.timerAtMs).toBe(shell.nowMs + 2_000);
    expect(view(shell.state).status).toBe('running');
  });

  it('leaves no timer behind when it has rested while the run is paused', () => {
    const shell = toolSettles(called(), 's0.c0', { ...FAILED, details: { acting: false } });
    expect(shell.control('pause').awaitTimer().timerAtMs).toBeNull();
    expect(underWay(shell.control('resume'))).toEqual(['s0.c0.r1']);
  });

  it('is not begun again when its tool says that it never will', () => {
    const never = { ...FAILED, retryable: false, details: { acting: false } };
    expect(resultObject(toolSettles(called(), 's0.c0', never))).toMatchObject({ status: 'failed' });
  });

  it('is not begun again by a run that lands, stops or is cancelled', () => {
    expect(resultObject(toolSettles(called().control('stop'), 's0.c0', NOT_BEGUN))).toMatchObject({
      status: 'cancelled',
    });
    const cancelled = called().deliver({ type: 'cancel_requested' });
    toolSettles(cancelled, 's0.c0', NOT_BEGUN);
    expect(cancelled.state.result?.unknownOutcomes).toEqual([]);
  });

  it('is begun again once a pause is over', () => {
    const shell = toolSettles(called().control('pause'), 's0.c0', NOT_BEGUN);
    expect(underWay(shell)).toEqual([]);
    expect(underWay(shell.control('resume'))).toEqual(['s0.c0.r1']);
  });

  it('is asked about all the same in runs from before', () => {
    const shell = modelCalls(running({ behaviour: 2 }), callOf());
    expect(view(toolSettles(shell, 's0.c0', NOT_BEGUN).state).pending).toMatchObject([
      { kind: 'unknown_outcome' },
    ]);
  });

  it('is as unknown as before when an earlier attempt may have acted and a human had it run again', () => {
    const rerun = () => inDoubt().control('approve', { callId: 's0.c0' });
    expect(underWay(toolSettles(rerun(), 's0.c0.r1', NOT_BEGUN))).toEqual(['s0.c0.r2']);
    const stopped = toolSettles(rerun().control('stop'), 's0.c0.r1', NOT_BEGUN);
    expect(stopped.state.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'send' }]);
    const gone = toolSettles(rerun(), 's0.c0.r1', {
      ...FAILED,
      retryable: false,
      details: { acting: false },
    });
    expect(view(gone.state).pending).toMatchObject([{ kind: 'unknown_outcome', callId: 's0.c0' }]);
  });
});

describe('a call whose tool can find out whether it acted', () => {
  const doubtful = () => inDoubt({ verify: true });

  it('has it found out before any human is asked', () => {
    expect(underWay(doubtful())).toEqual(['s0.c0.v']);
    expect(view(doubtful().state)).toMatchObject({ status: 'running', pending: [] });
  });

  it('is done when it took effect', () => {
    const shell = verified(doubtful(), 's0.c0.v', 'executed');
    expect(results(shell)).toEqual([
      'The call took effect: its tool verified that afterwards. What it returned is lost.',
    ]);
    expect(lastOf(shell, 'outcome_verified')?.verdict).toBe('executed');
    expect(shell.state.unknownOutcomes).toEqual([]);
  });

  it('is begun again when it did not, and verified again if need be', () => {
    const shell = verified(doubtful(), 's0.c0.v', 'not_executed');
    expect(underWay(toolSettles(shell, 's0.c0.r1', TIMED_OUT))).toEqual(['s0.c0.r1.v']);
  });

  it.each<Outcome<never>>([TIMED_OUT as Outcome<never>, { ...FAILED, details: {} }])(
    'is asked about when that could not be found out',
    (outcome) => {
      const shell = doubtful();
      shell.deliver(shell.settlementOf('s0.c0.v', 'verify', outcome));
      expect(view(shell.state).pending).toMatchObject([{ kind: 'unknown_outcome', callId: 's0.c0' }]);
      expect(view(verified(doubtful(), 's0.c0.v', 'unknown').state).pending).toHaveLength(1);
    },
  );

  it('is not begun again by a run that lands meanwhile', () => {
    const shell = verified(doubtful().control('stop'), 's0.c0.v', 'not_executed');
    expect(resultObject(shell)).toMatchObject({ status: 'cancelled' });
  });

  it('is on record as unknown when the run is cancelled meanwhile', () => {
    const shell = doubtful().deliver({ type: 'cancel_requested' });
    expect(shell.state.result?.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'send' }]);
  });
});

describe('a call whose outcome stays unknown', () => {
  it('is told to the model at once where its tool says so', () => {
    const shell = inDoubt({ onUnknown: 'tell_model' });
    expect(resultObject(shell)).toMatchObject({ status: 'unknown_outcome' });
    expect(shell.state.unknownOutcomes).toHaveLength(1);
    expect(underWay(shell)).toEqual(['s1.m0']);
  });

  it('ends the run where its tool says so', () => {
    const shell = inDoubt({ onUnknown: 'land' });
    expect(shell.state.landing).toMatchObject({ outcome: 'failed', error: { code: 'TOOL_OUTCOME_UNKNOWN' } });
    expect(shell.state.unknownOutcomes).toHaveLength(1);
  });

  it('waits for a human otherwise', () => {
    expect(callState(inDoubt(), 's0.c0')?.status).toBe('unknown');
  });
});
