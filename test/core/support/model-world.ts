import type { JsonObject } from '../../../src/core/json.js';
import type { CostReport, ModelResult, Outcome, PlannedCall } from '../../../src/core/outcomes.js';
import type { DrawInput, DrawResult } from '../../../src/core/money/budget-draw.js';
import type { Charge } from '../../../src/core/money/ledger.js';
import type { Dice } from './dice.js';
import { someCalls, type Policies } from './tool-world.js';
import { PRICE } from './world.js';

const MODEL_CODES = [
  'MODEL_UNREACHABLE',
  'MODEL_AUTH',
  'MODEL_PAYMENT',
  'MODEL_BAD_REQUEST',
  'MODEL_CONTEXT_LENGTH',
  'MODEL_RATE_LIMITED',
  'MODEL_UNAVAILABLE',
  'MODEL_STREAM_TRUNCATED',
  'MODEL_STALLED',
  'PRICE_UNKNOWN',
  'PRICE_CHANGED',
  'no code at all',
] as const;

const PASSING_CODES = [
  'MODEL_UNREACHABLE',
  'MODEL_PAYMENT',
  'MODEL_CONTEXT_LENGTH',
  'MODEL_UNAVAILABLE',
] as const;

/** One attempt at a model call in a simulated world. */
export interface SimulatedCall {
  /** The most that the world may bill for it. */
  reservedNanoUsd: number | null;
  /** A name that no generation had before. */
  generationId: string;
  /** Generations whose answer nobody has got, which a cached answer may name. */
  lostIds: readonly string[];
  nextCallId(): string;
  policies: Policies;
  /** The model hardly ever answers without calling a tool, and no server fails for good. */
  isKeen?: boolean;
}

/** How an attempt at a model call may end. */
export function someModelOutcome(dice: Dice, call: SimulatedCall): Outcome<ModelResult> {
  if (dice.chance(20)) return someModelFailure(dice, call);
  const calls = dice.chance(call.isKeen ? 99 : 85) ? someCalls(dice, call.nextCallId, call.policies) : [];
  return { kind: 'ok', value: someModelResult(dice, call, calls) };
}

/** An attempt without an answer, and what it left behind. */
function someModelFailure(dice: Dice, { generationId, isKeen }: SimulatedCall): Outcome<ModelResult> {
  const traces: readonly [JsonObject, ...JsonObject[]] = [
    { unsent: true },
    { sent: true, unbilled: true },
    { sent: true, generationId },
    { sent: true },
    {},
  ];
  const trace = dice.pick(traces);
  const kind = dice.roll(4);
  if (kind < 2) {
    const details = Object.keys(trace).length > 0 && { details: trace };
    return { kind: kind === 0 ? 'timed_out' : 'cancelled', ...details };
  }
  const code = dice.pick(isKeen ? PASSING_CODES : MODEL_CODES);
  const details: JsonObject = {
    ...trace,
    ...(dice.chance(15) && { delayMs: dice.roll(600_000) }),
    ...(dice.chance(10) && { workerGone: true }),
    ...(code === 'MODEL_PAYMENT' && dice.chance(60) && { affordableTokens: dice.roll(3_000) }),
    ...(dice.chance(10) && { fallbackModels: ['other/third', 'some/other'] }),
    ...(code === 'PRICE_CHANGED' && { prices: somePrices(dice) }),
  };
  const isFinal = code === 'MODEL_CONTEXT_LENGTH' || dice.chance(isKeen ? 1 : 15);
  return { kind: 'failed', code, message: `It failed with ${code}.`, retryable: !isFinal, details };
}

function somePrices(dice: Dice): JsonObject {
  return { 'maker/first': { ...PRICE, promptNanoUsdPerMillion: 1_000_000_000 * (1 + dice.roll(9)) } };
}

export function someModelResult(dice: Dice, call: SimulatedCall, calls: PlannedCall[]): ModelResult {
  const text = dice.pick(['', ' \n', 'I look into it.', 'Done: all is tidy. 🧹'] as const);
  const sourceId = dice.pick(call.lostIds);
  const cached = dice.chance(10);
  return {
    ...(dice.chance(80) && { text }),
    ...((calls.length > 0 || dice.chance(50)) && { calls }),
    ...(dice.chance(20) && { reasoning: [{ type: 'reasoning.text', text: 'Hm.' }] }),
    model: dice.pick(['maker/first', 'other/third'] as const),
    finish: calls.length > 0 ? 'tool_calls' : dice.chance(80) ? 'stop' : 'length',
    ...(cached
      ? { promptTokens: 0, completionTokens: 0, costNanoUsd: 0, cached: true as const }
      : someUsage(dice, call)),
    ...(cached && dice.chance(70) && { cacheSourceId: sourceId ?? 'gen-of-nobody' }),
    ...(dice.chance(15) && { attempt: 2 + dice.roll(5) }),
  };
}

/** A world bills no more than the most that its prices allow. */
function someUsage(
  dice: Dice,
  { reservedNanoUsd, generationId }: SimulatedCall,
): Pick<
  ModelResult,
  'promptTokens' | 'completionTokens' | 'cachedTokens' | 'costNanoUsd' | 'estimated' | 'generationId'
> {
  return {
    promptTokens: dice.roll(500),
    completionTokens: dice.roll(200),
    ...(dice.chance(30) && { cachedTokens: dice.roll(300) }),
    ...(dice.chance(90) && { costNanoUsd: dice.roll((reservedNanoUsd ?? 500_000_000) + 1) }),
    ...(dice.chance(15) && { estimated: true as const }),
    ...(dice.chance(75) && { generationId }),
  };
}

/** What a server may say about the cost of generations: of each the cost, or nothing yet; or it cannot be asked. */
export function someCostReport(dice: Dice, charges: readonly Charge[]): Outcome<CostReport> {
  if (dice.chance(10)) return { kind: 'timed_out' };
  if (dice.chance(10))
    return { kind: 'failed', code: 'MODEL_UNREACHABLE', message: 'No.', retryable: true, details: {} };
  const found = charges.flatMap(({ generationId, nanoUsd }) =>
    generationId === undefined || dice.chance(50)
      ? []
      : [
          {
            generationId,
            costNanoUsd: dice.roll((nanoUsd ?? 500_000_000) + 1),
            promptTokens: dice.roll(500),
            completionTokens: dice.roll(200),
          },
        ],
  );
  return { kind: 'ok', value: { found } };
}

/** What a shared budget may grant: all that is asked, a part of it, or nothing. */
export function someDraw(dice: Dice, { totalNanoUsd }: DrawInput): Outcome<DrawResult> {
  if (dice.chance(5)) return { kind: 'timed_out' };
  if (dice.chance(5))
    return {
      kind: 'failed',
      code: 'BUDGET_UNKNOWN',
      message: 'No such budget.',
      retryable: false,
      details: {},
    };
  const grantedNanoUsd = dice.chance(70) ? totalNanoUsd : dice.roll(Math.min(totalNanoUsd, 1e15) + 1);
  return { kind: 'ok', value: { grantedNanoUsd } };
}
