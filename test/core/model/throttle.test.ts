import fc from 'fast-check';
import {
  afterRefusal,
  afterSuccesses,
  newThrottle,
  openPart,
  opensAtMs,
  planComeback,
  type Throttle,
} from '../../../src/core/model/throttle.js';
import { deepFreeze } from '../support/freeze.js';

const maxLimit = 1_000;
const fresh = (limit = 64) => deepFreeze(newThrottle({ limit, maxLimit }));
const refused = (throttle: Throttle, more: Partial<Parameters<typeof afterRefusal>[1]> = {}) =>
  afterRefusal(throttle, { atMs: 1_000, epoch: throttle.epoch, retryAfterMs: null, ...more });

describe('after a refusal', () => {
  it('halves the limit once for all calls that were let through before', () => {
    const cut = refused(fresh());
    expect(cut.limit).toBe(32);
    expect(refused(cut, { epoch: 0 })).toEqual(cut);
    expect(refused(cut).limit).toBe(16);
  });

  it('never goes below one call', () => {
    expect(refused(fresh(1)).limit).toBe(1);
  });

  it('waits as long as the server asks, also where the refusal is old', () => {
    const cut = refused(fresh(), { retryAfterMs: 7_000 });
    expect(cut.notBeforeMs).toBe(8_000);
    expect(refused(cut, { epoch: 0, retryAfterMs: 9_000 }).notBeforeMs).toBe(10_000);
    expect(refused(cut, { epoch: 0, retryAfterMs: 2_000 }).notBeforeMs).toBe(8_000);
  });

  it('waits five minutes at most, and a fifth of a second at least', () => {
    expect(refused(fresh(), { retryAfterMs: 86_400_000 }).notBeforeMs).toBe(301_000);
    expect(refused(fresh(), { retryAfterMs: 1 }).notBeforeMs).toBe(1_200);
  });

  it('waits longer each time while nothing succeeds and the server names no time', () => {
    let throttle: Throttle = fresh();
    const waits = [1, 2, 3, 4, 5, 6, 7].map(() => {
      throttle = refused(throttle);
      return throttle.notBeforeMs - 1_000;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    const better = afterSuccesses(throttle, { count: 1, wanted: 1, maxLimit });
    expect(refused({ ...better, notBeforeMs: 0 }).notBeforeMs).toBe(2_000);
  });

  it.each([Number.NaN, -5, 0])('takes a wait of %p for none', (retryAfterMs) => {
    expect(refused(fresh(), { retryAfterMs }).notBeforeMs).toBe(2_000);
  });
});

describe('with successes', () => {
  const grown = (throttle: Throttle, count: number, wanted = 10_000) =>
    afterSuccesses(throttle, { count, wanted, maxLimit });

  it('doubles in a round while no refusal speaks against it', () => {
    expect(grown(fresh(), 64).limit).toBe(128);
  });

  it('grows by one in a round once a refusal has shown where the limit is', () => {
    const cut = refused(fresh());
    expect(grown(cut, 31).limit).toBe(32);
    expect(grown(cut, 32).limit).toBe(33);
    expect(grown(grown(cut, 20), 12).limit).toBe(33);
  });

  it('does not grow far beyond what is wanted', () => {
    expect(grown(fresh(), 500, 40).limit).toBe(80);
    expect(grown(refused(fresh()), 500, 31).limit).toBe(32);
  });

  it('stops at the most there may be', () => {
    expect(grown(fresh(), 100_000).limit).toBe(maxLimit);
  });
});

it('keeps a limit from one to the most, and only a refusal takes from it', () => {
  const happening = fc.oneof(
    fc.record({ count: fc.nat(200), wanted: fc.nat(2_000) }),
    fc.record({ old: fc.boolean(), retryAfterMs: fc.option(fc.nat(10_000)) }),
  );
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      let throttle: Throttle = fresh();
      for (const [index, what] of happenings.entries()) {
        const before = throttle;
        if ('count' in what) {
          throttle = deepFreeze(afterSuccesses(before, { ...what, maxLimit }));
          expect(throttle.limit).toBeGreaterThanOrEqual(before.limit);
          expect(throttle.limit).toBeLessThanOrEqual(before.limit + what.count);
        } else {
          const epoch = what.old ? before.epoch - 1 : before.epoch;
          const refusal = { atMs: index * 1_000, epoch, retryAfterMs: what.retryAfterMs };
          throttle = deepFreeze(afterRefusal(before, refusal));
          expect(throttle.limit).toBe(what.old ? before.limit : Math.max(1, Math.floor(before.limit / 2)));
          expect(throttle.notBeforeMs).toBeGreaterThanOrEqual(before.notBeforeMs);
        }
        expect(Number.isInteger(throttle.limit)).toBe(true);
        expect(throttle.limit).toBeGreaterThanOrEqual(1);
        expect(throttle.limit).toBeLessThanOrEqual(maxLimit);
      }
    }),
  );
});

describe('the comeback', () => {
  const pause = { atMs: 1_000, untilMs: 9_000 };

  it('spreads workers over a quarter of the pause', () => {
    expect(planComeback(pause, 0)).toEqual({ fromMs: 9_000, easeMs: 2_000 });
    expect(planComeback(pause, 0.5).fromMs).toBe(10_000);
    expect(planComeback({ atMs: 0, untilMs: 200 }, 0).easeMs).toBe(250);
    expect(planComeback({ atMs: 0, untilMs: 300_000 }, 0).easeMs).toBe(5_000);
  });

  it('opens a limit bit by bit, and says when the next bit opens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(49), fc.nat(15_000), (limit, used, atMs) => {
        const comeback = planComeback(pause, 0.25);
        const open = openPart(limit, comeback, atMs);
        expect(open).toBeLessThanOrEqual(limit);
        if (atMs < comeback.fromMs) expect(open).toBe(0);
        if (atMs >= comeback.fromMs) expect(open).toBeGreaterThanOrEqual(1);
        if (atMs >= comeback.fromMs + comeback.easeMs) expect(open).toBe(limit);
        const opensMs = opensAtMs({ used, limit }, comeback, atMs);
        if (used >= limit || open > used) expect(opensMs).toBeNull();
        else {
          expect(opensMs).toBeGreaterThan(atMs);
          expect(openPart(limit, comeback, opensMs ?? 0)).toBeGreaterThan(used);
          expect(openPart(limit, comeback, (opensMs ?? 0) - 2)).toBeLessThanOrEqual(used);
        }
      }),
    );
  });

  it('opens nothing of no share', () => {
    expect(openPart(0, planComeback(pause, 0), 20_000)).toBe(0);
    expect(openPart(0, planComeback(pause, 0), 9_500)).toBe(0);
  });
});
