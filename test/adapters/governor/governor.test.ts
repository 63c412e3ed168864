import type { GovernorReport } from '../../../src/contract/governor.js';
import { newFleet, takeReport } from '../../../src/core/model/governor.js';
import {
  createLinkedGovernor,
  createLocalGovernor,
  keyFingerprint,
  type WorkerGovernor,
} from '../../../src/adapters/governor/governor.js';
import type { Governor, Permit, PermitEnd } from '../../../src/ports/governor.js';

const MODEL = 'stand-in/agent';
const settings = { initialLimit: 16, maxLimit: 1_000 };
const never = () => new AbortController().signal;

const governors: WorkerGovernor[] = [];
const used = <T extends WorkerGovernor>(governor: T): T => {
  governors.push(governor);
  return governor;
};

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  // What is under way then never ends, as its clock stands still.
  for (const governor of governors.splice(0)) void governor.close();
  jest.useRealTimers();
});

/** Calls at a governor, in the order in which they passed. */
class Calls {
  readonly passed: { name: number; atMs: number; permit: Permit }[] = [];
  private count = 0;
  private ended = 0;

  constructor(private readonly governor: Governor) {}

  ask(calls: number): void {
    for (let call = 0; call < calls; call += 1) {
      const name = this.count;
      this.count += 1;
      void this.governor.admit(MODEL, never()).then((permit) => {
        this.passed.push({ name, atMs: Date.now(), permit });
      });
    }
  }

  /** Ends the calls that passed first. */
  end(calls: number, how: PermitEnd = { kind: 'ok' }): void {
    const first = this.passed.slice(this.ended, this.ended + calls);
    this.ended += first.length;
    for (const { permit } of first) permit.end(how);
  }
}

const settled = () => jest.advanceTimersByTimeAsync(0);
const passing = (ms: number) => jest.advanceTimersByTimeAsync(ms);

/** The governor of a fleet, as its workflow would be, 20 ms away. */
class FleetInMemory {
  state = newFleet(settings);
  readonly reports: (GovernorReport & { atMs: number })[] = [];
  isReachable = true;
  hangs = false;

  readonly exchangeFor = () => async (report: GovernorReport) => {
    this.reports.push({ ...report, atMs: Date.now() });
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (this.hangs) await new Promise((_, reject) => setTimeout(() => reject(new Error('deadline')), 10_000));
    if (!this.isReachable) throw new Error('unreachable');
    const taken = takeReport(this.state, report, { atMs: Date.now(), settings });
    this.state = taken.state;
    await new Promise((resolve) => setTimeout(resolve, 10));
    return taken.reply;
  };
}

describe('a governor on its own', () => {
  it('lets the first calls through at once, and the others in order as calls end', async () => {
    const calls = new Calls(used(createLocalGovernor()));
    calls.ask(10);
    await settled();
    expect(calls.passed.map(({ name }) => name)).toEqual([0, 1, 2, 3]);
    calls.end(1, { kind: 'failed' });
    await settled();
    expect(calls.passed.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4]);
  });

  it('finds out how much a server takes that never refuses', async () => {
    const calls = new Calls(used(createLocalGovernor()));
    calls.ask(2_000);
    for (let round = 0; round < 9; round += 1) {
      await settled();
      calls.end(calls.passed.length);
    }
    expect(calls.passed.length).toBeGreaterThan(1_000);
  });

  it('keeps models apart', async () => {
    const governor = used(createLocalGovernor());
    const calls = new Calls(governor);
    calls.ask(4);
    await settled();
    calls.end(1, { kind: 'limited', retryAfterMs: 60_000 });
    expect(await governor.admit('another', never())).toBeDefined();
  });

  it('lets nobody through before the server wants it, then one after the other with half the limit', async () => {
    const calls = new Calls(used(createLocalGovernor({ random: () => 0.5 })));
    calls.ask(20);
    await settled();
    const refusedAtMs = Date.now();
    calls.end(1, { kind: 'limited', retryAfterMs: 8_000 });
    calls.end(3, { kind: 'failed' });
    await passing(60_000);
    const late = calls.passed.slice(4).map(({ atMs }) => atMs - refusedAtMs);
    // A quarter of the pause to come back in, from half of that on.
    expect(late[0]).toBeGreaterThanOrEqual(9_000);
    expect(late[0]).toBeLessThanOrEqual(9_010);
    expect(late[1]).toBeGreaterThanOrEqual(10_000);
    expect(late).toHaveLength(2);
  });

  it('counts an end of a call once', async () => {
    const calls = new Calls(used(createLocalGovernor()));
    calls.ask(10);
    await settled();
    const [first] = calls.passed;
    first?.permit.end({ kind: 'failed' });
    first?.permit.end({ kind: 'failed' });
    await settled();
    expect(calls.passed).toHaveLength(5);
  });

  it('keeps a process alive for calls that wait, and only for those', async () => {
    jest.useRealTimers();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const fleet = new FleetInMemory();
    const governor = used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor }));
    const permit = await governor.admit(MODEL, never());
    permit.end({ kind: 'limited', retryAfterMs: 60_000 });
    expect(timers()).toBe(before);
    const given = new AbortController();
    const waiting = governor.admit(MODEL, given.signal);
    expect(timers()).toBe(before + 1);
    given.abort();
    await expect(waiting).rejects.toBe(given.signal.reason);
    expect(timers()).toBe(before);
  });
});

describe('a call that is given up', () => {
  it('is refused at once with the reason, before and while it waits, and leaves its place to the next', async () => {
    const governor = used(createLocalGovernor());
    const calls = new Calls(governor);
    calls.ask(4);
    const given = new AbortController();
    const waiting = governor.admit(MODEL, given.signal);
    calls.ask(1);
    const reason = new Error('called off');
    given.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(governor.admit(MODEL, given.signal)).rejects.toBe(reason);
    calls.end(1);
    await settled();
    expect(calls.passed.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4]);
  });

  it('has no say any more once it has passed', async () => {
    const governor = used(createLocalGovernor());
    const given = new AbortController();
    const permit = await governor.admit(MODEL, given.signal);
    given.abort();
    permit.end({ kind: 'ok' });
    expect(await governor.admit(MODEL, never())).toBeDefined();
  });
});

describe('a worker of a fleet', () => {
  it('makes its first calls before it hears of the fleet, and the rest with its share', async () => {
    const fleet = new FleetInMemory();
    const calls = new Calls(used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor })));
    calls.ask(100);
    await settled();
    expect(calls.passed).toHaveLength(4);
    await passing(300);
    expect(calls.passed).toHaveLength(16);
    expect(fleet.reports).toEqual([
      expect.objectContaining({ inFlight: 4, want: 100, epoch: null, ok: 0, limited: false }),
    ]);
  });

  it('says nothing before its first call, little while it works, and nothing once it has nothing to do', async () => {
    const fleet = new FleetInMemory();
    const calls = new Calls(used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor })));
    await passing(600_000);
    expect(fleet.reports).toEqual([]);
    calls.ask(1);
    for (let second = 0; second < 120; second += 1) {
      await passing(1_000);
      calls.end(1);
      calls.ask(1);
    }
    expect(fleet.reports.length).toBeLessThanOrEqual(12);
    await settled();
    calls.end(1);
    await passing(20_000);
    const { length } = fleet.reports;
    expect(fleet.state.leases).toEqual({});
    await passing(3_600_000);
    expect(fleet.reports).toHaveLength(length);
  });

  it('reports once a second at most, however many calls are refused', async () => {
    const fleet = new FleetInMemory();
    const calls = new Calls(used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor })));
    calls.ask(10_000);
    for (let tick = 0; tick < 600; tick += 1) {
      await passing(100);
      calls.end(4, { kind: tick % 7 === 0 ? 'limited' : 'ok' });
    }
    const secondly = fleet.reports
      .slice(1)
      .map(({ atMs }, index) => atMs - (fleet.reports[index]?.atMs ?? 0));
    // The first one comes before it is known that the fleet is in want.
    expect(Math.min(...secondly.slice(1))).toBeGreaterThanOrEqual(1_000);
    expect(fleet.reports.length).toBeLessThanOrEqual(61);
  });

  it('hears of a pause that another worker was told', async () => {
    const fleet = new FleetInMemory();
    const [one, other] = [0, 1].map(
      () => new Calls(used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor }))),
    );
    one?.ask(30);
    other?.ask(30);
    await passing(5_000);
    const refusedAtMs = Date.now();
    one?.end(1, { kind: 'limited', retryAfterMs: 20_000 });
    await passing(3_000);
    const heardAtMs = Date.now();
    for (let tick = 0; tick < 50; tick += 1) {
      other?.end(1);
      one?.end(1);
      await passing(1_000);
    }
    const after = [...(one?.passed ?? []), ...(other?.passed ?? [])].filter(({ atMs }) => atMs > heardAtMs);
    expect(after.length).toBeGreaterThan(20);
    expect(Math.min(...after.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(refusedAtMs + 20_000);
  });

  it('shares the limit with the others, and everyone gets through', async () => {
    const fleet = new FleetInMemory();
    const workers = Array.from(
      { length: 5 },
      () => new Calls(used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor }))),
    );
    for (const worker of workers) worker.ask(100);
    const running = workers.map(() => 0);
    let most = 0;
    for (let second = 0; second < 300; second += 1) {
      await passing(1_000);
      const underWay = workers.reduce(
        (sum, { passed }, index) => sum + passed.length - (running[index] ?? 0),
        0,
      );
      // The workers start with four calls each, whatever the limit is.
      most = Math.max(most, underWay - fleet.state.throttle.limit);
      for (const [index, worker] of workers.entries()) {
        worker.end(worker.passed.length - (running[index] ?? 0), { kind: 'failed' });
        running[index] = worker.passed.length;
      }
    }
    expect(workers.map(({ passed }) => passed.length)).toEqual([100, 100, 100, 100, 100]);
    expect(most).toBeLessThanOrEqual(5 * 4);
  });

  it('works on its own while the fleet cannot be reached, is told once, and comes back to it', async () => {
    const fleet = new FleetInMemory();
    const onTrouble = jest.fn();
    const calls = new Calls(used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor, onTrouble })));
    fleet.isReachable = false;
    calls.ask(5_000);
    for (let second = 0; second < 60; second += 1) {
      await passing(1_000);
      calls.end(10);
    }
    expect(calls.passed.length).toBeGreaterThan(100);
    expect(onTrouble).toHaveBeenCalledTimes(1);
    expect(fleet.reports.length).toBeLessThan(12);
    fleet.isReachable = true;
    await passing(31_000);
    expect(Object.keys(fleet.state.leases)).toHaveLength(1);
  });

  it('goes on with its share while the fleet does not answer, and on its own when that has run out', async () => {
    const fleet = new FleetInMemory();
    const calls = new Calls(used(createLinkedGovernor({ exchangeFor: fleet.exchangeFor })));
    calls.ask(16);
    await passing(100);
    fleet.hangs = true;
    calls.ask(1_000);
    for (let second = 0; second < 120; second += 1) {
      await passing(1_000);
      calls.end(1);
    }
    expect(calls.passed.length).toBeGreaterThan(100);
  });

  it('lets everyone through and falls silent when it is closed, once its last report is through', async () => {
    const fleet = new FleetInMemory();
    const governor = createLinkedGovernor({ exchangeFor: fleet.exchangeFor, random: () => 0 });
    const calls = new Calls(governor);
    calls.ask(50);
    await passing(100);
    calls.end(1, { kind: 'limited', retryAfterMs: 60_000 });
    while (fleet.reports.length < 2) await passing(5);
    const onClosed = jest.fn();
    void governor.close().then(onClosed);
    calls.ask(50);
    await settled();
    expect(calls.passed).toHaveLength(100);
    expect(onClosed).not.toHaveBeenCalled();
    await passing(30);
    expect(onClosed).toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
    await passing(600_000);
    expect(fleet.reports).toHaveLength(2);
  });
});

describe('the fingerprint', () => {
  it('tells keys and servers apart, and not what they are', () => {
    const [a, b, c] = [
      keyFingerprint({ baseUrl: 'https://a.example', apiKey: 'sk-1' }),
      keyFingerprint({ baseUrl: 'https://a.example', apiKey: 'sk-2' }),
      keyFingerprint({ baseUrl: 'https://b.example', apiKey: 'sk-1' }),
    ];
    expect(new Set([a, b, c]).size).toBe(3);
    expect(a).toMatch(/^[0-9a-f]{12}$/);
  });
});
