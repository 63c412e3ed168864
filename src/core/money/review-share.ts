import { REVIEW } from '../behaviour.js';
import { EMPTY_ACCOUNT } from './accounts.js';
import { sumOf, toNanoUsd } from './ledger.js';
import { limitsOf } from './limits.js';
import type { RunState } from '../state.js';

/** What reviewers may still spend of a ceiling. */
export function reviewRoomNanoUsd(state: RunState, ceilingNanoUsd: number): number {
  const { ledger, prepared, draw } = state;
  // Of a shared budget a run knows only what it has drawn so far: too little to have a share of.
  const wholeNanoUsd = draw === null ? ceilingNanoUsd : ownCeilingNanoUsd(state);
  const { confirmedNanoUsd, estimatedNanoUsd } = ledger.byPurpose.review ?? EMPTY_ACCOUNT;
  const open = sumOf(ledger.charges.filter(({ purpose }) => purpose === 'review'));
  const share = prepared?.review?.budgetShare ?? REVIEW.budgetShare;
  return Math.floor(wholeNanoUsd * share) - confirmedNanoUsd - estimatedNanoUsd - open;
}

function ownCeilingNanoUsd(state: RunState): number {
  const { maxCostUsd } = limitsOf(state);
  return maxCostUsd === null ? Infinity : toNanoUsd(maxCostUsd);
}
