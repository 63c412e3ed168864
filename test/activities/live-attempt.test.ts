import { ActivityCancelledError, ActivityNotFoundError } from '@temporalio/client';
import { LiveAttempt } from '../../src/activities/live-attempt.js';
import { environmentOf, FakeRun } from './support/activity-world.js';

/** What is on record meanwhile, and what is true at the worst. */
const SAID = { details: { attempt: 1 }, worst: { attempt: 1, sent: true as const } };

const aliveAtMs = async (heartbeatTimeoutMs: number | undefined, forMs: number): Promise<number[]> => {
  const run = new FakeRun();
  const atMs: number[] = [];
  const startMs = Date.now();
  run.hear = () => atMs.push(Date.now() - startMs);
  const result = environmentOf(run, heartbeatTimeoutMs === undefined ? {} : { heartbeatTimeoutMs }).run(() =>
    new LiveAttempt().during(SAID, () => new Promise((resolve) => setTimeout(resolve, forMs))),
  );
  await jest.advanceTimersByTimeAsync(forMs);
  await result;
  return atMs;
};

describe('while it gets ready', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('says that it is alive three times in each heartbeat time-out, and soon hears that it is called off', async () => {
    expect(await aliveAtMs(1_000, 1_000)).toEqual([300, 600, 900]);
    expect(await aliveAtMs(undefined, 2_000)).toEqual([600, 1_200, 1_800]);
  });

  it('says no more once it is ready, or has failed to get ready', async () => {
    const run = new FakeRun();
    const environment = environmentOf(run, { heartbeatTimeoutMs: 1_000 });
    await environment.run(() => new LiveAttempt().during(SAID, async () => undefined));
    const broken = environment.run(() =>
      new LiveAttempt().during(SAID, () => Promise.reject(new Error('broken'))),
    );
    await expect(broken).rejects.toThrow('broken');
    expect(jest.getTimerCount()).toBe(0);
    expect(run.told).toEqual([]);
  });

  it('goes on when nobody hears it', async () => {
    const run = new FakeRun();
    run.hear = () => Promise.reject(new ActivityNotFoundError('Not found'));
    const result = environmentOf(run, { heartbeatTimeoutMs: 1_000 }).run(() =>
      new LiveAttempt().during(SAID, () => new Promise((resolve) => setTimeout(resolve, 900, 'ready'))),
    );
    await jest.advanceTimersByTimeAsync(900);
    expect(await result).toBe('ready');
  });

  it('lets the SDK hear of a cancellation that it was told of', async () => {
    const run = new FakeRun();
    run.hear = () => Promise.reject(new ActivityCancelledError('Cancelled'));
    const environment = environmentOf(run, { heartbeatTimeoutMs: 1_000 });
    environment.on('heartbeat', () => environment.cancel('CANCELLED'));
    const signal = environment.context.cancellationSignal;
    const result = environment.run(() =>
      new LiveAttempt().during(
        SAID,
        () =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ),
    );
    const ending = expect(result).rejects.toMatchObject({ message: 'CANCELLED' });
    await jest.advanceTimersByTimeAsync(300);
    await ending;
  });
});

describe('a word', () => {
  it('reaches the server only after those before it, also after one that failed', async () => {
    const run = new FakeRun();
    const heard: unknown[] = [];
    let refuseFirst: () => void = () => undefined;
    run.hear = (details) => {
      heard.push(details);
      if (heard.length > 1) return undefined;
      return new Promise((_, reject) => {
        refuseFirst = () => reject(new Error('Unavailable'));
      });
    };
    await environmentOf(run).run(async () => {
      const live = new LiveAttempt();
      const first = live.tell({ attempt: 1 }).catch(() => 'refused');
      const second = live.tell({ attempt: 1, sent: true });
      await new Promise((resolve) => setImmediate(resolve));
      expect(heard).toEqual([{ attempt: 1 }]);
      refuseFirst();
      expect(await first).toBe('refused');
      await second;
    });
    expect(run.told).toEqual([{ attempt: 1, sent: true }]);
  });

  it('is refused as it is when the server cannot take it', async () => {
    const run = new FakeRun();
    const trouble = new Error('Unavailable');
    run.hear = () => Promise.reject(trouble);
    await expect(environmentOf(run).run(() => new LiveAttempt().tell({ attempt: 1 }))).rejects.toBe(trouble);
  });
});

it('is heard as long as every word was taken in', async () => {
  const run = new FakeRun();
  await environmentOf(run).run(async () => {
    const live = new LiveAttempt();
    await live.tell({ attempt: 1 });
    expect(live.isHeard).toBe(true);
    run.hear = () => Promise.reject(new Error('Deadline exceeded'));
    await expect(live.tell({ attempt: 1 })).rejects.toThrow('Deadline exceeded');
    run.hear = () => undefined;
    await live.tell({ attempt: 1 });
    expect(live.isHeard).toBe(false);
  });
});

it.each(['MODEL_UNAVAILABLE', 'TOOL_FAILED'] as const)(
  'says that its place was taken in words of its kind: %s',
  async (code) => {
    const run = new FakeRun();
    run.hear = () => Promise.reject(new ActivityNotFoundError('Not found'));
    const told = environmentOf(run).run(() => new LiveAttempt(code).tell({ attempt: 1 }));
    await expect(told).rejects.toMatchObject({ code, retryable: true });
  },
);
