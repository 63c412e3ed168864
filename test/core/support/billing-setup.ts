import { worstCaseNanoUsd, type ModelPrice } from '../../../src/core/money/price.js';
import { NO_LIMITS, type Limits, type ModelFacts, type Prepared } from '../../../src/core/run-input.js';
import type { ServedModel } from './billing-server.js';
import type { Dice } from './dice.js';

const MINUTE_MS = 60_000;
const NAMES = ['maker/first', 'maker/second', 'other/third'] as const;
/** Nano-dollars for a million tokens: from far below one for a token to a thousand times the dearest models. */
const SCALES = [
  0, 1, 700_003, 30_000_000, 1_000_000_000, 15_000_000_001, 600_000_000_000, 20_000_000_000_000,
];
const MAX_NANO_USD = 1e15;

/** The circumstances of one simulated life. */
export interface Setup {
  input: { goal: string; maxOutputTokens?: number };
  prepared: Prepared;
  models: ReadonlyMap<string, ServedModel>;
  /** Steps after which the model would like to be done. */
  wantedSteps: number;
  faultPercent: number;
  humanPercent: number;
  /** How much of what is asked of the shared budget it can grant; `null`: there is none. */
  poolNanoUsd: number | null;
  /** The server's list of prices cannot be read while the run lasts. */
  isListAway: boolean;
}

export function someSetup(dice: Dice): Setup {
  const names = NAMES.slice(0, dice.pick([1, 1, 2, 3] as const));
  const scale = dice.pick(SCALES) ?? 0;
  const served = names.map((name) => someModel(name, scale, dice));
  const [first] = served;
  if (!first) throw new Error('There is a model.');
  const maxOutputTokens = dice.pick([undefined, 1 + dice.roll(300), 1_000, 8_000, 20_000] as const);
  const toolsSizeBytes = dice.pick([0, 2, 900, 6_000] as const);
  const typicalNanoUsd = worstCaseNanoUsd(first.price, {
    promptTokens: 2_000 + toolsSizeBytes,
    maxOutputTokens: maxOutputTokens ?? 8_192,
  });
  const poolNanoUsd = dice.chance(15) ? someCeiling(typicalNanoUsd, dice) : null;
  const isKnown = !dice.chance(6);
  return {
    input: {
      goal: 'Tidy up. '.repeat(1 + dice.roll(20)),
      ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    },
    prepared: {
      behaviour: 2,
      model: first.name,
      models: names.slice(1),
      tools: ['look', 'send'],
      limits: someLimits(typicalNanoUsd, dice),
      searchAttributes: true,
      heartbeatTimeoutMs: 8_000,
      continueAsNewEvents: 2_000,
      modelFacts: isKnown ? Object.fromEntries(served.map((one) => [one.name, factsOf(one, dice)])) : {},
      toolsSizeBytes,
      ...(poolNanoUsd !== null && { budget: 'team' }),
      warnings: [],
    },
    models: new Map(served.map((one) => [one.name, one])),
    wantedSteps: dice.pick([1, 3, 8, 20, 60] as const) + dice.roll(4),
    faultPercent: dice.pick([0, 8, 25, 60] as const),
    humanPercent: dice.pick([0, 3, 12] as const),
    poolNanoUsd,
    isListAway: dice.chance(6),
  };
}

function someModel(name: string, scale: number, dice: Dice): ServedModel {
  return {
    name,
    price: somePrice(dice.chance(80) ? scale : (dice.pick(SCALES) ?? 0), dice),
    density: dice.pick([1 / 8, 1 / 4, 1 / 3, 1 / 2, 1] as const),
    frameTokens: dice.pick([0, 350, 1_000] as const),
    itemFrameTokens: dice.pick([0, 4, 16] as const),
    maxOutputTokens: dice.chance(75) ? 32_000 : 500 + dice.roll(9_000),
    contextLength: dice.chance(85) ? 400_000 : 12_000 + dice.roll(30_000),
  };
}

/** The server's list does not say all of a model, but prices it says for all. */
function factsOf({ price, maxOutputTokens, contextLength }: ServedModel, dice: Dice): ModelFacts {
  return {
    price,
    maxOutputTokens: dice.chance(70) ? maxOutputTokens : null,
    contextLength: dice.chance(70) ? contextLength : null,
  };
}

export function somePrice(scale: number, dice: Dice): ModelPrice {
  const range = (factor: number) => ({
    promptNanoUsdPerMillion: share(scale * factor, dice),
    completionNanoUsdPerMillion: share(scale * factor * 4, dice),
    ...(dice.chance(50) && { cacheWriteNanoUsdPerMillion: Math.ceil(scale * factor * 1.25) }),
    ...(dice.chance(50) && { cacheReadNanoUsdPerMillion: Math.floor((scale * factor) / 20) }),
  });
  const starts = dice.chance(30) ? [1_500 + dice.roll(2_000), 5_000 + dice.roll(9_000)] : [];
  const tiers = starts
    .slice(dice.roll(2))
    .map((minPromptTokens) => ({ minPromptTokens, ...range(dice.pick([0.5, 2, 3] as const)) }));
  return {
    ...range(1),
    requestNanoUsd: dice.chance(25) ? Math.ceil(scale / 1_000) + dice.roll(3) : 0,
    ...(tiers.length > 0 && { tiers }),
  };
}

/** From half of it to all, and not always a whole number of nano-dollars for a token. */
function share(amount: number, dice: Dice): number {
  return Math.ceil((amount * (500 + dice.roll(501))) / 1_000);
}

/** From less than one call to hundreds of them. */
export function someCeiling(callNanoUsd: number, dice: Dice): number {
  const factor = dice.pick([0.2, 0.7, 1, 1.3, 2, 3, 5, 9, 20, 60, 400] as const);
  const nanoUsd = Math.round(Math.max(callNanoUsd, 100) * factor * (0.7 + dice.roll(600) / 1_000));
  return Math.min(Math.max(nanoUsd, 1), MAX_NANO_USD);
}

function someLimits(typicalNanoUsd: number, dice: Dice): Limits {
  return {
    ...NO_LIMITS,
    maxCostUsd: dice.chance(88) ? someCeiling(typicalNanoUsd, dice) / 1e9 : null,
    maxSteps: dice.chance(15) ? 1 + dice.roll(12) : null,
    maxTokens: dice.chance(15) ? 2_000 + dice.roll(200_000) : null,
    maxDurationMs: dice.chance(12) ? MINUTE_MS + dice.roll(200 * MINUTE_MS) : null,
  };
}
