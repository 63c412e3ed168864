import fc from 'fast-check';
import {
  chargedNanoUsd, EMPTY_LEDGER, lose, openQuestions, postpone, reconcile, reserve, settle, writeOffNameless, type Ledger,
} from '../../../src/core/money/ledger.js'; // prettier-ignore
import { spendOf } from '../../../src/core/money/spend.js';
import { answer, AT_MS, generation } from '../support/ledger-entries.js';

describe('the ledger through any life of its calls', () => {
  const amount = fc.option(fc.nat(1_000_000), { freq: 5 });
  const lives = fc.array(
    fc.record({
      reserved: amount,
      isReserved: fc.boolean(),
      ends: fc.constantFrom('answered' as const, 'lost' as const, 'free' as const, 'running' as const),
      cost: amount,
      estimated: fc.boolean(),
      isNamed: fc.boolean(),
      source: fc.option(fc.nat(12), { freq: 2 }),
      later: fc.constantFrom('nothing' as const, 'confirmed' as const, 'asked' as const, 'given up' as const),
      confirmed: fc.nat(1_000_000),
      model: fc.constantFrom('m1', 'm2'),
      purpose: fc.constantFrom('step' as const, 'landing' as const),
    }),
    { maxLength: 14 },
  );

  it('sums up to what was booked, once, in whatever order', () => {
    fc.assert(
      fc.property(lives, fc.boolean(), fc.nat(), (calls, isWrittenOff, turn) => {
        let ledger = EMPTY_LEDGER;
        for (const [index, { purpose, model, reserved, isReserved }] of calls.entries())
          if (isReserved) ledger = reserve(ledger, { id: `c${index}`, purpose, model, nanoUsd: reserved });
        const order = calls.map((_, index) => (index + turn) % calls.length);
        for (const index of order) ledger = end(ledger, index, calls[index]);
        if (isWrittenOff) ledger = writeOffNameless(ledger);
        for (const index of order) ledger = later(ledger, index, calls[index]);
        expectWhole(ledger);
        const answered = calls.filter(({ ends }) => ends === 'answered').length;
        const lost = calls.filter(({ ends }) => ends === 'lost').length;
        expect(ledger).toMatchObject({ modelCalls: answered, lostModelCalls: lost });
        expect(chargedNanoUsd(ledger)).toBe(expected(calls));
      }),
      { numRuns: 1_000 },
    );
  });

  type Call = typeof lives extends fc.Arbitrary<(infer T)[]> ? T : never;

  function end(ledger: Ledger, index: number, call: Call | undefined): Ledger {
    if (!call || call.ends === 'running') return ledger;
    const id = `c${index}`;
    const named = call.isNamed && { generationId: `gen-${index}` };
    if (call.ends !== 'answered')
      return lose(ledger, { id, mayHaveCost: call.ends === 'lost', askAtMs: AT_MS, ...named });
    const cost = { nanoUsd: call.cost, estimated: call.estimated };
    return settle(ledger, answer({ id, purpose: call.purpose, model: call.model, cost, ...named }));
  }

  function later(ledger: Ledger, index: number, call: Call | undefined): Ledger {
    if (!call?.isNamed || call.later === 'nothing') return ledger;
    const id = `c${index}`;
    if (!openQuestions(ledger).some((charge) => charge.id === id)) return ledger;
    if (call.later === 'confirmed') return reconcile(ledger, id, generation(call.confirmed));
    return postpone(ledger, id, { dueAtMs: call.later === 'asked' ? 9_000 : null });
  }

  /** What all calls together are to be charged, found call by call. */
  function expected(calls: readonly Call[]): number {
    return calls.reduce((sum, call) => {
      const { ends, isReserved, reserved, cost, estimated, isNamed, confirmed } = call;
      const kept = isReserved ? (reserved ?? 0) : 0;
      if (ends === 'running') return sum + kept;
      if (ends === 'free') return sum;
      const isCertain = ends === 'answered' && cost !== null && !estimated;
      const isOnRecord = ends === 'answered' || isReserved;
      const isConfirmed = isNamed && isOnRecord && call.later === 'confirmed' && !isCertain;
      if (isConfirmed) return sum + confirmed;
      return sum + (ends === 'answered' ? (cost ?? kept) : kept);
    }, 0);
  }

  function expectWhole(ledger: Ledger): void {
    for (const accounts of [ledger.byPurpose, ledger.byModel]) {
      const list = Object.values(accounts);
      expect(list.reduce((sum, { calls }) => sum + calls, 0)).toBe(ledger.modelCalls);
      expect(list.reduce((sum, one) => sum + one.confirmedNanoUsd, 0)).toBe(ledger.confirmedNanoUsd);
      expect(list.reduce((sum, one) => sum + one.estimatedNanoUsd, 0)).toBe(ledger.estimatedNanoUsd);
    }
    const spend = spendOf(ledger);
    expect(spend.costNanoUsd + spend.estimatedNanoUsd + spend.reservedNanoUsd).toBe(chargedNanoUsd(ledger));
    expect(spend.lostNanoUsd).toBeLessThanOrEqual(spend.costNanoUsd + spend.estimatedNanoUsd);
  }
});
