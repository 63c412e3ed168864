import { nextInquiryMs } from '../../../src/core/money/inquiries.js';
import { EMPTY_LEDGER, lose, reserve } from '../../../src/core/money/ledger.js';
import type { RunState } from '../../../src/core/state.js';
import { costNotFound, costsReported, modelFails, running } from '../support/run.js';
import type { Shell } from '../support/shell.js';

/** A run with lost calls `gen-0`, `gen-1`, … of which the server is to be asked at these times. */
function asking(...times: readonly number[]): RunState {
  const ledger = times.reduce((sum, askAtMs, n) => {
    const held = reserve(sum, { id: `x${n}`, purpose: 'step', model: 'm', nanoUsd: 100 });
    return lose(held, { id: `x${n}`, mayHaveCost: true, generationId: `gen-${n}`, askAtMs });
  }, EMPTY_LEDGER);
  return { ...running().state, ledger };
}

const loses = (shell: Shell, generationId: string): Shell =>
  modelFails(shell, 'MODEL_STALLED', true, { sent: true, generationId });

describe('the question what lost calls cost', () => {
  it('is asked when the first of them is due', () => {
    expect(nextInquiryMs(asking(9, 5, 7))).toBe(5);
    expect(nextInquiryMs({ ...asking(9, 5), inquiry: { key: 'g0', chargeIds: [] } })).toBeNull();
  });

  it('takes each answer for the call that it names, in whatever order they come', () => {
    const shell = loses(loses(running(), 'gen-a').awaitTimer().awaitTimer(), 'gen-b');
    costNotFound(shell).advance(60_000);
    const cost = (generationId: string, costNanoUsd: number) => ({
      generationId,
      costNanoUsd,
      promptTokens: 0,
      completionTokens: 0,
    });
    costsReported(shell, { kind: 'ok', value: { found: [cost('gen-b', 7), cost('gen-a', 5)] } });
    const told = shell.events.flatMap((event) =>
      event.type === 'cost_reconciled' ? [[event.generationId, event.costNanoUsd]] : [],
    );
    expect(Object.fromEntries(told)).toEqual({ 'gen-a': 5, 'gen-b': 7 });
  });

  it('is not answered by what comes when nobody asks', () => {
    const shell = running();
    const { ledger } = shell.state;
    shell.deliver({ type: 'cost_reported', key: 'g0', outcome: { kind: 'ok', value: { found: [] } } });
    expect(shell.state.ledger).toBe(ledger);
  });
});
