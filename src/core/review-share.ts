import { REVIEW } from './behaviour.js';
import { EMPTY_ACCOUNT } from './accounts.js';
import { sumOf } from './ledger.js';
import type { RunState } from './state.js';

/** What reviewers may still spend of a ceiling. */
export function reviewRoomNanoUsd({ ledger, prepared }: RunState, ceilingNanoUsd: number): number {
  const { confirmedNanoUsd, estimatedNanoUsd } = ledger.byPurpose.review ?? EMPTY_ACCOUNT;
  const open = sumOf(ledger.charges.filter(({ purpose }) => purpose === 'review'));
  const share = prepared?.review?.budgetShare ?? REVIEW.budgetShare;
  return Math.floor(ceilingNanoUsd * share) - confirmedNanoUsd - estimatedNanoUsd - open;
}
