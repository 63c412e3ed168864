import type { DrawResult } from './budget-draw.js';
import { patch, type Draft } from '../draft.js';
import { chargedNanoUsd } from './ledger.js';
import type { Outcome } from '../outcomes.js';

/** Asks the shared budget to grant the run so much in all. */
export function drawMore(draft: Draft, totalNanoUsd: number): void {
  ask(draft, { totalNanoUsd, final: false });
}

/** Tells the shared budget what was spent, so that the rest goes back. */
export function drawFinally(draft: Draft): void {
  ask(draft, {
    totalNanoUsd: chargedNanoUsd(draft.state.ledger) - draft.state.ledger.inheritedNanoUsd,
    final: true,
  });
}

function ask(draft: Draft, question: { totalNanoUsd: number; final: boolean }): void {
  const { draw } = draft.state;
  if (!draw || draw.call) return;
  const call = { key: `b${draw.count}`, ...question };
  const askedNanoUsd = question.final
    ? draw.askedNanoUsd
    : Math.max(draw.askedNanoUsd, question.totalNanoUsd);
  patch(draft, { draw: { ...draw, askedNanoUsd, call, count: draw.count + 1 } });
}

/** Takes in what the shared budget granted. */
export function settleDraw(draft: Draft, key: string, outcome: Outcome<DrawResult>): void {
  const { draw } = draft.state;
  if (!draw?.call || draw.call.key !== key) return;
  const { final } = draw.call;
  const grantedNanoUsd = outcome.kind === 'ok' && !final ? outcome.value.grantedNanoUsd : draw.grantedNanoUsd;
  patch(draft, { draw: { ...draw, call: null, grantedNanoUsd, settled: draw.settled || final } });
}
