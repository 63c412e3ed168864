import { view } from '../../../src/core/view.js';
import {
  callOf, gatedCall, judged, lastOf, modelCalls, refusal, running, toolSettles, underWay,
} from '../support/run.js'; // prettier-ignore
import { Shell } from '../support/shell.js';
import { APPROVERS, fakeHash, PARENT, preparedWith } from '../support/world.js';

const signedRun = () => running({}, { goal: 'x', approvers: APPROVERS });
const gated = () => modelCalls(signedRun(), gatedCall(), gatedCall());
const signed = (more: object = {}) => ({ callId: 's0.c0', decision: 'approve', signature: 'sig', ...more });
const ADA = { ok: true as const, approver: 'ada' };

const statementOf = (shell: Shell) => {
  const work = [...shell.started.values()].find(({ kind }) => kind === 'judge');
  return work?.kind === 'judge' ? work.input : undefined;
};

describe('a run that takes signed decisions only', () => {
  it('refuses those that are not signed, or by somebody else', () => {
    expect(refusal(gated().control('approve', { callId: 's0.c0' }))).toBe('SIGNATURE_REQUIRED');
    expect(refusal(gated().control('reject', { callId: 's0.c0' }))).toBe('SIGNATURE_REQUIRED');
    expect(refusal(gated().control('decide', signed({ by: 'mallory' })))).toBe('NOT_AN_APPROVER');
  });

  it('has a signature checked for what it has asked itself, and nothing runs before', () => {
    const shell = gated().control('decide', signed({ args: { n: 2 }, note: 'Two.', scope: 'run' }));
    expect(underWay(shell)).toEqual(['x0']);
    expect(statementOf(shell)).toEqual({
      name: 'send',
      statement: {
        runId: 'run-1',
        callId: 's0.c0',
        argsHash: fakeHash('{"n":1}'),
        requestedAt: '2026-01-01T00:00:00.000Z',
        decision: 'approve',
        args: { n: 2 },
        scope: 'run',
        text: 'Two.',
      },
      signature: 'sig',
      args: { n: 2 },
    });
    expect(view(shell.state).pending).toHaveLength(2);
  });

  it('carries it out once it holds, by the name of who signed', () => {
    const shell = judged(gated().control('decide', signed({ by: 'bob' })), ADA);
    expect(underWay(shell)).toEqual(['s0.c0']);
    expect(lastOf(shell, 'decision_made')).toMatchObject({ decision: 'approve', by: 'ada', signed: true });
  });

  it.each(['SIGNATURE_INVALID', 'ARGS_INVALID'] as const)('refuses it when it does not: %s', (code) => {
    const shell = judged(gated().control('decide', signed()), { ok: false, code, message: 'No.' });
    expect(refusal(shell)).toBe(code);
    expect(view(shell.state).pending).toHaveLength(2);
  });

  it('takes the first that holds, in whichever order they came', () => {
    const shell = gated()
      .control('decide', signed())
      .control('decide', signed({ decision: 'reject' }));
    shell.deliver(shell.settlementOf('x1', 'judge', { kind: 'ok', value: ADA }));
    expect(lastOf(shell, 'decision_made')?.decision).toBe('reject');
    expect(refusal(judged(shell, ADA))).toBe('ALREADY_DECIDED');
  });

  it('checks one that came in the very moment in which the call was decided, and says that it is late', () => {
    const shell = modelCalls(signedRun(), gatedCall()).control('decide', signed({ decision: 'reject' }));
    const late = { type: 'control' as const, name: 'decide' as const, payload: signed() };
    shell.deliver(late, shell.settlementOf('x0', 'judge', { kind: 'ok', value: ADA }));
    expect(underWay(shell)).toContain('x1');
    expect(refusal(judged(shell, ADA))).toBe('ALREADY_DECIDED');
    expect(shell.state.signedDecisions).toEqual([]);
  });

  it('wants a signature for the word on an unknown outcome, and none for an answer to a question', () => {
    const unsure = toolSettles(modelCalls(signedRun(), callOf()), 's0.c0', { kind: 'timed_out' });
    expect(refusal(unsure.control('answer', { callId: 's0.c0', text: 'It did.' }))).toBe(
      'SIGNATURE_REQUIRED',
    );
    unsure.control('answer', { callId: 's0.c0', text: 'It did.', signature: 'sig' });
    expect(statementOf(unsure)?.statement).toMatchObject({
      decision: 'answer',
      text: 'It did.',
      argsHash: null,
    });
    expect(lastOf(judged(unsure, ADA), 'decision_made')).toMatchObject({
      decision: 'answer',
      by: 'ada',
      signed: true,
    });
    const asked = modelCalls(signedRun(), callOf({ control: { kind: 'ask', question: 'Which?' } }));
    expect(lastOf(asked.control('answer', { text: 'Blue.' }), 'decision_made')?.decision).toBe('answer');
  });

  it('asks others where the one who signed must not approve', () => {
    const run = running({}, { goal: 'x', approvers: APPROVERS, requestedBy: 'ada' });
    const shell = modelCalls(run, gatedCall({}, { separate: true })).control('decide', signed());
    expect(refusal(judged(shell, ADA))).toBe('NOT_AN_APPROVER');
    expect(view(shell.state).pending).toHaveLength(1);
  });

  it('checks twenty signatures at a time', () => {
    const shell = gated();
    for (let count = 0; count < 20; count++) shell.control('decide', signed());
    expect(refusal(shell.control('decide', signed()))).toBe('SIGNATURE_INVALID');
  });

  it('names the call as seen from the run that a human has started', () => {
    const shell = new Shell({ goal: 'x', approvers: APPROVERS, parent: PARENT });
    shell.deliver(shell.settlementOf('prepare', 'prepare', { kind: 'ok', value: preparedWith() }));
    expect(statementOf(modelCalls(shell, gatedCall()).control('decide', signed()))?.statement).toMatchObject({
      runId: 'root',
      callId: 's4.c1/s0.c0',
    });
  });
});
