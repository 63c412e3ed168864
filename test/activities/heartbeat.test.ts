import { MockActivityEnvironment } from '@temporalio/testing';
import { HeartbeatPacer, type Tail } from '../../src/activities/heartbeat.js';
import { QUIET } from './support/activity-world.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Runs one activity for so long and returns what it beat, with the time of each beat. */
function begin(pacer: HeartbeatPacer, details: () => Tail, heartbeatTimeoutMs = 8_000) {
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs }, { logger: QUIET });
  const beats: { atMs: number; tail: Tail }[] = [];
  const startMs = Date.now();
  environment.on('heartbeat', (tail: Tail) => beats.push({ atMs: Date.now() - startMs, tail }));
  let end: (value: string) => void = () => undefined;
  const work = new Promise<string>((resolve) => {
    end = resolve;
  });
  return { beats, end, result: environment.run(() => pacer.during(details, () => work)) };
}

it('beats at once, and then, while nothing changes, as often as a cancellation has to be heard of within a second', async () => {
  const { beats, end, result } = begin(new HeartbeatPacer(), () => ({ attempt: 1 }));
  await jest.advanceTimersByTimeAsync(10_000);
  end('done');
  expect(await result).toBe('done');
  const gapsMs = beats.slice(1).map(({ atMs }, index) => atMs - (beats[index]?.atMs ?? 0));
  expect(beats[0]?.atMs).toBe(0);
  expect(new Set(gapsMs)).toEqual(new Set([600]));
  expect(beats.length).toBe(17);
});

it('beats five times a second while the text grows', async () => {
  let text = '';
  const { beats, end, result } = begin(new HeartbeatPacer(), () => ({ attempt: 1, text: (text += 'x') }));
  await jest.advanceTimersByTimeAsync(1_000);
  end('done');
  await result;
  expect(beats.map(({ atMs }) => atMs)).toEqual([0, 200, 400, 600, 800, 1_000]);
  expect(beats.at(-1)?.tail).toEqual({ attempt: 1, text: 'xxxxxx' });
});

it('beats in time for a short time-out', async () => {
  const { beats, end, result } = begin(new HeartbeatPacer(), () => ({ attempt: 1 }), 1_000);
  await jest.advanceTimersByTimeAsync(5_000);
  end('done');
  await result;
  const gapsMs = beats.slice(1).map(({ atMs }, index) => atMs - (beats[index]?.atMs ?? 0));
  expect(Math.max(...gapsMs)).toBeLessThan(1_000);
});

it('sends about a hundred beats a second over all activities of a worker, and each in time', async () => {
  const pacer = new HeartbeatPacer();
  let n = 0;
  const all = Array.from({ length: 200 }, () => begin(pacer, () => ({ attempt: 1, text: String((n += 1)) })));
  await jest.advanceTimersByTimeAsync(10_000);
  const before = all.reduce((sum, { beats }) => sum + beats.length, 0);
  await jest.advanceTimersByTimeAsync(10_000);
  const perSecond = (all.reduce((sum, { beats }) => sum + beats.length, 0) - before) / 10;
  for (const { end } of all) end('done');
  await Promise.all(all.map(({ result }) => result));
  expect(perSecond).toBeGreaterThan(80);
  expect(perSecond).toBeLessThan(120);
});

it('sends no more than that when all of them are silent, and each in time', async () => {
  const pacer = new HeartbeatPacer();
  const all = Array.from({ length: 150 }, () => begin(pacer, () => ({ attempt: 1 })));
  await jest.advanceTimersByTimeAsync(30_000);
  for (const { end } of all) end('done');
  await Promise.all(all.map(({ result }) => result));
  const times = all.map(({ beats }) => beats.map(({ atMs }) => atMs).filter((atMs) => atMs >= 10_000));
  expect(times.flat().length / 20).toBeLessThan(120);
  for (const own of times)
    for (const [index, atMs] of own.entries())
      expect(atMs - (own[index - 1] ?? atMs)).toBeLessThanOrEqual(3_200);
});

it('stops when the work ends, also when it ends badly', async () => {
  const pacer = new HeartbeatPacer();
  const environment = new MockActivityEnvironment({}, { logger: QUIET });
  let beats = 0;
  environment.on('heartbeat', () => (beats += 1));
  const broken = environment.run(() =>
    pacer.during(
      () => ({ attempt: 1 }),
      () => Promise.reject(new Error('broken')),
    ),
  );
  await expect(broken).rejects.toThrow('broken');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(beats).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
});
