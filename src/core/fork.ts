import { chargedNanoUsd, type Ledger } from './money/ledger.js';
import { notRun } from './calls/results.js';
import { readSnapshot } from './snapshot.js';
import type { RunState } from './state.js';
import { EMPTY_HASH, hashItems, type TranscriptItem } from './transcript.js';

const GO_ON =
  'This run was taken up again, with its limits as they are now. Go on towards the goal from where you were; tools can be called again.';

/**
 * The state of a run that goes on from where another one stood: its transcript, its steps and its money. What the other one has spent
 * counts, so that however often a run is taken up again, all share one ceiling on cost, steps and tokens. Time counts anew.
 * @returns `null` when the other run's state cannot be read.
 */
export function forkState(fresh: RunState, fork: unknown): RunState | null {
  const { of, snapshot, say: said } = Object(fork);
  const past = readSnapshot(snapshot);
  if (!past) return null;
  const say = typeof said === 'string' && said.trim() !== '' ? said : GO_ON;
  const transcript: TranscriptItem[] = [
    ...past.transcript,
    ...unanswered(past),
    { role: 'user', content: say },
  ];
  return {
    ...fresh,
    forkOf: typeof of === 'string' ? of : null,
    step: past.stepsCompleted === 0 ? past.step : past.step + 1,
    stepsCompleted: past.stepsCompleted,
    transcript,
    transcriptHash: hashItems(EMPTY_HASH, transcript),
    // What nobody has heard yet is still to be heard, by this run too, and counts once.
    queue: past.queue,
    messageIds: past.messageIds,
    ledger: inherit(past.ledger, fresh.startedAtMs),
    unknownOutcomes: past.unknownOutcomes,
    artifacts: past.artifacts,
    shared: past.shared,
    tainted: past.tainted,
    record: say === GO_ON ? past.record : [...past.record, `said: ${say}`.slice(0, 400)],
    // Whoever delegated to that run does not wait for this one.
    parent: null,
  };
}

/** Each call has a result in the transcript, so those that the other run still had open get one. */
function unanswered({ calls, review }: RunState): TranscriptItem[] {
  // What a review has called, the model has not asked for.
  if (review.stage !== null) return [];
  const { content } = notRun('cancelled', 'This run was taken up again before the call had ended.');
  return calls.map(({ plan, result }) => ({ role: 'tool', callId: plan.id, content: result ?? content }));
}

/** What is under way is the other run's to pay; what it could not find out is asked again. */
function inherit(ledger: Ledger, atMs: number): Ledger {
  const charges = ledger.charges
    .filter(({ status }) => status === 'estimated')
    // Under names of their own: this run may number its calls from the same step on.
    .map((charge) => ({ ...charge, id: `past.${charge.id}`, inherited: true as const }))
    .map((charge) => (charge.generationId === undefined ? charge : { ...charge, asked: 0, dueAtMs: atMs }));
  const own = { ...ledger, charges };
  return { ...own, inheritedNanoUsd: chargedNanoUsd(own) };
}
