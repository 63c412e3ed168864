import { callOf, gatedCall, modelAnswers, modelCalls, toolSettles, underWay } from '../support/run.js';
import { Shell } from '../support/shell.js';
import { PARENT, preparedWith } from '../support/world.js';

function child(input: object = {}): Shell {
  const shell = new Shell({ goal: 'x', parent: PARENT, ...input });
  return shell.deliver(shell.settlementOf('prepare', 'prepare', { kind: 'ok', value: preparedWith() }));
}

const reportOf = (shell: Shell) => [...shell.started.values()].find(({ kind }) => kind === 'report');

function payloadOf(shell: Shell) {
  const work = reportOf(shell);
  return work?.kind === 'report' ? work.input.payload : undefined;
}

const arrives = (shell: Shell) => {
  const key = reportOf(shell)?.key ?? '';
  return shell.deliver(shell.settlementOf(key, 'report', { kind: 'ok', value: undefined }));
};

describe('a sub-agent', () => {
  it('reports nothing as long as it asks nothing', () => {
    expect(reportOf(modelCalls(child(), callOf()))).toBeUndefined();
  });

  it('reports what waits for a human, to the run that has delegated', () => {
    const shell = modelCalls(child(), gatedCall());
    expect(reportOf(shell)).toMatchObject({
      key: 'p1',
      input: { runId: 'root', payload: { key: 's4.c1', n: 1 } },
    });
    expect(payloadOf(shell)?.pending).toMatchObject([{ callId: 's0.c0', kind: 'decision' }]);
  });

  it('reports one thing after the other, and what has changed meanwhile in one', () => {
    const shell = modelCalls(child(), gatedCall(), gatedCall()).control('approve', {
      callId: 's0.c0',
      by: 'ada',
    });
    shell.control('reject', { callId: 's0.c1', by: 'bob' });
    expect(payloadOf(shell)?.n).toBe(1);
    arrives(shell);
    expect(payloadOf(shell)).toMatchObject({
      n: 2,
      pending: [],
      decided: [
        { callId: 's0.c0', decision: 'approve', by: 'ada' },
        { callId: 's0.c1', decision: 'reject', by: 'bob' },
      ],
    });
    expect(reportOf(arrives(shell))).toBeUndefined();
  });

  it('closes only once its end has been told', () => {
    const shell = modelAnswers(child(), { text: 'Tidy.' });
    expect(payloadOf(shell)?.result).toMatchObject({ outcome: 'done', answer: 'Tidy.' });
    expect(shell.state.phase).toBe('settling');
    expect(arrives(shell).closed).toBe(true);
  });

  it('closes though its end could not be told', () => {
    const shell = modelAnswers(child(), { text: 'Tidy.' });
    expect(shell.deliver(shell.settlementOf('p1', 'report', { kind: 'timed_out' })).closed).toBe(true);
  });

  it('asks nobody any more when it is cancelled, and says so', () => {
    const shell = toolSettles(modelCalls(child(), callOf(), callOf()), 's0.c0', { kind: 'timed_out' });
    arrives(shell).deliver({ type: 'cancel_requested' });
    expect(payloadOf(shell)).toMatchObject({ n: 2, pending: [] });
    expect(underWay(shell)).toContain('s0.c1');
  });

  it('leaves the webhook to the run that a human has started', () => {
    const shell = modelCalls(child({ webhookUrl: 'https://hooks.example/' }), gatedCall());
    expect(shell.state.notices).toEqual([]);
  });
});
