import { MAX_RELAYS } from '../../../src/core/human/relays.js';
import { answerTo, errandOf } from '../../../src/core/human/relays.js';
import { delegation, reports, request } from '../support/agents.js';
import { lastOf, modelCalls, refusal, running, underWay } from '../support/run.js';
import type { Shell } from '../support/shell.js';

const asking = () => reports(modelCalls(running(), delegation(), delegation()), { pending: [request()] });

const relayed = (shell: Shell, key: string, refused?: { code: string; message: string }) =>
  shell.deliver(shell.settlementOf(key, 'relay', { kind: 'ok', value: refused ? { refusal: refused } : {} }));

const workOf = (shell: Shell, key: string) => {
  const work = shell.started.get(key);
  return work?.kind === 'relay' ? work.input : undefined;
};

describe('a decision on a call of a sub-agent', () => {
  it('is handed down as it came, with the id that the sub-agent knows', () => {
    const words = { note: 'Go.', by: 'ada', argsHash: 'sha256:one', signature: 'sig', scope: 'run' };
    const shell = asking().control('decide', {
      ...words,
      callId: 's0.c0/s2.c0',
      decision: 'approve',
      args: { n: 2 },
    });
    expect(workOf(shell, 'x0')).toEqual({
      runId: 'run-1/s0.c0',
      id: 'run-1.x0',
      name: 'decide',
      payload: { ...words, callId: 's2.c0', decision: 'approve', args: { n: 2 } },
    });
  });

  it('is meant when none is named and it is the only one', () => {
    expect(workOf(asking().control('reject'), 'x0')?.payload).toEqual({
      callId: 's2.c0',
      decision: 'reject',
    });
  });

  it('for other arguments, or for what waits for nothing, is refused here', () => {
    expect(refusal(asking().control('approve', { callId: 's0.c0/s2.c0', argsHash: 'other' }))).toBe(
      'ARGS_HASH_MISMATCH',
    );
    expect(refusal(asking().control('answer', { callId: 's0.c0/s2.c0', text: 'Yes.' }))).toBe(
      'CALL_NOT_PENDING',
    );
  });

  it('that the sub-agent refuses is told', () => {
    const before = asking();
    const state = before.state;
    const shell = before.control('approve');
    const key = errandOf(state, shell.state) ?? '';
    expect(answerTo(shell.state, key)).toBeNull();
    relayed(shell, key, { code: 'ALREADY_DECIDED', message: 'It is.' });
    expect(answerTo(shell.state, key)?.refusal).toEqual({ code: 'ALREADY_DECIDED', message: 'It is.' });
    expect(lastOf(shell, 'control_rejected')).toMatchObject({ control: 'decide', callId: 's0.c0/s2.c0' });
  });

  it('that could not be handed down is told', () => {
    const shell = asking().control('approve');
    shell.deliver(shell.settlementOf('x0', 'relay', { kind: 'timed_out' }));
    expect(refusal(shell)).toBe('RUN_CLOSED');
  });

  it('is refused when too many are on their way', () => {
    const shell = asking();
    for (let count = 0; count < MAX_RELAYS; count++) shell.control('approve');
    expect(shell.state.relays).toHaveLength(MAX_RELAYS);
    expect(refusal(shell.control('approve'))).toBe('CALL_NOT_PENDING');
  });
});

describe('pause, resume and stop', () => {
  it('go down to every sub-agent under way', () => {
    const shell = asking().control('pause');
    expect(['x0', 'x1'].map((key) => workOf(shell, key)?.runId)).toEqual(['run-1/s0.c0', 'run-1/s0.c1']);
  });

  it('reach each sub-agent in the order in which they were said', () => {
    const shell = asking().control('pause').control('resume');
    expect(underWay(shell)).toEqual(['s0.c0', 's0.c1', 'x0', 'x1']);
    relayed(shell, 'x0');
    expect(workOf(shell, 'x2')).toMatchObject({ runId: 'run-1/s0.c0', name: 'resume' });
    expect(underWay(shell)).not.toContain('x3');
  });

  it('that a sub-agent cannot take are no matter for a human', () => {
    const shell = relayed(asking().control('stop'), 'x0', { code: 'RUN_CLOSED', message: 'Ended.' });
    expect(lastOf(shell, 'control_rejected')).toBeUndefined();
  });

  it('are said again by a human who stops again', () => {
    const shell = relayed(asking().control('stop'), 'x0').control('stop');
    expect(workOf(shell, 'x2')).toMatchObject({ runId: 'run-1/s0.c0', name: 'stop' });
  });
});
