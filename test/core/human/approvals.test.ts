import { checkControl } from '../../../src/core/human/controls-check.js';
import { view } from '../../../src/core/view.js';
import {
  argsChecked, callOf, eventsOf, gatedCall, lastOf, modelCalls, refusal, running, toolAnswers, toolSettles, underWay,
} from '../support/run.js'; // prettier-ignore
import { fakeHash } from '../support/world.js';

const by = (name?: string, more: object = {}) => ({
  callId: 's0.c0',
  ...(name !== undefined && { by: name }),
  ...more,
});
const edited = { ok: true as const, args: '{"n":2}', argsHash: fakeHash('{"n":2}') };

describe('a call that two must approve', () => {
  const gated = () => modelCalls(running(), gatedCall({}, { approvals: 2 }));

  it('runs with the second approval, and the record names both', () => {
    const shell = gated().control('approve', by('ada', { note: 'Fine.' }));
    expect(underWay(shell)).toEqual([]);
    expect(lastOf(shell, 'approval_counted')).toMatchObject({ by: 'ada', have: 1, needed: 2 });
    expect(view(shell.state).pending[0]?.approvals).toEqual({ by: ['ada'], needed: 2 });
    shell.control('approve', by('bob'));
    expect(underWay(shell)).toEqual(['s0.c0']);
    expect(lastOf(shell, 'decision_made')).toMatchObject({ by: 'bob', approvedBy: ['ada', 'bob'] });
  });

  it('asks who approves, and counts each once', () => {
    expect(refusal(gated().control('approve', by()))).toBe('NOT_AN_APPROVER');
    expect(refusal(gated().control('approve', by(' ')))).toBe('NOT_AN_APPROVER');
    expect(refusal(gated().control('approve', by('ada')).control('approve', by('ada')))).toBe(
      'ALREADY_DECIDED',
    );
  });

  it('is rejected by one', () => {
    expect(
      lastOf(gated().control('approve', by('ada')).control('reject', by()), 'decision_made')?.decision,
    ).toBe('reject');
  });

  it('is approved anew by both when its arguments are edited', () => {
    const shell = gated().control('approve', by('ada'));
    argsChecked(shell.control('decide', by('bob', { decision: 'approve', args: { n: 2 } })), edited);
    expect(view(shell.state).pending).toMatchObject([
      { args: { n: 2 }, argsHash: edited.argsHash, approvals: { by: ['bob'], needed: 2 } },
    ]);
    expect(eventsOf(shell.events, 'decision_requested')).toHaveLength(2);
    expect(refusal(shell.control('approve', by('ada', { argsHash: fakeHash('{"n":1}') })))).toBe(
      'ARGS_HASH_MISMATCH',
    );
    expect(underWay(shell.control('approve', by('ada', { argsHash: edited.argsHash })))).toEqual(['s0.c0']);
  });

  it('needs both again to run again when its outcome is unknown', () => {
    const shell = gated().control('approve', by('ada')).control('approve', by('bob'));
    toolSettles(shell, 's0.c0', { kind: 'timed_out' }).control('approve', by('ada'));
    expect(underWay(shell)).toEqual([]);
    expect(underWay(shell.control('approve', by('bob')))).toEqual(['s0.c0.r1']);
  });
});

describe('a call that somebody else must approve', () => {
  const gated = () =>
    modelCalls(running({}, { goal: 'x', requestedBy: 'ada' }), gatedCall({}, { separate: true }));

  it('is not approved by who asked for the run, nor by nobody', () => {
    expect(refusal(gated().control('approve', by('ada')))).toBe('NOT_AN_APPROVER');
    expect(refusal(gated().control('approve', by()))).toBe('NOT_AN_APPROVER');
    expect(refusal(gated().control('decide', by('ada', { decision: 'approve', args: { n: 2 } })))).toBe(
      'NOT_AN_APPROVER',
    );
    expect(underWay(gated().control('approve', by('bob')))).toEqual(['s0.c0']);
  });

  it('may be rejected by who asked', () => {
    expect(lastOf(gated().control('reject', by('ada')), 'decision_made')).toMatchObject({
      decision: 'reject',
      by: 'ada',
    });
  });
});

describe('an approval for the rest of the run', () => {
  const forRun = (callId = 's0.c0') => ({ callId, decision: 'approve', scope: 'run', by: 'ada' });

  it('lets the calls of the tool go on that wait, and those to come, and nothing else', () => {
    const other = { name: 'write' };
    const shell = modelCalls(running(), gatedCall(), gatedCall(), gatedCall(other)).control(
      'decide',
      forRun(),
    );
    expect(underWay(shell)).toEqual(['s0.c0', 's0.c1']);
    expect(view(shell.state)).toMatchObject({
      standing: [{ tool: 'send', by: 'ada' }],
      pending: [{ callId: 's0.c2' }],
    });
    toolAnswers(toolAnswers(shell.control('reject'), 's0.c0'), 's0.c1');
    modelCalls(shell, gatedCall(), gatedCall(other));
    expect(underWay(shell)).toEqual(['s1.c0']);
    expect(lastOf(shell, 'decision_made')).toMatchObject({ callId: 's1.c0', by: 'ada', scope: 'run' });
  });

  it('does not hold for the tool once it has changed', () => {
    const shell = modelCalls(running(), gatedCall({ specHash: 'one' })).control('decide', forRun());
    modelCalls(toolAnswers(shell, 's0.c0'), gatedCall({ specHash: 'two' }, { reason: 'changed' }));
    expect(view(shell.state).pending).toMatchObject([{ callId: 's1.c0', reason: 'changed' }]);
  });

  it('is one only when all who must approve say so', () => {
    const gated = () => modelCalls(running(), gatedCall({}, { approvals: 2 })).control('decide', forRun());
    expect(gated().control('approve', by('bob')).state.standing).toEqual([]);
    expect(gated().control('decide', { ...forRun(), by: 'bob' }).state.standing).toHaveLength(1);
  });

  it('is refused for anything but a call that waits for a decision', () => {
    const unsure = toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' });
    expect(refusal(unsure.control('decide', forRun()))).toBe('INPUT_INVALID');
    expect(
      refusal(modelCalls(running(), gatedCall()).control('decide', { ...forRun(), decision: 'reject' })),
    ).toBe('INPUT_INVALID');
  });

  it('lets a call run as one that waits for nobody, though a limit is reached with the answer that asks for it', () => {
    const shell = modelCalls(running(), gatedCall()).control('decide', forRun());
    toolAnswers(shell, 's0.c0').control('setLimits', { maxSteps: 2 });
    modelCalls(shell, gatedCall());
    expect(shell.state.landing).toMatchObject({ limit: 'steps' });
    expect(underWay(shell)).toEqual(['s1.c0']);
  });
});

describe('two people', () => {
  it.each(['ada', ' Ada ', 'ADA'])('are not one who writes the name as %j', (name) => {
    const shell = modelCalls(running(), gatedCall({}, { approvals: 2 })).control('approve', by('ada'));
    expect(checkControl(shell.state, 'approve', by(name))).toMatchObject({
      refusal: { code: 'ALREADY_DECIDED' },
    });
  });

  it('of whom one has edited the arguments approve the same ones', () => {
    const shell = modelCalls(running(), gatedCall({}, { approvals: 2 }));
    shell.control('decide', { decision: 'approve', args: { n: 2 }, ...by('ada') });
    const argsHash = fakeHash('{"n":2}');
    const value = { ok: true as const, args: '{"n":2}', argsHash };
    shell.deliver(shell.settlementOf('s0.c0.e1', 'check', { kind: 'ok', value }));
    expect(checkControl(shell.state, 'approve', by('bob'))).toMatchObject({
      refusal: { code: 'ARGS_HASH_MISMATCH' },
    });
    expect(checkControl(shell.state, 'approve', { ...by('bob'), argsHash })).toHaveProperty('control');
  });
});
