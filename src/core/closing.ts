import { SETTLE_PATIENCE_MS } from './behaviour.js';
import type { EventBody } from './events.js';
import { append, emit, patch, patchCall, type Draft } from './draft.js';
import { humanWords } from './human/human-words.js';
import { limitsReached } from './money/limits.js';
import { isMetered } from './metered.js';
import { tellAgents } from './human/relays.js';
import type { LimitName } from './progress.js';
import { endOfReview } from './review/review-rounds.js';
import { notRun, type CallResult } from './calls/results.js';
import { FIRST_ATTEMPT, IDLE_MODEL } from './fresh-state.js';
import type { CallState, Ending, Landing, RunState } from './state.js';

/** How much of a tool result an event shows; the transcript has it all. */
const EVENT_CONTENT_CHARS = 2_000;

/** Ends the run: settles what is open and fixes how it ends. It is closed as soon as its costs are settled. */
export function close(
  draft: Draft,
  end: Pick<Ending, 'outcome' | 'answer'> & Partial<Pick<Ending, 'limit' | 'error'>>,
): void {
  for (const call of draft.state.calls) abandonCall(draft, call);
  fileResults(draft);
  const patienceMs = SETTLE_PATIENCE_MS[draft.state.cancelRequested ? 'cancelled' : 'usual'];
  patch(draft, {
    phase: 'settling',
    ending: { limit: null, error: null, ...end, limitsReached: reachedBy(draft, end.limit ?? null) },
    settleUntilMs: draft.atMs + patienceMs,
    model: IDLE_MODEL,
    pause: null,
    idle: null,
    review: endOfReview(draft.state),
    signedDecisions: [],
    relays: [],
  });
}

/** The ceiling that ended the run, then all others that are reached. */
function reachedBy({ state, atMs }: Draft, first: LimitName | null): LimitName[] {
  const reached = limitsReached(state, atMs).filter((limit) => limit !== first);
  return first === null ? reached : [first, ...reached];
}

function abandonCall(draft: Draft, call: CallState): void {
  const awaitsRerun = call.status === 'ready' && call.rerun > (call.restarts ?? 0);
  const underWay =
    awaitsRerun ||
    call.status === 'running' ||
    call.status === 'cancelling' ||
    call.status === 'verifying' ||
    call.status === 'unknown';
  if (underWay && (call.plan.effect === undefined || call.child)) finishUnknown(draft, call);
  else finishCall(draft, call.id, notRun('cancelled', 'The run ended before this call.'));
}

/** Puts the results of the current step's calls into the transcript, in call order. All calls are done. */
export function fileResults(draft: Draft): void {
  const { calls, review } = draft.state;
  // What a review has called, the model has not asked for.
  if (review.stage === null)
    append(
      draft,
      calls.map((call) => ({ role: 'tool', callId: call.plan.id, content: call.result ?? '' })),
    );
  patch(draft, { calls: [] });
}

/** Ends a landing with the model's answer, or with one put together from the transcript. */
export function closeLanded(draft: Draft, landing: Landing, answer: string): void {
  close(draft, {
    outcome: landing.outcome,
    limit: landing.limit,
    error: landing.error,
    answer: answer.trim() === '' ? assembleAnswer(draft.state) : answer,
  });
}

/** An answer made without the model: its last words, what it did, and what nobody knows. */
export function assembleAnswer(state: RunState): string {
  const { transcript, stepsCompleted, unknownOutcomes } = state;
  const lastWords = transcript
    .filter((item) => item.role === 'assistant' && item.content.trim() !== '')
    .at(-1);
  const steps = `The run ended after ${stepsCompleted} completed ${stepsCompleted === 1 ? 'step' : 'steps'}, without a closing answer by the model.`;
  const parts = [
    lastWords
      ? `${steps} Its last words were:\n\n${lastWords.content}`
      : `${steps} The model had said nothing yet.`,
  ];
  if (!isMetered(state)) return parts.join('');
  if (state.landing) parts.push(state.landing.reason);
  const asked = callCounts(transcript);
  if (asked !== '')
    parts.push(
      `Calls it asked for: ${asked}. What they brought was not summed up, and nothing was verified after them.`,
    );
  if (unknownOutcomes.length > 0)
    parts.push(
      `Nobody knows whether these took effect: ${unknownOutcomes.map(({ callId, tool }) => `${tool} (${callId})`).join(', ')}.`,
    );
  return parts.join('\n\n');
}

function callCounts(transcript: RunState['transcript']): string {
  const counts = new Map<string, number>();
  for (const item of transcript)
    for (const { name } of (item.role === 'assistant' && item.calls) || [])
      counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`)).join(', ');
}

/** What a ceiling is called in the closing message to the model. */
const LIMIT_WORDS: Record<string, string> = {
  cost: 'The cost ceiling of this run is reached.',
  steps: 'The step ceiling of this run is reached.',
  tokens: 'The token ceiling of this run is reached.',
  duration: 'The time of this run is up.',
  tool: 'The tool at which this run shall stop has run.',
  loop: 'This run goes in circles.',
};

/**
 * Begins to end gracefully. Calls under way may finish, calls that wait for a human or for a time are settled without
 * running, a running step call is cancelled. The closing call follows when all of that is done.
 */
export function beginLanding(draft: Draft, why: Omit<Landing, 'reason'> & { reason?: string }): void {
  const { state } = draft;
  if (state.landing || state.phase === 'settling' || state.phase === 'closed') return;
  const reason = why.reason ?? LIMIT_WORDS[why.limit ?? ''] ?? 'This run cannot go on.';
  patch(draft, { landing: { ...why, reason }, pause: null });
  emit(draft, { type: 'landing_started', step: state.step, outcome: why.outcome, limit: why.limit });
  // A session that waits has its answer already, unless somebody has spoken since.
  if (state.idle && state.queue.length === 0)
    return close(draft, {
      outcome: why.outcome,
      limit: why.limit,
      error: why.error,
      answer: state.idle.answer,
    });
  tellAgents(draft, 'stop');
  const { call } = state.model;
  patch(draft, {
    model: {
      ...state.model,
      ...FIRST_ATTEMPT,
      retryAtMs: null,
      call: call && { ...call, status: 'cancelling' },
    },
  });
  refuseCalls(draft);
}

/** Settles, in a run that is landing, every call that must not run any more. */
export function refuseCalls(draft: Draft): void {
  for (const call of draft.state.calls) settleForLanding(draft, call);
}

function settleForLanding(draft: Draft, call: CallState): void {
  const stopped = draft.state.landing?.outcome === 'stopped';
  switch (call.status) {
    case 'gated':
    case 'checking':
    case 'asking':
    case 'waiting':
      finishCall(
        draft,
        call.id,
        stopped
          ? notRun('cancelled', 'The run was asked to stop before this call.')
          : notRun('refused_at_limit', 'The run reached a limit before this call.'),
      );
      break;
    case 'ready':
      if (stopped && call.rerun > (call.restarts ?? 0)) finishUnknown(draft, call);
      else if (stopped)
        finishCall(draft, call.id, notRun('cancelled', 'The run was asked to stop before this call.'));
      // A limit lets what is safe run to its end; a sub-agent would only begin, and nobody waits for checks any more.
      else if (call.plan.control?.kind === 'delegate' || draft.state.review.stage !== null)
        finishCall(draft, call.id, notRun('refused_at_limit', 'The run reached a limit before this call.'));
      break;
    case 'unknown':
      finishUnknown(draft, call);
      break;
    default:
  }
}

/** Who has edited arguments that were still being checked is told that they came to nothing. */
function overtaken(callId: string): EventBody {
  const message = `${callId} ended before its edited arguments were checked.`;
  return { type: 'control_rejected', control: 'decide', code: 'CALL_NOT_PENDING', message, callId };
}

/** Gives a call its one result. */
export function finishCall(draft: Draft, callId: string, result: CallResult): void {
  const call = draft.state.calls.find((one) => one.id === callId);
  if (!call || call.status === 'done') return;
  if (call.status === 'checking') emit(draft, overtaken(callId));
  patchCall(draft, callId, {
    status: 'done',
    result: result.content,
    ended: result.status,
    dueAtMs: null,
    remindAtMs: null,
  });
  emit(draft, {
    type: 'tool_completed',
    step: draft.state.step,
    attempt: result.attempt ?? 1,
    callId,
    tool: call.plan.name,
    status: result.status,
    content: result.content.slice(0, EVENT_CONTENT_CHARS),
    artifactId: result.artifactId ?? null,
  });
}

/** Gives a call whose outcome nobody knows the result that says so, and puts it on record. */
export function finishUnknown(draft: Draft, call: CallState): void {
  patch(draft, {
    unknownOutcomes: [...draft.state.unknownOutcomes, { callId: call.id, tool: call.plan.name }],
  });
  finishCall(
    draft,
    call.id,
    notRun(
      'unknown_outcome',
      'It is not known whether this call took effect. Verify before you try again.',
      humanWords(call),
    ),
  );
}

/** Tells the model, once, that this is its last call. */
export function brief(draft: Draft, landing: Landing): void {
  if (landing.briefed) return;
  patch(draft, { landing: { ...landing, briefed: true } });
  append(draft, [
    {
      role: 'user',
      content: [
        landing.reason,
        'No more tools can be called. Answer now: the result so far, what was done, what is unverified, what remains.',
      ].join(' '),
    },
  ]);
}
