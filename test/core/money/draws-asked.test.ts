import type { Draft } from '../../../src/core/draft.js';
import { drawFinally, drawMore, settleDraw } from '../../../src/core/money/draws.js';
import { FRESH_DRAW } from '../../../src/core/fresh-state.js';
import { EMPTY_LEDGER } from '../../../src/core/money/ledger.js';
import type { Draw } from '../../../src/core/state.js';
import { running } from '../support/run.js';

/** A run that draws from a shared budget, or does not. */
function drawing(draw: Partial<Draw> | null): Draft {
  const ledger = { ...EMPTY_LEDGER, confirmedNanoUsd: 900, inheritedNanoUsd: 200 };
  const state = { ...running().state, ledger, draw: draw && { ...FRESH_DRAW, ...draw } };
  return { state, events: [], atMs: 0 };
}

const granted = { kind: 'ok' as const, value: { grantedNanoUsd: 50 } };

describe('what a run asks of its shared budget', () => {
  it('is in the end what it spent itself: not what the run before it has paid', () => {
    const draft = drawing({});
    drawFinally(draft);
    expect(draft.state.draw?.call).toMatchObject({ totalNanoUsd: 700, final: true });
  });

  it('waits for the answer to what it asked before', () => {
    const draft = drawing({});
    drawMore(draft, 10);
    const { draw } = draft.state;
    drawMore(draft, 20);
    drawFinally(draft);
    expect(draft.state.draw).toBe(draw);
  });

  it('is nothing without a budget', () => {
    const draft = drawing(null);
    drawMore(draft, 10);
    settleDraw(draft, 'b0', granted);
    expect(draft.state.draw).toBeNull();
  });

  it('is answered by its own answer only', () => {
    const draft = drawing({});
    drawMore(draft, 10);
    settleDraw(draft, 'b7', granted);
    expect(draft.state.draw).toMatchObject({ grantedNanoUsd: 0, call: { key: 'b0' } });
    settleDraw(draft, 'b0', granted);
    expect(draft.state.draw).toMatchObject({ grantedNanoUsd: 50, call: null });
  });
});
