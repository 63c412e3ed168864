import { AgentError } from '../core/errors.js';

/** The server has a list of models, and this one is not in it. */
export function unlisted(model: string): AgentError {
  return new AgentError(
    'MODEL_BAD_REQUEST',
    `The model server has no model ${model}. Look the name up in its list of models.`,
  );
}

/** A ceiling cannot be kept with models of which nobody says what they cost. */
export function unpriced(models: readonly string[]): AgentError {
  return new AgentError(
    'PRICE_UNKNOWN',
    `Nobody knows what ${models.join(', ')} costs, so no ceiling on cost can be kept. Name a price under \`prices\` in the configuration, or allow a high assumed price: --unpriced estimate.`,
  );
}
