import { COMPACTION, DEFAULT_MAX_OUTPUT_TOKENS } from '../behaviour.js';
import { beginLanding } from '../closing.js';
import {
  callLines,
  charsOf,
  dropBodies,
  findCut,
  FIXED_ITEMS,
  replaceBeginning,
  type Lengths,
} from './compact-items.js';
import { emit, patch, type Draft } from '../draft.js';
import { FIRST_ATTEMPT } from '../fresh-state.js';
import { isSelfKeeping } from '../metered.js';
import { modelsAskedFor } from '../model/models.js';
import { EXPECTED_BYTES_PER_TOKEN, promptSize } from './prompt-size.js';
import { cut } from './cut.js';
import { SHORTENED } from '../review/review-brief.js';
import type { ModelCall, RunState } from '../state.js';
import { EMPTY_HASH, hashItems, type TranscriptItem } from '../transcript.js';

/** A summary is not worth a call that replaces less than this share of what was said since the goal. */
const LEAST_SUMMED_SHARE = 0.25;

/** A conversation that stays longer than this share of what it was will be refused again. */
const WORTHWHILE_SHARE = 0.95;

/** How long each list in a note may be, such as that of what people said and decided; in characters. */
const LIST_CHARS = 8_000;

/** What was said since the goal is not shortened below this, in characters: there would be nothing to go on with. */
const LEAST_FREE_CHARS = 2_000;

/** What is noted of a call that could not be summed up: so much of its arguments, and of its result. */
const CALL_CHARS = 120;

const SUMMARY_TITLE = 'Summary of what came before:';
const UNSUMMED_TITLE =
  'The calls after that could not be summed up. Do not do again what they did; find out again what you need of what they brought:';

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

/** What is kept back for the answer, in tokens. */
function answerTokens({ input }: RunState, room: number): number {
  return Math.min(input.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS, room * COMPACTION.answerShare);
}

/** Whether the conversation has to be shortened before the next step: it and the room for an answer are more than the model takes. */
export function needsCompaction(state: RunState): boolean {
  if (!isSelfKeeping(state)) return false;
  const { isDue, steps } = state.compaction;
  if (isDue) return true;
  const room = roomOf(state);
  // Once before each step: what did not help will not help again. Where there is nothing to leave out, the server decides.
  if (room === null || steps.at(-1) === state.step || changingChars(state) <= LEAST_FREE_CHARS) return false;
  return promptSize(state).expectedTokens + answerTokens(state, room) > room;
}

function changingChars({ transcript }: RunState): number {
  return charsOf(transcript.slice(FIXED_ITEMS));
}

/** How long the conversation may be afterwards: what is left beside system prompt, goal, tools and answer is shared out. */
function lengthsOf(state: RunState): Lengths {
  const { transcript, prepared, compaction } = state;
  const toolChars = prepared?.toolsSizeBytes ?? 0;
  const chars = charsOf(transcript);
  const fixedChars = charsOf(transcript.slice(0, FIXED_ITEMS));
  const perToken = (chars + toolChars) / Math.max(1, promptSize(state).expectedTokens);
  const room = roomOf(state) ?? Infinity;
  const roomChars = (room - answerTokens(state, room)) * Math.min(perToken, EXPECTED_BYTES_PER_TOKEN);
  // A server that has refused the conversation takes less than it is, whatever its list says.
  const most = compaction.isDue ? Math.min(roomChars - toolChars, chars) : roomChars - toolChars;
  const freeChars = Math.max(LEAST_FREE_CHARS, most - fixedChars);
  const targetChars = fixedChars + freeChars * COMPACTION.targetShare;
  return {
    keepChars: freeChars * COMPACTION.keepShare,
    freeChars: compaction.isDue ? freeChars * COMPACTION.targetShare : freeChars,
    targetChars,
    mostChars: compaction.isDue ? targetChars : fixedChars + freeChars,
  };
}

/** The beginning of the conversation that a summary shall replace, or `null` when that is not worth a call. */
export function partToSumUp(state: RunState): { version: number; hash: string } | null {
  const { transcript } = state;
  const version = findCut(transcript, lengthsOf(state));
  const replacedChars = charsOf(transcript.slice(FIXED_ITEMS, version));
  if (replacedChars < changingChars(state) * LEAST_SUMMED_SHARE) return null;
  return { version, hash: hashItems(EMPTY_HASH, transcript.slice(0, version)) };
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
export function takeSummary(draft: Draft, call: ModelCall, text: string): void {
  const { state } = draft;
  const summary = cut(text.trim(), summaryChars(state));
  const replaced = replaceBeginning(state.transcript, call.upTo?.version ?? 0, noteOf(state, summary));
  if (summary === '' || charsOf(replaced) >= charsOf(state.transcript)) return shorten(draft);
  file(draft, dropBodies(replaced, lengthsOf(state)), summary);
}

/** A summary that is longer than what it was asked for is cut: what it replaces is longer still. */
function summaryChars(state: RunState): number {
  return Math.floor(lengthsOf(state).keepChars);
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
  const lengths = lengthsOf(state);
  const trimmed = dropBodies(state.transcript, lengths);
  if (charsOf(trimmed) <= lengths.targetChars) return trimmed;
  const from = findCut(trimmed, lengths);
  const note = noteOf(state, cut(wordsFor(state.transcript.slice(0, from)), summaryChars(state)));
  const replaced = dropBodies(replaceBeginning(state.transcript, from, note), lengths);
  return charsOf(replaced) < charsOf(trimmed) ? replaced : trimmed;
}

/** In the place of a summary: the one before, and what was called since. */
function wordsFor(part: readonly TranscriptItem[]): string {
  const note = part[FIXED_ITEMS]?.content ?? '';
  const summaryAt = note.startsWith(SHORTENED) ? note.indexOf(SUMMARY_TITLE) : -1;
  const lines = callLines(part, CALL_CHARS);
  return [
    ...(summaryAt < 0 ? [] : [note.slice(summaryAt + SUMMARY_TITLE.length).trim()]),
    ...(lines.length === 0 ? [] : [UNSUMMED_TITLE, ...lines.map((line) => `- ${line}`)]),
  ].join('\n');
}

/** What stands in the place of earlier steps: what must not be lost whatever a summary says, and their summary. */
function noteOf(state: RunState, summary: string): string {
  const { record, artifacts, unknownOutcomes } = state;
  const listChars = Math.min(LIST_CHARS, Math.floor(lengthsOf(state).keepChars / 2));
  const list = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [`${title}:\n${cut(lines.map((line) => `- ${line}`).join('\n'), listChars)}`];
  return [
    `${SHORTENED} it stands at step ${state.step}. Go on from this note about what came before.]`,
    ...list('What people said and decided, in order', record),
    ...list(
      'Artifacts',
      artifacts.slice(-100).map(({ id, name, callId }) => `${id}${name ? ` ${name}` : ''} (of ${callId})`),
    ),
    ...list(
      'Calls of which nobody knows whether they took effect',
      unknownOutcomes.slice(-100).map(({ callId, tool }) => `${tool} (${callId})`),
    ),
    `${SUMMARY_TITLE}\n${summary}`,
  ].join('\n\n');
}

function file(draft: Draft, transcript: TranscriptItem[], summary: string | null): void {
  const { state } = draft;
  const { compaction, step } = state;
  const before = promptSize(state).expectedTokens;
  // What the server counted was another conversation.
  const uncounted = (items: TranscriptItem[]) =>
    promptSize({ ...state, transcript: items, calibration: null }).expectedTokens;
  const share = uncounted(transcript) / uncounted(state.transcript);
  patch(draft, {
    transcript,
    transcriptHash: hashItems(EMPTY_HASH, transcript),
    calibration: null,
    compaction: {
      ...compaction,
      count: compaction.count + 1,
      steps: [...compaction.steps.filter((one) => one !== step), step].slice(-COMPACTION.inARow),
      isDue: false,
    },
    loop: { ...state.loop, seen: state.loop.seen.map((one) => ({ ...one, forgotten: true as const })) },
    model: { ...state.model, ...FIRST_ATTEMPT, call: null, retryAtMs: null },
  });
  emit(draft, {
    type: 'compacted',
    step,
    by: summary === null ? 'cut' : 'summary',
    messagesBefore: state.transcript.length,
    messagesAfter: transcript.length,
    tokensBefore: before,
    tokensAfter: Math.ceil(before * share),
    summary,
  });
}
