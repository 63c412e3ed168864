import { beginLanding } from '../closing.js';
import { append, emit, patch, type Draft } from '../draft.js';
import { isSelfKeeping } from '../metered.js';
import type { ModelResult } from '../outcomes.js';
import { blockedBy } from '../money/quote.js';

/** Why what was said without calls is no answer yet, and what the model is told of it. */
const NO_ANSWER = {
  cut: {
    problem: 'it was cut off',
    ask: 'Your answer was cut off there. Give it again as a whole, in fewer words.',
  },
  empty: { problem: 'it was empty', ask: 'Your answer was empty. Go on, or give it now.' },
};

const ASKS = Object.values(NO_ANSWER).map(({ ask }) => ask);

/**
 * Finds what is no answer. The model is told so once in a row, if there is room for another step; where money was too
 * short for more words, each time.
 */
export function noAnswer(
  { state, atMs }: Draft,
  { text = '', finish, schemaProblem }: ModelResult,
  isShortOfMoney: boolean,
): keyof typeof NO_ANSWER | null {
  if (state.landing || state.cancelRequested) return null;
  const isCut = finish === 'length';
  if (isCut && isShortOfMoney) return 'cut';
  // What does not fit its schema is asked for again for that.
  if (!isSelfKeeping(state) || schemaProblem !== undefined || !(isCut || text.trim() === '')) return null;
  const wasAsked = state.transcript
    .slice(-2)
    .some(({ role, content }) => role === 'user' && ASKS.includes(content));
  if (wasAsked || blockedBy(state, atMs)) return null;
  return isCut ? 'cut' : 'empty';
}

/** Asks for the answer once more when that can be paid, or lands. */
export function askForAnswer(draft: Draft, why: keyof typeof NO_ANSWER, isShortOfCredit: boolean): void {
  const { step } = draft.state;
  const { problem, ask } = NO_ANSWER[why];
  if (isSelfKeeping(draft.state)) emit(draft, { type: 'answer_refused', step, problem });
  const blocked = blockedBy(draft.state, draft.atMs);
  if (blocked) return beginLanding(draft, blocked);
  append(draft, [{ role: 'user', content: ask }]);
  patch(draft, { step: step + 1 });
  if (why !== 'cut' || !isShortOfCredit) return;
  patch(draft, { pause: { reason: 'payment' } });
  const message = 'The credit was enough for a part of the answer only. Add credit, then resume the run.';
  emit(draft, { type: 'run_paused', reason: 'payment', by: null, message });
}
