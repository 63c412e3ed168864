import { RECONCILE } from '../behaviour.js';
import { emit, patch, type Draft } from '../draft.js';
import { openQuestions, postpone, reconcile, spentNanoUsd, type Charge } from './ledger.js';
import { isSelfKeeping } from '../metered.js';
import type { CostReport, Outcome } from '../outcomes.js';
import type { RunState } from '../state.js';

/** Asks the server about every call whose time has come; beside all other work, which never waits for it. */
export function inquire(draft: Draft): void {
  const { ledger, inquiry, inquiries, phase, farewell } = draft.state;
  // What is learned once the result is fixed would stand in no result.
  if (inquiry || farewell || phase === 'closed') return;
  const due = openQuestions(ledger).filter(({ dueAtMs }) => (dueAtMs ?? Infinity) <= draft.atMs);
  if (due.length === 0) return;
  const chargeIds = due.slice(0, RECONCILE.perQuestion).map(({ id }) => id);
  patch(draft, { inquiry: { key: `g${inquiries}`, chargeIds }, inquiries: inquiries + 1 });
}

/** When the next question is to be asked, or `null`. */
export function nextInquiryMs({ ledger, inquiry, farewell }: RunState): number | null {
  const times = openQuestions(ledger).flatMap(({ dueAtMs }) => dueAtMs ?? []);
  return inquiry || farewell || times.length === 0 ? null : Math.min(...times);
}

/** Takes in what the server said. What it does not know yet is asked again later, until it is given up. */
export function settleInquiry(draft: Draft, key: string, outcome: Outcome<CostReport>): void {
  const { inquiry } = draft.state;
  if (inquiry?.key !== key) return;
  patch(draft, { inquiry: null });
  const { found, refused = [] }: CostReport = outcome.kind === 'ok' ? outcome.value : { found: [] };
  for (const charge of openQuestions(draft.state.ledger)) {
    if (!inquiry.chargeIds.includes(charge.id)) continue;
    const report = found.find(({ generationId }) => generationId === charge.generationId);
    if (report) book(draft, charge, report);
    else askAgain(draft, charge, refused.includes(charge.generationId ?? ''));
  }
}

function askAgain(draft: Draft, charge: Charge, isRefused: boolean): void {
  const before = charge.refused ?? 0;
  const refused = isRefused && isSelfKeeping(draft.state) ? before + 1 : 0;
  const dueAtMs = refused >= RECONCILE.refusals ? null : nextTimeMs(draft, charge);
  const change = { dueAtMs, ...(refused !== before && { refused }) };
  patch(draft, { ledger: postpone(draft.state.ledger, charge.id, change) });
}

function book(draft: Draft, charge: Charge, report: CostReport['found'][number]): void {
  patch(draft, { ledger: reconcile(draft.state.ledger, charge.id, report) });
  emit(draft, {
    type: 'cost_reconciled',
    step: draft.state.step,
    model: charge.model,
    generationId: report.generationId,
    costNanoUsd: report.costNanoUsd,
    estimatedNanoUsd: charge.nanoUsd,
    spentNanoUsd: spentNanoUsd(draft.state.ledger),
  });
}

function nextTimeMs(draft: Draft, { asked }: Charge): number | null {
  if (asked + 1 >= RECONCILE.questions) return null;
  return draft.atMs + Math.min(RECONCILE.firstMs * 2 ** (asked + 1), RECONCILE.longestMs);
}
