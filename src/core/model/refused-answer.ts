import { assembleAnswer, beginLanding, close } from '../closing.js';
import { append, emit, patch, type Draft } from '../draft.js';
import { isSelfKeeping } from '../metered.js';
import { blockedBy } from '../money/quote.js';
import type { ModelResult } from '../outcomes.js';
import { keepReviewed } from '../review/reviewing.js';
import { finishTurn } from '../session.js';
import type { RunState } from '../state.js';

/** Why an answer without calls is none: in words for people, for the model, and for the end of the run. */
interface Flaw {
  problem: string;
  ask: string;
  error: string;
}

const CUT: Flaw = {
  problem: 'it was cut off',
  ask: 'Your answer was cut off there. Give it again as a whole, in fewer words.',
  error:
    'The answer was cut off, also when it was asked for again: give it more room (--max-output-tokens), or ask for less.',
};

const EMPTY: Flaw = {
  problem: 'it was empty',
  ask: 'Your answer was empty. Go on, or give it now.',
  error: 'The model gave no answer: it was empty, also when it was asked for again.',
};

function flawOf(state: RunState, { text = '', finish, schemaProblem }: ModelResult): Flaw | null {
  const isCut = finish === 'length';
  if (schemaProblem !== undefined) {
    const problem = isCut ? `${CUT.problem}: ${schemaProblem}` : schemaProblem;
    return {
      problem,
      ask: `Your answer does not fit the schema: ${problem}. Give it again, as one JSON value that fits and nothing else.`,
      error: `The answer does not fit the schema of the run, also when it was asked for again: ${problem}`,
    };
  }
  if (!isSelfKeeping(state)) return null;
  if (isCut) return CUT;
  return text.trim() === '' ? EMPTY : null;
}

/**
 * Refuses what is no answer: it is asked for once more. Then an answer that was reviewed stands; a session waits for what is said next; any
 * other run fails, with the answer as it is.
 * @returns whether it was refused
 */
export function refuseAnswer(draft: Draft, value: ModelResult): boolean {
  const { step, repairedStep, input, review } = draft.state;
  const flaw = flawOf(draft.state, value);
  if (!flaw) return false;
  emit(draft, { type: 'answer_refused', step, problem: flaw.problem });
  // Without a schema the model may have gone on with calls since it was told.
  const wasAsked = input.schema === undefined ? repairedStep === step - 1 : repairedStep !== null;
  const blocked = blockedBy(draft.state, draft.atMs);
  if (review.rounds > 0 && (wasAsked || blocked))
    keepReviewed(draft, `What was to mend it was refused: ${flaw.problem}.`);
  else if (wasAsked) giveUp(draft, value, flaw);
  else if (blocked) beginLanding(draft, blocked);
  else {
    append(draft, [{ role: 'user', content: flaw.ask }]);
    patch(draft, { repairedStep: step, step: step + 1 });
  }
  return true;
}

function giveUp(draft: Draft, { text = '', schemaProblem }: ModelResult, { error: message }: Flaw): void {
  const answer = text.trim() === '' ? assembleAnswer(draft.state) : text;
  const isSession = draft.state.prepared?.idleMs !== undefined;
  if (isSession && schemaProblem === undefined) return finishTurn(draft, answer);
  close(draft, { outcome: 'failed', answer, error: { code: 'ANSWER_INVALID', message } });
}

/** What credit or a ceiling has cut short is asked for as a whole when that can be paid, or the run lands. */
export function askForWhole(draft: Draft, isShortOfCredit: boolean): void {
  const { step } = draft.state;
  if (isSelfKeeping(draft.state)) emit(draft, { type: 'answer_refused', step, problem: CUT.problem });
  const blocked = blockedBy(draft.state, draft.atMs);
  if (blocked) return beginLanding(draft, blocked);
  append(draft, [{ role: 'user', content: CUT.ask }]);
  patch(draft, { step: step + 1 });
  if (!isShortOfCredit) return;
  patch(draft, { pause: { reason: 'payment' } });
  const message = 'The credit was enough for a part of the answer only. Add credit, then resume the run.';
  emit(draft, { type: 'run_paused', reason: 'payment', by: null, message });
}
