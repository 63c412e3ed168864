import { view } from '../../../src/core/view.js';
import {
  argsChecked, eventsOf, gatedCall, lastOf, modelCalls, modelKey, refusal, resultObject, running, underWay,
} from '../support/run.js'; // prettier-ignore

const MINUTE_MS = 60_000;

describe('a decision that nobody takes in time', () => {
  const expiring = (onExpiry?: 'deny' | 'land', expiresInMs = MINUTE_MS) =>
    modelCalls(running(), gatedCall({}, { expiresInMs, ...(onExpiry && { onExpiry }) }));

  it('stays open where the tool says nothing else', () => {
    const shell = expiring();
    expect(view(shell.state).pending[0]?.expiresAt).toBe('2026-01-01T00:01:00.000Z');
    shell.awaitTimer();
    expect(view(shell.state).pending).toMatchObject([{ callId: 's0.c0', expiresAt: null }]);
    expect(shell.timerAtMs).toBeNull();
    expect(underWay(shell.control('approve'))).toEqual(['s0.c0']);
  });

  it('is a no where the tool says `deny`, and the run goes on', () => {
    const shell = expiring('deny').awaitTimer();
    expect(lastOf(shell, 'decision_made')).toMatchObject({
      callId: 's0.c0',
      decision: 'expired',
      by: null,
      note: null,
    });
    expect(resultObject(shell)).toMatchObject({
      status: 'rejected',
      message: expect.stringContaining('Nobody decided'),
    });
    expect(modelKey(shell)).toBe('s1.m0');
  });

  it('ends the run where the tool says `land`, in words that blame nobody', () => {
    const shell = expiring('land').awaitTimer();
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'stopped', limit: null });
    expect(shell.state.transcript.at(-1)?.content).toMatch(/^Nobody decided in time/);
    expect(shell.state.transcript.at(-1)?.content).not.toContain('A human asked');
  });

  it.each(['deny', 'land'] as const)(
    'comes too late when it comes with the expiry, heard or not: %s',
    (onExpiry) => {
      const shell = expiring(onExpiry);
      shell.nowMs += MINUTE_MS;
      shell.control('approve', { callId: 's0.c0' });
      expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
      expect(refusal(shell)).toMatch(/^CALL_NOT_/);
    },
  );

  it('is in time one millisecond before', () => {
    const shell = expiring('deny')
      .advance(MINUTE_MS - 1)
      .control('approve');
    expect(underWay(shell)).toEqual(['s0.c0']);
    expect(shell.timerAtMs).toBeNull();
  });

  it('expires while its edited arguments are checked, and does not run after that', () => {
    const shell = expiring('deny')
      .control('decide', { decision: 'approve', args: { n: 2 } })
      .awaitTimer();
    argsChecked(shell, { ok: true, args: '{"n":2}', argsHash: 'sha256:two' });
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
    expect(resultObject(shell)).toMatchObject({ status: 'rejected' });
  });

  it('expires though the run is paused', () => {
    const shell = expiring('deny').control('pause').awaitTimer();
    expect(view(shell.state).pending).toEqual([]);
    expect([view(shell.state).status, underWay(shell)]).toEqual(['paused', []]);
  });

  it('may lie beyond what a date can be', () => {
    expect(() => expiring('deny', 1e17)).not.toThrow();
  });

  it('settles each call once when several expire together', () => {
    const shell = modelCalls(
      running(),
      gatedCall({}, { expiresInMs: 10, onExpiry: 'land' }),
      gatedCall({}, { expiresInMs: 10, onExpiry: 'deny' }),
    ).awaitTimer();
    const about = shell.events.filter((event) => 'callId' in event && event.callId === 's0.c1');
    expect(about.map(({ type }) => type)).toEqual(['decision_requested', 'tool_completed']);
  });
});
