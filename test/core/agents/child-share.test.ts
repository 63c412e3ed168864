import { CHILD_SHARE_NANO_USD } from '../../../src/core/behaviour.js';
import { NO_LIMITS } from '../../../src/core/run-input.js';
import { childInput, delegation, reports, resultOf } from '../support/agents.js';
import { limited, modelCalls, resultObject, running, underWay } from '../support/run.js';

const maxCostUsd = (shell: ReturnType<typeof running>, key: string) =>
  childInput(shell, key).limits?.maxCostUsd;

describe('the share of a sub-agent', () => {
  it('is what was asked for', () => {
    expect(
      maxCostUsd(modelCalls(limited({ maxCostUsd: 1 }), delegation({ maxCostUsd: 0.25 })), 's0.c0'),
    ).toBe(0.25);
    expect(maxCostUsd(modelCalls(running(), delegation({ maxCostUsd: 0.25 })), 's0.c0')).toBe(0.25);
  });

  it('is none where there is no ceiling', () => {
    expect(maxCostUsd(modelCalls(running(), delegation()), 's0.c0')).toBeNull();
  });

  it('is an equal part of what is left beside the closing answer, and one part stays', () => {
    const shell = modelCalls(limited({ maxCostUsd: 1 }), delegation(), delegation());
    const shares = ['s0.c0', 's0.c1'].map((key) => maxCostUsd(shell, key) ?? 0);
    expect(shares[0]).toBeCloseTo(1 / 3, 1);
    expect(shares[1]).toBeCloseTo(shares[0] ?? 0, 6);
  });

  it('is never more than is left, and without anything left the call is refused', () => {
    const shell = modelCalls(limited({ maxCostUsd: 0.5 }), delegation({ maxCostUsd: 9 }), delegation());
    expect(maxCostUsd(shell, 's0.c0')).toBeLessThan(0.5);
    expect(underWay(shell)).toEqual(['s0.c0']);
    reports(shell, { result: resultOf() });
    expect(resultObject(shell)).toMatchObject({ status: 'refused_at_limit' });
  });

  it('of tokens leaves as much for each other one and for the run', () => {
    const shell = modelCalls(limited({ maxTokens: 30_015 }), delegation(), delegation());
    expect(childInput(shell, 's0.c0').limits?.maxTokens).toBe(10_000);
    expect(childInput(shell, 's0.c1').limits?.maxTokens).toBe(10_000);
  });

  it('of a shared budget is drawn first', () => {
    const shell = running({ budget: 'team', limits: NO_LIMITS }, { goal: 'x' });
    const draw = (key: string, grantedNanoUsd: number) =>
      shell.deliver(shell.settlementOf(key, 'draw', { kind: 'ok', value: { grantedNanoUsd } }));
    draw('b0', 100_000_000);
    modelCalls(shell, delegation());
    expect(underWay(shell)).toEqual(['b1']);
    draw('b1', 2 * CHILD_SHARE_NANO_USD);
    expect(maxCostUsd(shell, 's0.c0')).toBe(CHILD_SHARE_NANO_USD / 1e9);
  });

  it('of a shared budget that grants nothing more is what is left', () => {
    const shell = running({ budget: 'team' }, { goal: 'x' });
    const draw = (key: string) =>
      shell.deliver(shell.settlementOf(key, 'draw', { kind: 'ok', value: { grantedNanoUsd: 100_000_000 } }));
    draw('b0');
    modelCalls(shell, delegation());
    draw('b1');
    expect(maxCostUsd(shell, 's0.c0')).toBeLessThan(0.1);
  });
});
