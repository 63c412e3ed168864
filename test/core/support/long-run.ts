import { charsOf } from '../../../src/core/context/compact-items.js';
import { promptItems } from '../../../src/core/context/prompt-items.js';
import type { ModelFacts, Prepared } from '../../../src/core/run-input.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import { modelAnswers, modelInput, running, toolAnswers } from './run.js';
import type { Shell } from './shell.js';
import { problemToSend } from './transcript-check.js';
import { factsOf, PRICE } from './world.js';

/** Facts about `maker/first`, and others, of which only the context is known beside the price. */
export function windows(...contextLengths: (number | null)[]): Record<string, ModelFacts> {
  const names = ['maker/first', 'maker/second', 'other/third'];
  return Object.fromEntries(
    contextLengths.map((contextLength, index) => [names[index] ?? '', factsOf(PRICE, { contextLength })]),
  );
}

/** A run whose conversation is shortened when it has about so many characters; the first model call is under way. */
export function shortRun(
  compactAtChars: number,
  { prepared = {}, input = {} }: { prepared?: Partial<Prepared>; input?: object } = {},
): Shell {
  // A quarter is kept back for the answer, and three characters are taken to be a token.
  const compactAtTokens = Math.ceil(compactAtChars / 3 / 0.75);
  return running(
    { toolsSizeBytes: 0, ...prepared },
    { goal: 'Tidy up the attic.', compactAtTokens, ...input },
  );
}

/** Tokens of the conversation, as a server may count them. */
export function tokensOf(shell: Shell): number {
  return Math.ceil(charsOf(shell.state.transcript) / 3);
}

/** A step: the model looks at something, and the tool returns so much. */
export function looks(shell: Shell, chars: number, text = `Look ${shell.state.step}.`): Shell {
  const { step } = shell.state;
  const args = JSON.stringify({ drawer: step });
  modelAnswers(shell, {
    text,
    calls: [{ id: `call_${step}`, name: 'look', args, effect: 'read' }],
    promptTokens: tokensOf(shell),
  });
  return toolAnswers(shell, `s${step}.c0`, `Drawer ${step}: ${'dust '.repeat(chars / 5)}`);
}

/** Steps until the conversation has to be shortened; the summary is being written. */
export function looksUntilFull(shell: Shell, chars = 1_000): Shell {
  for (let round = 0; round < 100; round += 1) {
    if (purposeOf(shell) === 'compaction') return shell;
    looks(shell, chars);
  }
  throw new Error('The conversation is never full.');
}

/** The summary is there. */
export function sumsUp(shell: Shell, text = 'Drawers 0 to 3 hold dust.'): Shell {
  return modelAnswers(shell, { text });
}

/** What the model is asked for, if it is. */
export function purposeOf(shell: Shell): string | undefined {
  const [work] = [...shell.started.values()].filter(({ kind }) => kind === 'model');
  return work?.kind === 'model' ? work.input.purpose : undefined;
}

/** The conversation that the model call under way reads. */
export function asked(shell: Shell): readonly TranscriptItem[] {
  const { purpose, version } = modelInput(shell);
  return promptItems(purpose, shell.state.transcript.slice(0, version));
}

/** What a provider would refuse about any request that was made. */
export function problemsOf({ starts }: Shell): (string | null)[] {
  const problems = starts.map(({ work, state }) =>
    work.kind === 'model'
      ? problemToSend(promptItems(work.input.purpose, state.transcript.slice(0, work.input.version)))
      : null,
  );
  return problems.filter((problem) => problem !== null);
}

/** The note in the place of earlier steps. */
export function noteOf({ state }: Shell): string {
  const content = state.transcript[2]?.content ?? '';
  return content.startsWith('[The conversation up to here was shortened;') ? content : '';
}
