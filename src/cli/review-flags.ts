import type { Command } from 'commander';
import { AgentError } from '../core/errors.js';
import type { JsonValue } from '../core/json.js';
import type { ReviewInput, RunInput } from '../core/run-input.js';
import { given } from './command.js';
import { parseRounds, parseTexts } from './parse-values.js';

/** The flags about the review of answers, as commander gives them. */
export interface ReviewFlags {
  /** `true`: as many rounds as usual. */
  review?: true | number;
  reviewModel?: string;
  check?: string[];
  reviewAsk?: true;
}

/** Adds them. */
export function reviewOptions(command: Command): Command {
  return command
    .option(
      '--review [rounds]',
      'have the answer reviewed and mended before it counts (default: 3 rounds)',
      parseRounds,
    )
    .option('--review-model <model>', 'the model that reviews (default: the one that answered)')
    .option('--check <command>', 'run before each review, as evidence; may be given again', parseTexts)
    .option(
      '--review-ask',
      'ask a human when the reviewer disagrees in the last round, instead of reporting it',
    );
}

/**
 * What the flags make of the review, field by field over what the input file says.
 * @param inFile what the input file says of it.
 * @throws AgentError `INPUT_INVALID` when there is nothing that the flags could be about
 */
export function reviewOf(
  { review, reviewModel: model, check, reviewAsk }: ReviewFlags,
  inFile: JsonValue | undefined,
): Pick<RunInput, 'review'> {
  const asked = given<ReviewInput>({
    rounds: typeof review === 'number' ? review : undefined,
    model,
    checks: check?.map((command) => ({ command })),
    onDisagreement: reviewAsk && 'ask',
  });
  const isInFile = inFile !== undefined && inFile !== false;
  const [needy] = [model && '--review-model', check && '--check', reviewAsk && '--review-ask'].filter(
    Boolean,
  );
  if (needy && review === undefined && !isInFile)
    throw new AgentError('INPUT_INVALID', `${needy} is about the review of the answer: add --review.`);
  if (Object.keys(asked).length > 0) return { review: { ...Object(isInFile ? inFile : null), ...asked } };
  return review !== undefined && !isInFile ? { review: true } : {};
}
