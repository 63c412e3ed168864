import { CURRENT_BEHAVIOUR } from '../core/behaviour.js';
import { AgentError, isAgentError } from '../core/errors.js';
import { NO_LIMITS, type LimitsInput, type Prepared, type RunInput } from '../core/run-input.js';
import type { ModelPort } from '../ports/model.js';
import type { ToolRegistry } from '../ports/tools.js';
import { queryCurrentRun, reporting } from './activity-run.js';

/** What preparing a run works with. */
export interface PrepareRunPorts {
  model: ModelPort;
  tools: ToolRegistry;
  /**
   * Checks the whole input.
   * @throws AgentError `INPUT_INVALID`
   */
  checkInput(input: unknown): RunInput;
  defaults: { model: string; limits: LimitsInput };
  /** Whether the server knows the search attributes. */
  searchAttributes: boolean;
  heartbeatTimeoutMs: number;
  continueAsNewEvents: number;
}

/** How long the model server may take to say whether it knows key and model. */
const CHECK_TIMEOUT_MS = 10_000;

/** Makes the activity that checks a run's input against this worker, so that a bad one fails once and clearly. */
export function createPrepareRun(ports: PrepareRunPorts): () => Promise<Prepared> {
  return () =>
    reporting(async () => {
      const settings = await queryCurrentRun().settings();
      const input = ports.checkInput(settings.input);
      const { model = ports.defaults.model, models = [] } = input;
      const warnings = await checkModels([model, ...models], ports.model);
      return {
        behaviour: CURRENT_BEHAVIOUR,
        model,
        models,
        tools: chooseTools(input, ports.tools),
        limits: { ...NO_LIMITS, ...ports.defaults.limits, ...input.limits },
        searchAttributes: ports.searchAttributes,
        heartbeatTimeoutMs: ports.heartbeatTimeoutMs,
        continueAsNewEvents: ports.continueAsNewEvents,
        warnings,
      };
    });
}

function chooseTools(input: RunInput, registry: ToolRegistry): string[] {
  const known = registry.names();
  const unknown = [...(input.tools ?? []), ...(input.stopOnTool ?? [])].filter(
    (name) => !known.includes(name),
  );
  if (unknown.length > 0)
    throw new AgentError(
      'TOOL_UNKNOWN',
      `The worker has no tool ${unknown.join(', ')}. It has: ${known.join(', ')}.`,
    );
  return input.tools ?? known;
}

/** A model that the server does not have, or a refused key, ends the run here. A server that is away may come back. */
async function checkModels(models: string[], port: ModelPort): Promise<string[]> {
  try {
    await inTime(askAbout(models, port));
    return [];
  } catch (error) {
    if (!isAgentError(error) || !error.retryable) throw error;
    return [`The model server could not be asked yet: ${error.message}`];
  }
}

async function askAbout(models: string[], port: ModelPort): Promise<void> {
  await port.checkKey();
  for (const model of models) {
    if ((await port.describe(model)) === null)
      throw new AgentError(
        'MODEL_BAD_REQUEST',
        `The model server has no model ${model}. Look the name up in its list of models.`,
      );
  }
}

/** A server that answers slowly must not keep the run from starting: the first step finds out all the same. */
async function inTime<T>(asking: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new AgentError('MODEL_UNREACHABLE', `no answer within ${CHECK_TIMEOUT_MS} ms.`);
    timer = setTimeout(() => reject(error), CHECK_TIMEOUT_MS);
  });
  return Promise.race([asking, late]).finally(() => clearTimeout(timer));
}
