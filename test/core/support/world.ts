import { CURRENT_BEHAVIOUR } from '../../../src/core/behaviour.js';
import { isPending } from '../../../src/core/calls.js';
import type { ControlName } from '../../../src/core/controls.js';
import type { ArgsCheck } from '../../../src/core/inputs.js';
import type { JsonValue } from '../../../src/core/json.js';
import type { Outcome, PlannedCall, ToolResult } from '../../../src/core/outcomes.js';
import type { ModelPrice } from '../../../src/core/price.js';
import { NO_LIMITS, type Limits, type ModelFacts, type Prepared } from '../../../src/core/run-input.js';
import type { RunState } from '../../../src/core/state.js';
import type { Dice } from './dice.js';

/** The tool at which simulated runs stop when they are told to. */
export const STOP_TOOL = 'hand_in';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A run input of any kind that a worker would accept. */
export function someRunInput(dice: Dice): Record<string, JsonValue> {
  return {
    goal: 'Tidy up.',
    ...(dice.chance(20) && { stopOnTool: [STOP_TOOL] }),
    ...(dice.chance(20) && { system: 'Be brief.' }),
    ...(dice.chance(20) && { model: 'maker/first' }),
    ...(dice.chance(10) && { limits: { maxSteps: 1 + dice.roll(5), maxCostUsd: 'much' } }),
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
      'maker/first': factsOf(dice.chance(60) ? PRICE : null, { maxOutputTokens: 2_000 }),
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
        warnings: dice.chance(10) ? ['No search attributes.'] : [],
      }),
    };
  return someFailure(dice, ['INPUT_INVALID', 'TOOL_UNKNOWN', 'no code at all']);
}

export function someCalls(dice: Dice, nextId: () => string): PlannedCall[] {
  const count = dice.chance(10) ? 9 + dice.roll(4) : 1 + dice.roll(3);
  return Array.from({ length: count }, () => someCall(dice, nextId()));
}

function someCall(dice: Dice, id: string): PlannedCall {
  const name = dice.pick(['look', 'write', 'send', STOP_TOOL] as const);
  const args = JSON.stringify({ n: dice.roll(1_000) });
  const problem = { status: dice.pick(['invalid_arguments', 'unknown_tool'] as const), message: 'Not so.' };
  const control = dice.chance(50)
    ? { kind: 'wait' as const, durationMs: dice.roll(2 * HOUR_MS) }
    : { kind: 'ask' as const, question: 'Which one?' };
  return {
    id,
    name,
    args,
    ...(dice.chance(8) && { problem }),
    ...(dice.chance(45) && { effect: dice.pick(['read', 'idempotent'] as const) }),
    ...(dice.chance(35) && { gate: someGate(dice, args) }),
    ...(dice.chance(20) && { timeoutMs: 1_000 + dice.roll(HOUR_MS) }),
    ...(dice.chance(20) && { control }),
  };
}

/** Stands for the hash that the worker makes of arguments. */
export function fakeHash(args: string): string {
  return `sha256:${args}`;
}

function someGate(dice: Dice, args: string): NonNullable<PlannedCall['gate']> {
  return {
    argsHash: fakeHash(args),
    summary: `May I, with ${args}?`,
    ...(dice.chance(50) && { onExpiry: dice.pick(['deny', 'land'] as const) }),
    ...(dice.chance(50) && { expiresInMs: dice.pick([1, 10 * MINUTE_MS, HOUR_MS] as const) }),
  };
}

export function someToolOutcome(dice: Dice): Outcome<ToolResult> {
  if (dice.chance(20)) return { kind: 'timed_out' };
  if (dice.chance(25)) return someFailure(dice, ['TOOL_FAILED', 'TOOL_TIMEOUT', 'TOOL_UNKNOWN']);
  return {
    kind: 'ok',
    value: {
      content: dice.pick(['', 'All well.', '{"status":"ok"}', 'x'.repeat(3_000)] as const),
      ...(dice.chance(25) && { status: dice.pick(['failed', 'timed_out', 'unknown_outcome'] as const) }),
      ...(dice.chance(10) && { artifact: { id: 'a1', sizeBytes: 70_000 } }),
      ...(dice.chance(10) && { attempt: 2 }),
    },
  };
}

export function someArgsCheck(dice: Dice): Outcome<ArgsCheck> {
  if (dice.chance(20)) return someFailure(dice, ['ARGS_INVALID', 'TOOL_UNKNOWN']);
  if (dice.chance(30)) return { kind: 'ok', value: { ok: false, message: 'n must be a number.' } };
  const args = JSON.stringify({ n: -1 - dice.roll(1_000) });
  const control = dice.chance(20) && { kind: 'wait' as const, durationMs: dice.roll(HOUR_MS) };
  return { kind: 'ok', value: { ok: true, args, argsHash: fakeHash(args), ...(control && { control }) } };
}

const GARBAGE: readonly [unknown, ...unknown[]] = [
  undefined,
  null,
  0,
  true,
  'approve',
  [],
  [{ callId: 's0.c0' }],
  {},
  { callId: 7 },
  { callId: 's999.c0' },
  { callId: '' },
  { callId: null, decision: 'maybe' },
  { decision: 'approve', args: [1] },
  { decision: 'approve', args: 'rm -rf' },
  { decision: 'approve', argsHash: 'sha256:other' },
  { text: 9 },
  { text: '' },
  { text: 'x'.repeat(70_000) },
  { text: 'hi', mode: 'shout' },
  { note: 'n'.repeat(70_000) },
  { maxCostUsd: 'NaN' },
  { maxSteps: 1.5 },
  { maxTokens: -1 },
  { maxDurationMs: 1e300 },
  { __proto__: null, constructor: 1 },
];

/** What a human may send at any moment: mostly something that fits, sometimes anything at all. */
export function someControl(dice: Dice, state: RunState): { name: ControlName; payload: unknown } {
  const name = dice.pick([
    'decide', 'decide', 'decide', 'approve', 'reject', 'answer', 'answer', 'say', 'say', 'pause', 'resume', 'resume', 'stop', 'setLimits',
  ] as const); // prettier-ignore
  if (dice.chance(15)) return { name, payload: dice.pick(GARBAGE) };
  if (name === 'stop' && dice.chance(80)) return { name: 'say', payload: { text: 'Go on.' } };
  const unsure = state.calls.filter(({ status }) => status === 'unknown');
  if (unsure.length > 0 && dice.chance(40))
    return { name: 'approve', payload: { callId: dice.pick(unsure)?.id } };
  const call = dice.pick(dice.chance(60) ? state.calls.filter(isPending) : state.calls);
  const target = {
    ...(call && dice.chance(85) && { callId: call.id }),
    ...(dice.chance(40) && { note: 'Mind the gap.' }),
    ...(dice.chance(30) && { by: 'ada' }),
    ...(call && dice.chance(30) && { argsHash: dice.chance(80) ? call.plan.gate?.argsHash : 'sha256:other' }),
  };
  switch (name) {
    case 'decide':
      return {
        name,
        payload: {
          ...target,
          decision: dice.chance(75) ? 'approve' : 'reject',
          ...(dice.chance(30) && { args: { n: dice.roll(9) } }),
        },
      };
    case 'answer':
      return { name, payload: { ...target, text: 'The blue one.' } };
    case 'say':
      return {
        name,
        payload: {
          text: 'Use the other door.',
          ...(dice.chance(70) && { mode: dice.pick(['queue', 'steer', 'interrupt'] as const) }),
          ...(dice.chance(40) && { messageId: `id-${dice.roll(6)}` }),
        },
      };
    case 'setLimits':
      return { name, payload: { ...someLimits(dice), ...(dice.chance(30) && { by: 'ada' }) } };
    default:
      return { name, payload: target };
  }
}
