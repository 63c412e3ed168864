import fc from 'fast-check';
import {
  isGovernorReport,
  newFleet,
  takeReport,
  type FleetState,
  type GovernorReply,
  type GovernorReport,
} from '../../../src/core/model/governor.js';
import { deepFreeze } from '../support/freeze.js';

const settings = { initialLimit: 64, maxLimit: 1_000 };

/** A worker that keeps to its share. */
interface SimulatedWorker {
  name: string;
  reply: GovernorReply | null;
  inFlight: number;
  waiting: number;
  servedAtRound: number;
}

/** Workers and their governor, a step after the other. */
class Fleet {
  state: FleetState;
  atMs = 0;
  readonly workers: SimulatedWorker[];

  constructor(workers: number, limit = settings.initialLimit) {
    this.state = deepFreeze(newFleet({ ...settings, initialLimit: limit }));
    this.workers = Array.from({ length: workers }, (_, index) => ({
      name: `w${index}`,
      reply: null,
      inFlight: 0,
      waiting: 0,
      servedAtRound: -1,
    }));
  }

  worker(index: number): SimulatedWorker {
    const worker = this.workers[index % this.workers.length];
    if (!worker) throw new Error('A fleet has workers.');
    return worker;
  }

  report(worker: SimulatedWorker, more: Partial<GovernorReport> = {}): GovernorReply {
    const { name, inFlight, waiting, reply } = worker;
    const report: GovernorReport = {
      worker: name,
      inFlight,
      want: inFlight + waiting,
      epoch: reply?.epoch ?? null,
      ok: 0,
      limited: false,
      retryAfterMs: null,
      ...more,
    };
    if (!isGovernorReport(report)) throw new Error('The report is none.');
    const taken = takeReport(this.state, report, { atMs: this.atMs, settings });
    this.state = deepFreeze(taken.state);
    worker.reply = taken.reply;
    return taken.reply;
  }

  /** Lets through what the share allows. */
  admit(worker: SimulatedWorker): void {
    const admitted = Math.min(worker.waiting, Math.max(0, (worker.reply?.share ?? 0) - worker.inFlight));
    worker.inFlight += admitted;
    worker.waiting -= admitted;
  }

  get held(): number {
    return Object.values(this.state.leases).reduce(
      (sum, { share, inFlight }) => sum + Math.max(share, inFlight),
      0,
    );
  }

  get underWay(): number {
    return this.workers.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }
}

const step = fc.record({
  worker: fc.nat(5),
  passedMs: fc.nat(3_000),
  arriving: fc.nat(80),
  ending: fc.nat(80),
  ok: fc.boolean(),
  limited: fc.integer({ min: 0, max: 9 }).map((die) => die === 0),
  retryAfterMs: fc.option(fc.nat(20_000), { freq: 5 }),
});

describe('the shares of a fleet', () => {
  it('never sum up to more than the limit, but for calls that were under way before a cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80 }), (size, steps) => {
        const fleet = new Fleet(size);
        for (const { worker: index, passedMs, arriving, ending, ok, limited, retryAfterMs } of steps) {
          fleet.atMs += passedMs;
          const worker = fleet.worker(index);
          const ended = Math.min(ending, worker.inFlight);
          worker.inFlight -= ended;
          worker.waiting += arriving;
          const heldBefore = fleet.held;
          const { limit: limitBefore, epoch } = fleet.state.throttle;
          fleet.report(worker, { ok: ok ? ended : 0, limited, retryAfterMs });
          const { throttle } = fleet.state;
          expect(fleet.held).toBeLessThanOrEqual(Math.max(throttle.limit, heldBefore));
          if (limited) expect(throttle.limit).toBeLessThanOrEqual(limitBefore);
          expect(throttle.epoch - epoch).toBeLessThanOrEqual(limited ? 1 : 0);
          fleet.admit(worker);
        }
      }),
    );
  });

  it('let no more calls pass than the limit while nothing is refused and leases hold', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80 }), (size, steps) => {
        const fleet = new Fleet(size, 10);
        for (const { worker: index, arriving, ending } of steps) {
          const worker = fleet.worker(index);
          worker.inFlight -= Math.min(ending, worker.inFlight);
          worker.waiting += arriving;
          fleet.report(worker);
          fleet.admit(worker);
          expect(fleet.underWay).toBeLessThanOrEqual(10);
        }
      }),
    );
  });

  it('are as large as what is wanted, and some more, while there is enough', () => {
    const fleet = new Fleet(3);
    for (const worker of fleet.workers) worker.waiting = 10;
    for (const worker of fleet.workers) expect(fleet.report(worker).share).toBeGreaterThanOrEqual(10);
    expect(fleet.held).toBeLessThan(64);
  });

  it('are equal where more is wanted than there is', () => {
    const fleet = new Fleet(4);
    fleet.worker(0).waiting = 4;
    for (const worker of fleet.workers.slice(1)) worker.waiting = 500;
    for (let round = 0; round < 3; round += 1) for (const worker of fleet.workers) fleet.report(worker);
    expect(fleet.workers.map(({ reply }) => reply?.share)).toEqual([4, 20, 20, 20]);
  });

  it('come back from a worker that was killed', () => {
    const fleet = new Fleet(2);
    const [killed, other] = [fleet.worker(0), fleet.worker(1)];
    killed.waiting = 500;
    other.waiting = 500;
    const { share, leaseMs } = fleet.report(killed);
    expect(share).toBe(64);
    expect(fleet.report(other).share).toBe(0);
    fleet.atMs += leaseMs;
    expect(fleet.report(other).share).toBe(64);
  });

  it('are handed back by a worker that has nothing to do', () => {
    const fleet = new Fleet(1);
    fleet.worker(0).waiting = 5;
    fleet.report(fleet.worker(0));
    fleet.worker(0).waiting = 0;
    expect(fleet.report(fleet.worker(0)).share).toBe(0);
    expect(fleet.state.leases).toEqual({});
  });

  // Each worker makes one call at a time as long as it may, and reports once a round.
  it('go round where there are more workers than calls allowed, so that none starves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        (size, limit, callRounds) => {
          const fleet = new Fleet(size, limit);
          for (const worker of fleet.workers) worker.waiting = 10_000;
          const started = new Map<SimulatedWorker, number[]>(fleet.workers.map((worker) => [worker, []]));
          const longestWait = (size + 2) * (callRounds + 3);
          let [longest, most] = [0, 0];
          for (let round = 0; round < 3 * longestWait; round += 1) {
            fleet.atMs += 1_000;
            for (const worker of fleet.workers) {
              const calls = (started.get(worker) ?? []).filter((at) => round - at < callRounds);
              worker.inFlight = calls.length;
              fleet.report(worker);
              fleet.admit(worker);
              started.set(worker, [...calls, ...Array<number>(worker.inFlight - calls.length).fill(round)]);
              if (worker.inFlight > calls.length) worker.servedAtRound = round;
              longest = Math.max(longest, round - worker.servedAtRound);
            }
            most = Math.max(most, fleet.underWay);
          }
          expect(longest).toBeLessThanOrEqual(longestWait);
          expect(most).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a pause', () => {
  it('is told to everybody for as long as it lasts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 300_000 }), fc.nat(300_000), (retryAfterMs, laterMs) => {
        const fleet = new Fleet(2);
        fleet.worker(0).waiting = 1;
        fleet.worker(1).waiting = 1;
        fleet.report(fleet.worker(0));
        expect(fleet.report(fleet.worker(0), { limited: true, retryAfterMs }).pauseMs).toBe(retryAfterMs);
        fleet.atMs += laterMs;
        expect(fleet.report(fleet.worker(1)).pauseMs).toBe(Math.max(0, retryAfterMs - laterMs));
      }),
    );
  });

  it('without a word of the server is told only for what was let through after the last cut', () => {
    const fleet = new Fleet(2);
    for (const worker of fleet.workers) worker.waiting = 50;
    for (const worker of fleet.workers) fleet.report(worker);
    expect(fleet.report(fleet.worker(0), { limited: true })).toMatchObject({
      epoch: 1,
      limit: 32,
      pauseMs: 1_000,
    });
    fleet.atMs += 400;
    expect(fleet.report(fleet.worker(1), { limited: true })).toMatchObject({
      epoch: 1,
      limit: 32,
      pauseMs: 600,
    });
  });

  it('spares the fleet another cut for a worker that came while it lasted', () => {
    const fleet = new Fleet(2);
    fleet.worker(0).waiting = 50;
    fleet.report(fleet.worker(0));
    fleet.report(fleet.worker(0), { limited: true });
    expect(fleet.report(fleet.worker(1), { limited: true, want: 1 }).limit).toBe(32);
    fleet.worker(1).reply = null;
    fleet.atMs += 2_000;
    expect(fleet.report(fleet.worker(1), { limited: true, want: 1 }).limit).toBe(16);
  });
});

describe('reports', () => {
  it('are few from a worker that has enough, and one a second from one in want', () => {
    const fleet = new Fleet(1);
    const worker = fleet.worker(0);
    worker.waiting = 5;
    expect(fleet.report(worker).renewMs).toBe(2_000);
    expect(fleet.report(worker)).toMatchObject({ renewMs: 15_000, leaseMs: 45_000 });
    worker.waiting = 500;
    expect(fleet.report(worker)).toMatchObject({ gapMs: 1_000, renewMs: 2_000, leaseMs: 10_000 });
  });

  it('come from a large fleet at 20 a second', () => {
    const fleet = new Fleet(200);
    for (const worker of fleet.workers) {
      worker.waiting = 10;
      fleet.report(worker);
    }
    expect(fleet.report(fleet.worker(7)).gapMs).toBe(10_000);
  });

  it('make the limit grow while the fleet uses it up', () => {
    const fleet = new Fleet(2);
    for (const worker of fleet.workers) worker.waiting = 500;
    for (const worker of fleet.workers) fleet.report(worker);
    expect(fleet.report(fleet.worker(0), { ok: 64 }).limit).toBe(128);
    const few = new Fleet(1);
    few.worker(0).waiting = 3;
    few.report(few.worker(0));
    expect(few.report(few.worker(0), { ok: 64 }).limit).toBe(64);
  });

  it('of calls from before a cut do not count as success after it', () => {
    const fleet = new Fleet(2);
    for (const worker of fleet.workers) worker.waiting = 500;
    for (const worker of fleet.workers) fleet.report(worker);
    fleet.report(fleet.worker(0), { limited: true });
    expect(fleet.report(fleet.worker(1), { ok: 500 }).limit).toBe(32);
  });

  it.each([
    undefined,
    null,
    'report',
    {},
    { worker: 'w', inFlight: -1, want: 0, epoch: 0, ok: 0, limited: false, retryAfterMs: null },
    { worker: 'w', inFlight: 1.5, want: 0, epoch: 0, ok: 0, limited: false, retryAfterMs: null },
    { worker: 'w', inFlight: 1, want: 2e9, epoch: 0, ok: 0, limited: false, retryAfterMs: null },
    { worker: 'w', inFlight: 1, want: 0, epoch: 'x', ok: 0, limited: false, retryAfterMs: null },
    { worker: 'w', inFlight: 1, want: 0, epoch: 0, ok: 0, limited: false },
    { worker: 'w', inFlight: 1, want: 0, epoch: 0, ok: 0, limited: 1, retryAfterMs: null },
    { worker: 'w'.repeat(65), inFlight: 1, want: 0, epoch: 0, ok: 0, limited: false, retryAfterMs: null },
  ])('are not taken for such when they look like %j', (value) => {
    expect(isGovernorReport(value)).toBe(false);
  });
});
