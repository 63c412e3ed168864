import { PassThrough } from 'node:stream';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliContext, Run } from '../../src/cli/context.js';
import type { WatchedEvent } from '../../src/client/run-handle.js';
import { AgentError } from '../../src/core/errors.js';
import { cli, event, resultOf } from './support.js';

describe('start', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'longhaul-session-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** What a command line starts a run with. */
  async function inputOf(
    flags: readonly string[],
    { file = {}, context = {} }: { file?: object; context?: Partial<CliContext> } = {},
  ): Promise<unknown> {
    const path = join(dir, 'input.json');
    writeFileSync(path, JSON.stringify({ goal: 'x', ...file }));
    let input: unknown;
    const start = async (given: unknown): Promise<never> => {
      input = given;
      throw new AgentError('RUN_EXISTS', 'there');
    };
    await cli(['start', '--input', path, ...flags], { runs: { start }, context });
    return input;
  }

  it.each([
    [['--session'], {}, true],
    [['--session', '--idle', '2h'], {}, { idleMs: 7_200_000 }],
    [['--session'], { session: { idleMs: 5 } }, { idleMs: 5 }],
    [['--session'], { session: false }, true],
    [['--idle', '90m'], { session: true }, { idleMs: 5_400_000 }],
    [[], { session: true }, true],
    [[], {}, undefined],
  ])('%j with %j in the file starts a session %j', async (flags, file, session) => {
    expect(Object(await inputOf(flags, { file })).session).toEqual(session);
  });

  it('hands on the webhook, the taint policy and who asks for the run', async () => {
    expect(
      await inputOf(['--webhook', 'https://x.example/y', '--taint', 'off', '--requested-by', 'Ada']),
    ).toEqual({ goal: 'x', webhookUrl: 'https://x.example/y', taint: 'off', requestedBy: 'Ada' });
  });

  it.each([
    ['the file', { file: { requestedBy: 'Bob' } }, 'Bob'],
    ['the system', {}, 'tester'],
    ['nobody', { context: { userName: undefined } as never }, undefined],
  ])('takes it from %s who asks for the run when no flag says it', async (_who, parts, expected) => {
    expect(Object(await inputOf([], parts)).requestedBy).toBe(expected);
  });
});

/** Events that a test gives out one by one. */
class Events {
  private readonly waiting: WatchedEvent[] = [];
  private wake = (): void => undefined;
  private seq = 0;
  private isOver = false;

  add(...events: Parameters<typeof event>[0][]): void {
    for (const fields of events) this.waiting.push(event({ ...fields, seq: this.seq++ } as typeof fields));
    this.wake();
  }

  end(): void {
    this.isOver = true;
    this.wake();
  }

  async *events({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<WatchedEvent> {
    signal?.addEventListener('abort', () => this.wake());
    while (!signal?.aborted) {
      const next = this.waiting.shift();
      if (next) yield next;
      else if (this.isOver) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

/** A run that is watched on a terminal. */
function watchOnTerminal(parts: Partial<Run> = {}) {
  const events = new Events();
  const said: unknown[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
  let text = '';
  let onText = (): void => undefined;
  let onSaid = (): void => undefined;
  stdout.on('data', (data) => {
    text += String(data);
    onText();
  });
  const note =
    (name: string) =>
    async (...args: unknown[]): Promise<never> => {
      said.push([name, ...args]);
      onSaid();
      // What a run answers means nothing to a terminal.
      return undefined as never;
    };
  const run: Partial<Run> = {
    events: (options) => events.events(options),
    say: note('say'),
    approve: note('approve'),
    answer: note('answer'),
    reject: note('reject'),
    ...parts,
  };
  // Plain streams take the place of a terminal's.
  const context = { stdin, stdout } as unknown as Partial<CliContext>;
  const ended = cli(['start', 'x'], { run, context });
  return {
    events,
    said,
    ended,
    /** Waits until something was said to the run. */
    sent: (): Promise<void> => new Promise((resolve) => (said.length > 0 ? resolve() : (onSaid = resolve))),
    type: (keys: string) => void stdin.write(keys),
    screen: () => text,
    /** Waits until the text has been written so many times. */
    saw: (part: string, times = 1): Promise<void> =>
      new Promise((resolve) => {
        onText = () => void (text.split(part).length > times && resolve());
        onText();
      }),
  };
}

const ASKED = 'your next message';
const turn = { type: 'turn_completed', answer: 'Blue.' } as const;

describe('a session on a terminal', () => {
  it('asks for the next message after each answer, and is left waiting by an empty one', async () => {
    const { events, said, ended, type, saw, sent, screen } = watchOnTerminal();
    events.add({ type: 'run_started' }, turn);
    await saw(ASKED);
    type('How are you?\n');
    await sent();
    events.add({ type: 'message_accepted' }, { ...turn, answer: 'Fine.' });
    await saw('Fine.');
    await saw(ASKED, 2);
    expect(said).toEqual([['say', 'How are you?', { by: 'tester' }]]);
    type('\n');
    expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining('longhaul say r "TEXT"') });
    expect(screen()).not.toContain('longhaul say r');
    expect(said).toHaveLength(1);
  });

  it('is left waiting by Ctrl-D, and interrupted by Ctrl-C', async () => {
    const left = watchOnTerminal();
    left.events.add({ type: 'run_started' }, turn);
    await left.saw(ASKED);
    left.type('\u0004');
    expect(await left.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('longhaul watch r') });
    const interrupted = watchOnTerminal();
    interrupted.events.add({ type: 'run_started' }, turn);
    await interrupted.saw(ASKED);
    interrupted.type('\u0003');
    expect((await interrupted.ended).code).toBe(130);
  });

  it('is left at its answer by whoever had taken leave before', async () => {
    const { events, ended, type, saw } = watchOnTerminal();
    events.add({ type: 'run_started' }, { type: 'decision_requested' });
    await saw('[a]pprove');
    type('\u0004');
    events.add({ type: 'decision_made' }, turn);
    expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining('waits for the next') });
  });

  it('takes pasted lines as one message', async () => {
    const { events, said, type, saw, sent, ended } = watchOnTerminal();
    events.add({ type: 'run_started' }, turn);
    await saw(ASKED);
    type('one\n\ntwo\nthr');
    type('ee\n');
    await sent();
    events.add({ type: 'message_accepted' }, turn);
    await saw(ASKED, 2);
    expect(said).toEqual([['say', 'one\n\ntwo\nthree', { by: 'tester' }]]);
    type('\n');
    await ended;
  });

  it('asks no more once somebody else has said something, and ends with the run', async () => {
    const { events, said, ended, type, saw } = watchOnTerminal();
    events.add({ type: 'run_started' }, turn);
    await saw(ASKED);
    events.add({ type: 'message_accepted', by: 'Bob' });
    await saw('by Bob');
    type('too late\n');
    events.add({ type: 'run_completed', result: resultOf({ answer: 'Blue.' }) });
    events.end();
    expect((await ended).code).toBe(0);
    expect(said).toEqual([]);
  });

  it('asks again when the message could not be sent', async () => {
    let tries = 0;
    const say = async (): Promise<never> => {
      tries += 1;
      throw new AgentError('TEMPORAL_UNREACHABLE', 'The server is away.');
    };
    const { events, ended, type, saw } = watchOnTerminal({ say });
    events.add({ type: 'run_started' }, turn);
    await saw(ASKED);
    type('hello\n');
    await saw('The server is away.');
    await saw(ASKED, 2);
    type('\n');
    await ended;
    expect(tries).toBe(1);
  });
});

describe('a decision on a terminal', () => {
  const asked = { type: 'decision_requested', tool: 'pay', argsHash: 'sha256:a' } as const;

  it('approves the tool for the rest of the run, bound to the arguments that were shown', async () => {
    const { events, said, ended, type, saw, sent } = watchOnTerminal();
    events.add({ type: 'run_started' }, asked);
    await saw('[e]very pay from now on');
    type('e\n');
    await sent();
    events.add({ type: 'decision_made', scope: 'run' }, { type: 'run_completed' });
    events.end();
    await ended;
    expect(said).toEqual([['approve', 's0.c0', { by: 'tester', argsHash: 'sha256:a', scope: 'run' }]]);
  });

  it('asks for sub-agents too, one after the other by name, and no more when they have ended', async () => {
    const { events, said, ended, type, saw, screen } = watchOnTerminal();
    events.add(
      { type: 'run_started' },
      { ...asked, callId: 's0.c0/s1.c0' },
      { ...asked, callId: 's0.c1/s1.c0' },
      { ...asked, callId: 's0.c2/s1.c0' },
    );
    await saw('s0.c0/s1.c0: [a]pprove');
    type('a\n');
    await saw('s0.c1/s1.c0: [a]pprove');
    events.add({ type: 'tool_completed', callId: 's0.c2' }, { type: 'tool_completed', callId: 's0.c1' });
    events.add({ type: 'run_completed' });
    events.end();
    await ended;
    expect(said).toEqual([['approve', 's0.c0/s1.c0', { by: 'tester', argsHash: 'sha256:a' }]]);
    expect(screen()).not.toContain('s0.c2/s1.c0: [a]pprove');
  });

  it('asks once about a call that is asked about again, and says how to sign where that is wanted', async () => {
    const approve = async (): Promise<never> => {
      throw new AgentError('SIGNATURE_REQUIRED', 'This run takes signed decisions only.');
    };
    const { events, ended, type, saw } = watchOnTerminal({ approve });
    events.add({ type: 'run_started' }, asked, asked);
    await saw('[a]pprove');
    type('a\n');
    await saw('longhaul approve r s0.c0 --sign KEYFILE');
    events.add(turn);
    await saw(ASKED);
    type('\n');
    expect((await ended).code).toBe(0);
  });
});
