import type { WatchedEvent } from '../../src/client/run-handle.js';
import { cli, event, resultOf } from './support.js';

const AT = '2026-01-01T00:00:00.000Z';

/** What `start --wait` says of a run that tells this before it ends. */
async function waiting(told: WatchedEvent[], flags: string[] = []) {
  async function* events(): AsyncGenerator<WatchedEvent> {
    yield* [event({ type: 'run_started' }), ...told, event({ type: 'run_completed', result: resultOf() })];
  }
  return cli(['start', 'x', '--wait', ...flags], { run: { events } });
}

const failedUntil = (retryAt: string | null, fields: { message?: string } = {}): WatchedEvent =>
  event({ type: 'model_failed', at: AT, message: 'The server is away.', retryAt, ...fields });

describe('start --wait of a run that waits out an outage', () => {
  const LINE =
    'It waits until 2026-01-01T00:01:00.000Z (to try now: longhaul resume r). MODEL_UNAVAILABLE from m: The server is away.\n';

  it.each([[[]], [['--json']]])('says so in one line on stderr, and nothing on stdout: %j', async (flags) => {
    const usual = await waiting([], flags);
    const { stderr, ...rest } = await waiting([failedUntil('2026-01-01T00:01:00.000Z')], flags);
    const begun = 'r is under way.\n';
    expect(stderr).toBe(`${begun}${LINE}${usual.stderr.slice(begun.length)}`);
    expect(rest).toEqual({ code: usual.code, stdout: usual.stdout });
  });

  it.each([
    ['is tried again within the minute', '2026-01-01T00:00:59.999Z'],
    ['is not tried again', null],
  ])('says nothing of a call that %s', async (_what, retryAt) => {
    expect(await waiting([failedUntil(retryAt)])).toEqual(await waiting([]));
  });

  it('keeps to one printable line, whatever the server says', async () => {
    const { stderr } = await waiting([
      failedUntil('2026-01-01T01:00:00.000Z', { message: 'gone\n\u001b[2Jaway' }),
    ]);
    expect(stderr).toContain(' from m: gone \\x1b[2Jaway\n');
  });
});

describe('start --wait of a run that is paused', () => {
  it.each<[string, WatchedEvent, string]>([
    [
      'for want of credit',
      event({ type: 'run_paused', reason: 'payment', message: 'No credit.' }),
      'It is paused for want of credit: No credit. (to go on: longhaul resume r)\n',
    ],
    [
      'because somebody asked',
      event({ type: 'run_paused', reason: 'asked', by: 'ann', message: null }),
      'It is paused by ann (to go on: longhaul resume r)\n',
    ],
  ])('says on stderr that it is, %s', async (_why, paused, line) => {
    const usual = await waiting([]);
    const { stdout, stderr } = await waiting([paused]);
    expect(stdout).toBe(usual.stdout);
    expect(stderr).toContain(`r is under way.\n${line}`);
  });
});
