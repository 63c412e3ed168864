import { CURRENT_BEHAVIOUR } from '../../../src/core/behaviour.js';
import type { JsonValue } from '../../../src/core/json.js';
import type { Outcome } from '../../../src/core/outcomes.js';
import type { ModelPrice } from '../../../src/core/money/price.js';
import { NO_LIMITS, type Limits, type ModelFacts, type Prepared } from '../../../src/core/run-input.js';
import type { Dice } from './dice.js';

/** The tool at which simulated runs stop when they are told to. */
export const STOP_TOOL = 'hand_in';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** Who may decide in runs that take signed decisions only. */
export const APPROVERS = [
  'ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= ada',
  'ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= bob',
  'ed25519:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8= eve',
];

/** Who speaks to simulated runs. */
export const NAMES = ['ada', 'bob', 'eve'] as const;

/** The run that a simulated sub-agent belongs to. */
export const PARENT = { runId: 'root', key: 's4.c1', rootId: 'root', path: 's4.c1', depth: 1 };

/** A run input of any kind that a worker would accept. */
export function someRunInput(dice: Dice): Record<string, JsonValue> {
  return {
    goal: 'Tidy up.',
    ...(dice.chance(20) && { stopOnTool: [STOP_TOOL] }),
    ...(dice.chance(20) && { system: 'Be brief.' }),
    ...(dice.chance(20) && { model: 'maker/first' }),
    ...(dice.chance(10) && { limits: { maxSteps: 1 + dice.roll(5), maxCostUsd: 'much' } }),
    ...(dice.chance(20) && { approvers: APPROVERS }),
    ...(dice.chance(50) && { requestedBy: 'eve' }),
    ...(dice.chance(35) && { webhookUrl: 'https://hooks.example/' }),
    ...(dice.chance(20) && { parent: { ...PARENT, depth: 1 + dice.roll(3), tainted: dice.chance(20) } }),
    ...(dice.chance(20) && { shared: { door: 'blue' } }),
    ...(dice.chance(30) && { compactAtTokens: 1_000 + dice.roll(4_000) }),
    ...(dice.chance(15) && { requireApproval: 'never' }),
  };
}

/** The input of a run that goes on for long, with little room for its conversation. */
export function someLongInput(dice: Dice): Record<string, JsonValue> {
  return {
    goal: 'Tidy up.',
    ...(dice.chance(70) && { compactAtTokens: 1_000 + dice.roll(3_000) }),
    ...(dice.chance(15) && { requireApproval: 'never' }),
    ...(dice.chance(30) && { maxOutputTokens: 300 }),
  };
}

/** A run without ceilings, but perhaps a shared budget. */
export function someLongPrepared(dice: Dice): Outcome<Prepared> {
  const models = ['maker/second', 'other/third'].slice(dice.roll(3));
  return {
    kind: 'ok',
    value: preparedWith({
      models,
      ...(dice.chance(60) && { modelFacts: someFacts(dice) }),
      ...(dice.chance(30) && { budget: 'team' }),
    }),
  };
}

export function someLimits(dice: Dice): Limits {
  return {
    maxCostUsd: dice.chance(35) ? (1 + dice.roll(300)) / dice.pick([10_000, 1_000, 100] as const) : null,
    maxSteps: dice.chance(30) ? 1 + dice.roll(9) : null,
    maxTokens: dice.chance(15) ? 1 + dice.roll(20_000) : null,
    maxDurationMs: dice.chance(25) ? 1 + dice.roll(12 * HOUR_MS) : null,
  };
}

/** A dollar for a million tokens read, five for a million written. */
export const PRICE = {
  promptNanoUsdPerMillion: 1_000_000_000,
  completionNanoUsdPerMillion: 5_000_000_000,
  requestNanoUsd: 0,
} as const satisfies ModelPrice;

/** Facts about a model of that price. */
export function factsOf(price: ModelPrice | null = PRICE, fields: Partial<ModelFacts> = {}): ModelFacts {
  return { price, maxOutputTokens: null, contextLength: null, ...fields };
}

const MODEL_FACTS = {
  'maker/first': factsOf(),
  'maker/second': factsOf({ ...PRICE, completionNanoUsdPerMillion: 8_000_000_000, requestNanoUsd: 7 }),
  'other/third': factsOf({
    ...PRICE,
    tiers: [{ ...PRICE, minPromptTokens: 3_000, promptNanoUsdPerMillion: 2_000_000_001 }],
  }),
};

export function preparedWith(fields: Partial<Prepared> = {}): Prepared {
  return {
    behaviour: CURRENT_BEHAVIOUR,
    model: 'maker/first',
    models: [],
    tools: ['look', 'send'],
    limits: NO_LIMITS,
    modelFacts: MODEL_FACTS,
    unpricedModels: 'refuse',
    toolsSizeBytes: 900,
    searchAttributes: true,
    heartbeatTimeoutMs: 8_000,
    continueAsNewEvents: 2_000,
    warnings: [],
    ...fields,
  };
}

/** How work other than a model call may end without a value. */
export function someFailure<T>(dice: Dice, codes: readonly [string, ...string[]]): Outcome<T> {
  const kind = dice.roll(4);
  if (kind === 0) return { kind: 'timed_out' };
  if (kind === 1) return { kind: 'cancelled' };
  const code = dice.pick(codes);
  return {
    kind: 'failed',
    code,
    message: `It failed with ${code}.`,
    retryable: dice.chance(85),
    details: {},
  };
}

/** What is known of models where not all is known. */
function someFacts(dice: Dice): Record<string, ModelFacts> {
  return {
    ...(dice.chance(80) && {
      'maker/first': factsOf(dice.chance(60) ? PRICE : null, {
        maxOutputTokens: 2_000,
        contextLength: dice.pick([null, 3_000, 200_000] as const),
      }),
    }),
    ...(dice.chance(80) && { 'maker/second': factsOf(PRICE, { contextLength: 4_000 }) }),
  };
}

export function somePrepared(dice: Dice): Outcome<Prepared> {
  if (dice.chance(96))
    return {
      kind: 'ok',
      value: preparedWith({
        limits: someLimits(dice),
        models: dice.chance(40) ? ['maker/second', 'other/third'].slice(dice.roll(2)) : [],
        ...(dice.chance(30) && { modelFacts: someFacts(dice) }),
        ...(dice.chance(40) && { unpricedModels: 'estimate' as const }),
        ...(dice.chance(25) && { budget: 'team' }),
        ...(dice.chance(80) && { taint: dice.pick(['ask', 'off'] as const) }),
        ...(dice.chance(25) && { idleMs: dice.pick([1, HOUR_MS, 24 * HOUR_MS] as const) }),
        warnings: dice.chance(10) ? ['No search attributes.'] : [],
      }),
    };
  return someFailure(dice, ['INPUT_INVALID', 'TOOL_UNKNOWN', 'no code at all']);
}

/** Stands for the hash that the worker makes of arguments. */
export function fakeHash(args: string): string {
  return `sha256:${args}`;
}
