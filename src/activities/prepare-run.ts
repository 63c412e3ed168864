import { ASSUMED_PRICE, CURRENT_BEHAVIOUR } from '../core/behaviour.js';
import { AgentError, isAgentError } from '../core/errors.js';
import { DEFAULT_IDLE_MS } from '../core/idle.js';
import type { JsonObject } from '../core/json.js';
import {
  NO_LIMITS,
  type Limits,
  type LimitsInput,
  type ModelFacts,
  type Prepared,
  type RunInput,
  type TaintPolicy,
  type UnpricedModels,
} from '../core/run-input.js';
import type { ModelPort, Wire } from '../ports/model.js';
import type { ArtifactPort, ToolRegistry } from '../ports/tools.js';
import { queryCurrentRun, reporting } from './activity-run.js';
import { unlisted, unpriced } from './model-refusals.js';
import { pinTools } from './pinned-tools.js';
import { planReview } from './plan-review.js';

/** What preparing a run works with. */
export interface PrepareRunPorts {
  model: ModelPort;
  tools: ToolRegistry;
  /**
   * Checks the whole input.
   * @throws AgentError `INPUT_INVALID`
   */
  checkInput(input: unknown): RunInput;
  defaults: {
    model: string;
    limits: LimitsInput;
    unpricedModels?: UnpricedModels;
    budget?: string;
    taint?: TaintPolicy;
    wire?: Wire;
  };
  artifacts: ArtifactPort;
  /** Holds the values that tools share against their schema: what is wrong with them, or `null`. */
  checkShared?: (values: JsonObject) => string | null;
  /** Whether the server knows the search attributes. */
  searchAttributes: boolean;
  heartbeatTimeoutMs: number;
  continueAsNewEvents: number;
}

/** How long the model server may take to say whether it knows key and model. */
const CHECK_TIMEOUT_MS = 10_000;

/**
 * Of a model whose price could not be read, in a run that may not go on without. Free, so that even the lowest ceiling lets the first
 * call begin; before that is sent, `checkPrices` finds out the price or fails, and the run waits where it can be seen and stopped.
 */
const UNREAD: ModelFacts = {
  price: { promptNanoUsdPerMillion: 0, completionNanoUsdPerMillion: 0, requestNanoUsd: 0 },
  assumed: true,
  maxOutputTokens: null,
  contextLength: null,
};

/** Makes the activity that checks a run's input against this worker, so that a bad one fails once and clearly. */
export function createPrepareRun(ports: PrepareRunPorts): () => Promise<Prepared> {
  return () =>
    reporting(async () => {
      const settings = await queryCurrentRun().settings();
      const input = ports.checkInput(settings.input);
      const { defaults } = ports;
      const { model = defaults.model, models = [] } = input;
      const limits = { ...NO_LIMITS, ...defaults.limits, ...input.limits };
      const unpricedModels = input.unpricedModels ?? defaults.unpricedModels ?? 'refuse';
      // What a sub-agent spends, the run draws that has delegated.
      const budget = input.parent ? undefined : (input.budget ?? defaults.budget);
      const hasCeiling = limits.maxCostUsd !== null || budget !== undefined;
      const tools = chooseTools(input, ports.tools);
      checkShared(input, ports);
      const review = await planReview(input, settings.runId, ports);
      const asked = new Set([model, ...models, ...(review?.model === undefined ? [] : [review.model])]);
      const wire = input.wire ?? defaults.wire ?? 'chat';
      const { modelFacts, warnings } = await lookUp([...asked], ports.model, {
        limits: budget === undefined ? limits : null,
        needsPrices: hasCeiling && unpricedModels === 'refuse',
      });
      return {
        behaviour: CURRENT_BEHAVIOUR,
        model,
        models,
        tools,
        limits,
        searchAttributes: ports.searchAttributes,
        heartbeatTimeoutMs: ports.heartbeatTimeoutMs,
        continueAsNewEvents: ports.continueAsNewEvents,
        modelFacts: settlePrices(modelFacts, { hasCeiling, unpricedModels }),
        unpricedModels,
        ...(budget !== undefined && { budget }),
        toolsSizeBytes: Buffer.byteLength(JSON.stringify(tools.map((name) => ports.tools.get(name)?.spec))),
        taint: input.taint ?? defaults.taint ?? 'ask',
        ...idleOf(input),
        ...(wire !== 'chat' && { wire }),
        ...(review && { review }),
        ...(await pinsOf(input, tools, ports)),
        warnings,
      };
    });
}

/** What a sub-agent is told of tools is what the run was told that has delegated. */
async function pinsOf(
  { parent }: RunInput,
  tools: readonly string[],
  ports: PrepareRunPorts,
): Promise<Pick<Prepared, 'pins' | 'pinnedId'>> {
  if (parent?.pins === undefined || parent.pinnedId === undefined)
    return pinTools(tools, ports.tools, ports.artifacts);
  return { pins: parent.pins, pinnedId: parent.pinnedId };
}

function checkShared({ shared = {} }: RunInput, ports: PrepareRunPorts): void {
  const problem = ports.checkShared?.(shared) ?? null;
  if (problem === null) return;
  throw new AgentError('INPUT_INVALID', `Correct the input of the run: shared: ${problem}`);
}

/** How long a session waits for the next message; nothing for a run that is none. */
function idleOf({ session }: RunInput): Pick<Prepared, 'idleMs'> {
  if (session === undefined || session === false) return {};
  return { idleMs: (session === true ? undefined : session.idleMs) ?? DEFAULT_IDLE_MS };
}

/** Without a price no ceiling can be kept: such a run is refused, or a price is assumed. */
function settlePrices(
  facts: Record<string, ModelFacts>,
  { hasCeiling, unpricedModels }: { hasCeiling: boolean; unpricedModels: UnpricedModels },
): Record<string, ModelFacts> {
  const lacking = Object.keys(facts).filter((model) => facts[model]?.price === null);
  if (unpricedModels === 'estimate')
    return Object.fromEntries(
      Object.entries(facts).map(([model, one]) => [
        model,
        one.price === null ? { ...one, price: ASSUMED_PRICE, assumed: true as const } : one,
      ]),
    );
  if (hasCeiling && lacking.length > 0) throw unpriced(lacking);
  return facts;
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
async function lookUp(
  models: string[],
  port: ModelPort,
  { limits, needsPrices }: { limits: Limits | null; needsPrices: boolean },
): Promise<{ modelFacts: Record<string, ModelFacts>; warnings: string[] }> {
  const modelFacts: Record<string, ModelFacts> = {};
  try {
    const { limitRemainingUsd } = await inTime(askAbout(models, port, modelFacts));
    return { modelFacts, warnings: warningsOfKey(limitRemainingUsd, limits) };
  } catch (error) {
    if (!isAgentError(error) || !error.retryable) throw error;
    const unread = needsPrices ? Object.fromEntries(models.map((model) => [model, UNREAD])) : {};
    // A copy: an answer that comes too late may still be written down.
    return {
      modelFacts: { ...unread, ...modelFacts },
      warnings: [`The model server could not be asked yet: ${error.message}`],
    };
  }
}

async function askAbout(
  models: string[],
  port: ModelPort,
  facts: Record<string, ModelFacts>,
): Promise<{ limitRemainingUsd: number | null }> {
  const key = await port.checkKey();
  for (const model of models) {
    const info = await port.describe(model);
    if (info === null) throw unlisted(model);
    const { price = null, maxOutputTokens = null, contextLength = null } = info ?? {};
    facts[model] = { price, maxOutputTokens, contextLength };
  }
  return key;
}

/** The key's own limit would end the run, paused, before its ceiling does. What a shared budget has left changes all the time. */
function warningsOfKey(limitRemainingUsd: number | null, limits: Limits | null): string[] {
  if (limitRemainingUsd === null || limits === null) return [];
  const { maxCostUsd } = limits;
  if (maxCostUsd !== null && limitRemainingUsd >= maxCostUsd) return [];
  const ceiling =
    maxCostUsd === null ? 'and the run has no ceiling' : `less than the ceiling of ${maxCostUsd} USD`;
  return [`The API key may spend ${limitRemainingUsd} USD more, ${ceiling}. At its limit the run pauses.`];
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
