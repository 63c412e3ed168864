import { delegation, reports, request } from '../support/agents.js';
import { gatedCall, lastOf, modelAnswers, modelCalls, running } from '../support/run.js';
import type { Shell } from '../support/shell.js';

const hooked = () => running({}, { goal: 'x', webhookUrl: 'https://hooks.example/' });

const notices = (shell: Shell) =>
  [...shell.started.values()].flatMap((work) => (work.kind === 'notify' ? [work] : []));

const fails = (shell: Shell, key: string) =>
  shell.deliver(shell.settlementOf(key, 'notify', { kind: 'timed_out' }));

describe('the webhook of a run', () => {
  it('is told of what one answer asks, in one notice', () => {
    const [notice, ...others] = notices(modelCalls(hooked(), gatedCall(), gatedCall()));
    expect(notice).toMatchObject({
      key: 'n0',
      input: { type: 'decision_requested', id: 'n0', callIds: ['s0.c0', 's0.c1'] },
      isLast: false,
    });
    expect(others).toEqual([]);
  });

  it('is told of what a sub-agent asks', () => {
    const shell = reports(modelCalls(hooked(), delegation()), { pending: [request()] });
    expect(notices(shell)[0]?.input.callIds).toEqual(['s0.c0/s2.c0']);
  });

  it('is reminded once, when nobody has decided yet', () => {
    const shell = modelCalls(hooked(), gatedCall({}, { remindInMs: 60_000, expiresInMs: 120_000 })).advance(
      60_000,
    );
    expect(notices(shell).map(({ input }) => input.type)).toEqual([
      'decision_requested',
      'decision_reminder',
    ]);
    expect(lastOf(shell, 'decision_reminder')).toMatchObject({
      callId: 's0.c0',
      expiresAt: '2026-01-01T00:02:00.000Z',
    });
    expect(shell.timerAtMs).toBe(shell.nowMs + 60_000);
  });

  it('is not reminded of what was decided', () => {
    const shell = modelCalls(hooked(), gatedCall({}, { remindInMs: 60_000 }))
      .control('approve')
      .advance(60_000);
    expect(lastOf(shell, 'decision_reminder')).toBeUndefined();
  });

  it('that cannot be reached is on record, and the run goes on', () => {
    const shell = fails(modelCalls(hooked(), gatedCall()), 'n0');
    expect(lastOf(shell, 'webhook_failed')).toMatchObject({
      notice: 'decision_requested',
      code: 'WEBHOOK_FAILED',
    });
    expect(shell.state.notices).toEqual([]);
  });

  it('hears of the end before the run closes, which waits for no other notice and not without end', () => {
    const shell = modelCalls(hooked(), gatedCall()).control('reject');
    modelAnswers(shell, { text: 'Done.' });
    const last = notices(shell).at(-1);
    expect(last).toMatchObject({ input: { type: 'run_completed' }, isLast: true });
    expect(shell.closed).toBe(false);
    shell.advance(3_600_000);
    expect(shell.timerAtMs).toBeNull();
    expect(fails(shell, last?.key ?? '').closed).toBe(true);
    expect(shell.events.at(-1)?.type).toBe('run_completed');
  });

  it('is told nothing more of requests while fifty notices are under way, but of the end', () => {
    const shell = hooked();
    for (let step = 0; step < 60; step++) modelCalls(shell, gatedCall()).control('reject');
    expect(notices(shell)).toHaveLength(50);
    expect(notices(modelAnswers(shell, { text: 'Done.' })).at(-1)?.input.type).toBe('run_completed');
  });

  it('that fails after the run has closed brings no event after the last', () => {
    const shell = modelCalls(hooked(), gatedCall()).control('reject');
    modelAnswers(shell, { text: 'Done.' });
    fails(fails(shell, 'n1'), 'n0');
    expect(shell.events.at(-1)?.type).toBe('run_completed');
  });
});
