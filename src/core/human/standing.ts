import { emit, patch, putOnRecord, remember, type Draft } from '../draft.js';
import type { JsonValue } from '../json.js';
import type { StandingApproval } from '../progress.js';
import type { CallState, RunState } from '../state.js';

/** What is put on record of a decision. */
export interface MadeDecision {
  decision: 'approve' | 'reject' | 'answer';
  by?: string | undefined;
  note?: string | undefined;
  editedArgs?: JsonValue;
  forRun?: boolean | undefined;
  signed?: boolean | undefined;
  /** All who approved, where more than one must. */
  approvedBy?: string[];
}

const DECIDED = { approve: 'approved', reject: 'rejected', answer: 'answered' } as const;

/** Puts a decision on record; the call is decided. */
export function recordDecision(draft: Draft, call: CallState, made: MadeDecision): void {
  const { decision, by, note, editedArgs, forRun, signed, approvedBy } = made;
  patch(draft, { decidedCallIds: remember(draft.state.decidedCallIds, call.id) });
  const whom = by === undefined ? '' : ` by ${by}`;
  const words = note === undefined ? '' : `: ${note}`;
  putOnRecord(draft, `${call.id} ${call.plan.name} ${DECIDED[decision]}${whom}${words}`);
  emit(draft, {
    type: 'decision_made',
    step: draft.state.step,
    callId: call.id,
    tool: call.plan.name,
    decision,
    note: note ?? null,
    by: by ?? null,
    editedArgs: editedArgs ?? null,
    ...(forRun && { scope: 'run' as const }),
    ...(signed && { signed: true as const }),
    ...(approvedBy && { approvedBy }),
  });
}

/** The approval for the rest of the run that holds for a call. One of a tool as it was does not hold for it as it is now. */
export function standingFor(
  state: RunState,
  { plan }: Pick<CallState, 'plan'>,
): StandingApproval | undefined {
  return state.standing.find(({ tool, specHash }) => tool === plan.name && specHash === plan.specHash);
}

/**
 * Whether such an approval lets a call go on. What is asked about because the run goes in circles, or because a reviewer is not content,
 * nobody has said yes to before.
 */
export function standsFor(state: RunState, call: Pick<CallState, 'plan'>): boolean {
  const { reason } = call.plan.gate ?? {};
  return reason !== 'loop' && reason !== 'review' && standingFor(state, call) !== undefined;
}

/** Approves a tool for the rest of the run. */
export function approveForRun(draft: Draft, call: CallState, by: string | null): void {
  if (standingFor(draft.state, call)) return;
  const { name, specHash } = call.plan;
  const approval = { tool: name, by, ...(specHash !== undefined && { specHash }) };
  const others = draft.state.standing.filter(({ tool }) => tool !== name);
  patch(draft, { standing: [...others, approval] });
}
