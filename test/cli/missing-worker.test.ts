import type { WatchedEvent } from '../../src/client/run-handle.js';
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { toAgentError } from '../../src/client/errors.js';
import { AgentError } from '../../src/core/errors.js';
import { cli, event, resultOf } from './support.js';

const HINT =
  'No worker polls the task queue "longhaul", so r has not begun. Start one with: longhaul worker\n';
const STARTED = event({ type: 'run_started' });
const ENDED = event({ type: 'run_completed', seq: 1, result: resultOf() });

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => jest.useRealTimers());

/** A run that tells nothing more until it is released, watched by a command line. */
function watching(
  args: readonly string[],
  { told = [], question }: { told?: WatchedEvent[]; question: () => Promise<string | null> },
) {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const unpolledQueue = jest.fn(question);
  async function* events(): AsyncGenerator<WatchedEvent> {
    yield* told;
    await released;
    yield* [STARTED, ENDED].slice(told.length);
  }
  const ended = cli(args, { run: { events, unpolledQueue } });
  return { ended, release, unpolledQueue };
}

const nobody = async (): Promise<string | null> => 'longhaul';

describe('a run that no worker takes up', () => {
  it.each([
    [['start', 'x', '--wait']],
    [['start', 'x', '--wait', '--json']],
    [['start', 'x']],
    [['start', 'x', '--json']],
    [['watch', 'r']],
    [['watch', 'r', '--json', '--from', '1']],
  ])('is told of once on stderr, and changes nothing else: %j', async (args) => {
    const usual = watching(args, { question: nobody });
    usual.release();
    const expected = await usual.ended;
    const { ended, release, unpolledQueue } = watching(args, { question: nobody });
    await jest.advanceTimersByTimeAsync(4_900);
    expect(unpolledQueue).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(60_000);
    release();
    expect(await ended).toEqual({ ...expected, stderr: `${HINT}${expected.stderr}` });
    expect(expected.code).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is told of when the worker goes away only later, or the question has failed before', async () => {
    const answers = [
      async () => null,
      () => Promise.reject(new AgentError('TEMPORAL_UNREACHABLE', 'It is away.')),
    ];
    const { ended, release } = watching(['start', 'x', '--wait'], {
      question: () => (answers.shift() ?? nobody)(),
    });
    await jest.advanceTimersByTimeAsync(15_000);
    release();
    expect((await ended).stderr.startsWith(HINT)).toBe(true);
    expect(answers).toEqual([]);
  });
});

describe('a run with a worker', () => {
  it('is not told of while the worker prepares it', async () => {
    const { ended, release, unpolledQueue } = watching(['start', 'x', '--wait'], {
      question: async () => null,
    });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(unpolledQueue).toHaveBeenCalled();
    release();
    expect((await ended).stderr).not.toContain('No worker');
  });

  it('is not asked about any more once it has begun, however long it lasts', async () => {
    const { ended, release, unpolledQueue } = watching(['watch', 'r'], {
      told: [STARTED],
      question: nobody,
    });
    await jest.advanceTimersByTimeAsync(600_000);
    release();
    expect((await ended).stderr).toBe('');
    expect(unpolledQueue).not.toHaveBeenCalled();
  });

  it('is not told of when it begins while the question is under way', async () => {
    let answer = (_queue: string): void => undefined;
    let [begin, end] = [(): void => undefined, (): void => undefined];
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const over = new Promise<void>((resolve) => (end = resolve));
    async function* events(): AsyncGenerator<WatchedEvent> {
      await begun;
      yield STARTED;
      await over;
      yield ENDED;
    }
    const unpolledQueue = () => new Promise<string>((resolve) => (answer = resolve));
    const ended = cli(['watch', 'r'], { run: { events, unpolledQueue } });
    await jest.advanceTimersByTimeAsync(5_000);
    begin();
    await jest.advanceTimersByTimeAsync(0);
    answer('longhaul');
    await jest.advanceTimersByTimeAsync(0);
    end();
    expect((await ended).stderr).toBe('');
  });
});

describe('what is said to a run that no worker takes in', () => {
  const late = new WorkflowUpdateRPCTimeoutOrCancelledError('late', undefined as never);
  const away = Object.assign(new Error('14 refused'), { code: 14, details: 'refused', metadata: {} });

  it.each([[['say', 'r', 'hi']], [['pause', 'r']], [['resume', 'r']], [['approve', 'r', 's0.c0']]])(
    'has a hint to start a worker, not a server: %j',
    async (args) => {
      const refuse = (error: unknown) => async () => Promise.reject(toAgentError(error, 'r'));
      const answers = await Promise.all(
        [late, away].map((error) =>
          cli(args, {
            run: {
              say: refuse(error),
              pause: refuse(error),
              resume: refuse(error),
              approve: refuse(error),
            },
          }),
        ),
      );
      expect(answers.map(({ code }) => code)).toEqual([5, 5]);
      expect(answers.map(({ stderr }) => stderr.split('\nhint: ')[1])).toEqual([
        'Start a worker: `longhaul worker`.\n',
        'Start one with `longhaul dev`, or set TEMPORAL_ADDRESS.\n',
      ]);
    },
  );
});
