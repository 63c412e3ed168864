import { COMPACTION, DEFAULT_MAX_OUTPUT_TOKENS } from './behaviour.js';
import { beginLanding } from './closing.js';
import { charsOf, dropBodies, findCut, FIXED_ITEMS, replaceBeginning } from './compact-items.js';
import { emit, patch, type Draft } from './draft.js';
import { FIRST_ATTEMPT } from './fresh-state.js';
import { isSelfKeeping } from './metered.js';
import { modelsAskedFor } from './models.js';
import { EXPECTED_BYTES_PER_TOKEN, promptSize } from './prompt-size.js';
import { cut } from './review-brief.js';
import type { ModelCall, RunState } from './state.js';
import { EMPTY_HASH, hashItems, type TranscriptItem } from './transcript.js';

/** A summary is not worth a call that replaces less than this share of the conversation. */
const LEAST_SUMMED_SHARE = 0.25;

/** A conversation that stays longer than this share of what it was will be refused again. */
const WORTHWHILE_SHARE = 0.95;

/** How long the part with what people said and decided may be, in characters. */
const RECORD_CHARS = 8_000;

/** What the conversation may take, in tokens: what the models take that may be asked, or less where the run says so. `null`: not known. */
function roomOf(state: RunState): number | null {
  const known = modelsAskedFor(state).flatMap(
    (model) => state.prepared?.modelFacts?.[model]?.contextLength ?? [],
  );
  const { compactAtTokens } = state.input;
  const room = Math.min(
    ...known.map((tokens) => tokens * COMPACTION.atShare),
    typeof compactAtTokens === 'number' ? compactAtTokens : Infinity,
  );
  return Number.isFinite(room) ? room : null;
}

/** Whether the conversation has to be shortened before the next step: it and the room for an answer are more than the model takes. */
export function needsCompaction(state: RunState): boolean {
  if (!isSelfKeeping(state)) return false;
  const { isDue, steps } = state.compaction;
  if (isDue) return true;
  const room = roomOf(state);
  // Once before each step: what did not help will not help again.
  if (room === null || steps.at(-1) === state.step) return false;
  const wanted = state.input.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS;
  const forAnswer = Math.min(wanted, room * COMPACTION.answerShare);
  return promptSize(state).expectedTokens + forAnswer > room;
}

/** How long the conversation may be afterwards, and how much of it the last steps may be; in characters. */
function targetsOf(state: RunState): { maxChars: number; keepChars: number } {
  const chars = charsOf(state.transcript);
  const perToken = chars / Math.max(1, promptSize(state).expectedTokens);
  const room = (roomOf(state) ?? Infinity) * Math.min(perToken, EXPECTED_BYTES_PER_TOKEN);
  // A server that has refused the conversation takes less than it is, whatever its list says.
  const most = state.compaction.isDue ? Math.min(room, chars) : room;
  return { maxChars: most * COMPACTION.targetShare, keepChars: most * COMPACTION.keepShare };
}

/** The beginning of the conversation that a summary shall replace, or `null` when that is not worth a call. */
export function partToSumUp(state: RunState): { version: number; hash: string } | null {
  const { transcript } = state;
  const version = findCut(transcript, targetsOf(state).keepChars);
  const part = transcript.slice(0, version);
  const replaced = charsOf(part.slice(FIXED_ITEMS));
  if (replaced < charsOf(transcript) * LEAST_SUMMED_SHARE) return null;
  return { version, hash: hashItems(EMPTY_HASH, part) };
}

/** Whether the conversation has had to be shortened before each of the last steps: that leads nowhere. */
export function compactsInVain({ compaction, step }: RunState): boolean {
  const last = compaction.steps.slice(-COMPACTION.inARow);
  return (
    last.length === COMPACTION.inARow && last.every((one, index) => one === step - COMPACTION.inARow + index)
  );
}

/** Ends a run whose conversation cannot be held short. */
export function landInVain(draft: Draft): void {
  const reason = `The conversation had to be shortened before each of the last ${COMPACTION.inARow} steps, so this run gets nowhere.`;
  beginLanding(draft, { outcome: 'limit', limit: 'loop', error: null, reason });
}

/** Puts the model's summary in the place of what it sums up. */
export function takeSummary(draft: Draft, call: ModelCall, summary: string): void {
  const { state } = draft;
  const from = call.upTo?.version ?? 0;
  const note = noteOf(state, cut(summary.trim(), summaryChars(state)));
  const replaced = replaceBeginning(state.transcript, from, note);
  if (summary.trim() === '' || charsOf(replaced) >= charsOf(state.transcript)) return shorten(draft);
  file(draft, dropBodies(replaced, targetsOf(state).maxChars), summary.trim());
}

/** A summary that is longer than what it was asked for is cut: what it replaces is longer still. */
function summaryChars(state: RunState): number {
  return Math.max(2_000, Math.floor(targetsOf(state).keepChars));
}

/** Shortens without a model. */
export function shorten(draft: Draft): void {
  file(draft, shortened(draft.state), null);
}

/** Whether a conversation that the server has refused would become any shorter. */
export function canShorten(state: RunState): boolean {
  const refused = { ...state, compaction: { ...state.compaction, isDue: true } };
  return charsOf(shortened(refused)) < charsOf(state.transcript) * WORTHWHILE_SHARE;
}

/** Without what tools returned, as far as need be, and else without whole steps. */
function shortened(state: RunState): TranscriptItem[] {
  const { maxChars, keepChars } = targetsOf(state);
  const trimmed = dropBodies(state.transcript, maxChars);
  const from = findCut(trimmed, keepChars);
  if (charsOf(trimmed) <= maxChars || from <= FIXED_ITEMS) return trimmed;
  const note = noteOf(state, 'It could not be summed up. Find out again what you need of it.');
  const replaced = replaceBeginning(trimmed, from, note);
  return charsOf(replaced) < charsOf(trimmed) ? replaced : trimmed;
}

/** What stands in the place of earlier steps: their summary, and what must not be lost whatever the summary says. */
function noteOf(state: RunState, summary: string): string {
  const { record, artifacts, unknownOutcomes } = state;
  const list = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0
      ? []
      : [`${title}:\n${cut(lines.map((line) => `- ${line}`).join('\n'), RECORD_CHARS)}`];
  return [
    `[The conversation up to here was shortened; it stands at step ${state.step}. Go on from this summary of what came before.]`,
    summary,
    ...list('What people said and decided, in order', record),
    ...list(
      'Artifacts',
      artifacts.slice(-100).map(({ id, name, callId }) => `${id}${name ? ` ${name}` : ''} (of ${callId})`),
    ),
    ...list(
      'Calls of which nobody knows whether they took effect',
      unknownOutcomes.slice(-100).map(({ callId, tool }) => `${tool} (${callId})`),
    ),
  ].join('\n\n');
}

function file(draft: Draft, transcript: TranscriptItem[], summary: string | null): void {
  const { state } = draft;
  const { compaction, step, calibration } = state;
  const tokensBefore = promptSize(state).expectedTokens;
  patch(draft, {
    transcript,
    transcriptHash: hashItems(EMPTY_HASH, transcript),
    // What the server counted was another conversation.
    calibration: null,
    compaction: {
      ...compaction,
      count: compaction.count + 1,
      steps: [...compaction.steps, step].slice(-COMPACTION.inARow),
      isDue: false,
    },
    model: { ...state.model, ...FIRST_ATTEMPT, call: null, retryAtMs: null },
  });
  const perToken = calibration ? charsOf(state.transcript) / tokensBefore : EXPECTED_BYTES_PER_TOKEN;
  emit(draft, {
    type: 'compacted',
    step,
    by: summary === null ? 'cut' : 'summary',
    messagesBefore: state.transcript.length,
    messagesAfter: transcript.length,
    tokensBefore,
    tokensAfter: Math.ceil(charsOf(transcript) / perToken),
    summary,
  });
}
