import type { ArgsCheck } from '../../../src/core/inputs.js';
import type { JsonObject } from '../../../src/core/json.js';
import { fingerprint } from '../../../src/core/context/loop-guard.js';
import type { Gate, Outcome, PlannedCall, ToolResult, Verification } from '../../../src/core/outcomes.js';
import type { Dice } from './dice.js';
import { fakeHash, HOUR_MS, MINUTE_MS, someFailure, STOP_TOOL } from './world.js';

const TOOLS = ['look', 'write', 'send', STOP_TOOL] as const;

/** What the tools of one simulated run say of themselves; it holds for all their calls. */
export type Policies = Readonly<Record<string, Policy>>;

interface Policy {
  gate: Partial<Gate>;
  /** The model asks for the same again and again. */
  stubborn?: true;
  polling?: true;
  /** Its calls may run again, and wait for a human as long as it takes. */
  isSafe?: true;
  parallel?: number;
}

/** @param isLong whether nothing that tools do or humans leave undone may end the run. */
export function somePolicies(dice: Dice, isLong = false): Policies {
  const isStubborn = dice.chance(isLong ? 50 : 20);
  const policies = TOOLS.map((tool) => {
    const policy = somePolicy(dice, isStubborn || dice.chance(10));
    return [tool, isLong ? { ...policy, isSafe: true as const } : policy] as const;
  });
  return Object.fromEntries(policies);
}

function somePolicy(dice: Dice, isStubborn: boolean): Policy {
  return {
    gate: {
      ...(dice.chance(25) && { approvals: 2 + dice.roll(2) }),
      ...(dice.chance(20) && { separate: true as const }),
    },
    ...(dice.chance(25) && { parallel: 1 + dice.roll(2) }),
    ...(isStubborn && { stubborn: true as const }),
    ...(dice.chance(10) && { polling: true as const }),
  };
}

export function someCalls(dice: Dice, nextId: () => string, policies: Policies): PlannedCall[] {
  const count = dice.chance(10) ? 9 + dice.roll(4) : 1 + dice.roll(3);
  return Array.from({ length: count }, () =>
    !policies['look']?.stubborn && dice.chance(12)
      ? someDelegation(dice, nextId())
      : someCall(dice, nextId(), policies),
  );
}

/** A part of the work that is handed to a sub-agent. */
function someDelegation(dice: Dice, id: string): PlannedCall {
  const delegation = {
    goal: `Tidy up drawer ${dice.roll(100)}.`,
    ...(dice.chance(30) && { tools: ['look'] }),
    ...(dice.chance(40) && { maxCostUsd: (1 + dice.roll(1_000)) / 10_000 }),
    ...(dice.chance(30) && { maxSteps: 1 + dice.roll(5) }),
  };
  const args = JSON.stringify(delegation);
  return {
    id,
    name: 'delegate',
    args,
    effect: 'read',
    control: { kind: 'delegate', ...delegation },
    ...(dice.chance(20) && { gate: { argsHash: fakeHash(args), summary: 'May another one do that?' } }),
  };
}

function someCall(dice: Dice, id: string, policies: Policies): PlannedCall {
  const name = dice.pick(TOOLS);
  const args = JSON.stringify({ n: dice.roll(policies[name]?.stubborn ? 2 : 1_000) });
  const problem = { status: dice.pick(['invalid_arguments', 'unknown_tool'] as const), message: 'Not so.' };
  const control = dice.chance(50)
    ? { kind: 'wait' as const, durationMs: dice.roll(2 * HOUR_MS) }
    : { kind: 'ask' as const, question: 'Which one?' };
  return {
    id,
    name,
    args,
    ...(dice.chance(8) && { problem }),
    ...(policies[name]?.isSafe || dice.chance(45)
      ? { effect: dice.pick(['read', 'idempotent'] as const), ...(dice.chance(20) && { attempts: 2 }) }
      : someDoubts(dice)),
    ...(dice.chance(35) && { gate: someGate(dice, args, policies[name]) }),
    ...(dice.chance(20) && { timeoutMs: 1_000 + dice.roll(HOUR_MS) }),
    ...(dice.chance(20) && { specHash: `spec-${dice.roll(2)}` }),
    ...(policies[name]?.parallel !== undefined && { parallel: policies[name].parallel }),
    ...(policies[name]?.polling && { polling: true as const }),
    ...(dice.chance(20) && { control }),
  };
}

/** What a tool that may act only once says of unknown outcomes. */
function someDoubts(dice: Dice): Pick<PlannedCall, 'verify' | 'onUnknown'> {
  return {
    ...(dice.chance(35) && { verify: true as const }),
    ...(dice.chance(30) && { onUnknown: dice.pick(['tell_model', 'land'] as const) }),
  };
}

function someGate(dice: Dice, args: string, { gate, isSafe }: Policy = { gate: {} }): Gate {
  return {
    argsHash: fakeHash(args),
    summary: `May I, with ${args}?`,
    ...gate,
    ...(dice.chance(50) && { onExpiry: isSafe ? ('deny' as const) : dice.pick(['deny', 'land'] as const) }),
    ...(dice.chance(50) && { expiresInMs: dice.pick([1, 10 * MINUTE_MS, HOUR_MS] as const) }),
    ...(dice.chance(40) && { remindInMs: dice.pick([1, 5 * MINUTE_MS, 2 * HOUR_MS] as const) }),
    ...(dice.chance(15) && { reason: dice.pick(['taint', 'changed'] as const) }),
  };
}

/** A call that a human is asked about where the run goes in circles, as the worker judges it. */
export function judged(call: PlannedCall, asks: readonly string[] = []): PlannedCall {
  const { name, args, problem, gate } = call;
  if (problem || !asks.includes(fingerprint(name, JSON.parse(args)))) return call;
  return { ...call, gate: { ...gate, argsHash: fakeHash(args), summary: `Again ${name}?`, reason: 'loop' } };
}

/** What a call says of itself when it ends without a result. */
const LAST_WORDS: readonly [JsonObject, ...JsonObject[]] = [
  {},
  { acting: false },
  { acting: true },
  { acting: 'perhaps' },
];

export function someToolOutcome(dice: Dice): Outcome<ToolResult> {
  const details = dice.pick(LAST_WORDS);
  if (dice.chance(20)) return { kind: 'timed_out', details };
  if (dice.chance(5)) return { kind: 'cancelled', details };
  if (dice.chance(25)) {
    const failure = someFailure<ToolResult>(dice, ['TOOL_FAILED', 'TOOL_TIMEOUT', 'TOOL_UNKNOWN']);
    return failure.kind === 'failed' ? { ...failure, details } : failure;
  }
  return { kind: 'ok', value: someToolResult(dice) };
}

function someToolResult(dice: Dice): ToolResult {
  return {
    content: dice.pick(['', 'All well.', '{"status":"ok"}', 'x'.repeat(3_000)] as const),
    ...(dice.chance(25) && { status: dice.pick(['failed', 'timed_out', 'unknown_outcome'] as const) }),
    ...(dice.chance(10) && { artifact: { id: 'a1', sizeBytes: 70_000 } }),
    ...(dice.chance(10) && { artifacts: [{ id: 'a2', sizeBytes: 7, name: 'list.txt' }] }),
    ...(dice.chance(20) && { untrusted: true as const }),
    ...(dice.chance(20) && { shared: someShared(dice) }),
    ...(dice.chance(10) && { attempt: 2 }),
  };
}

function someShared(dice: Dice): NonNullable<ToolResult['shared']> {
  return { [`k${dice.roll(4)}`]: dice.pick([null, 1, 'x', 'x'.repeat(6_000)] as const) };
}

export function someArgsCheck(dice: Dice): Outcome<ArgsCheck> {
  if (dice.chance(20)) return someFailure(dice, ['ARGS_INVALID', 'TOOL_UNKNOWN']);
  if (dice.chance(30)) return { kind: 'ok', value: { ok: false, message: 'n must be a number.' } };
  return { kind: 'ok', value: { ok: true, ...someEdit(dice) } };
}

/** Arguments of a human that fit the tool, as a worker hands them over. */
export function someEdit(dice: Dice): Omit<ArgsCheck & { ok: true }, 'ok'> {
  const args = JSON.stringify({ n: -1 - dice.roll(1_000) });
  const control = dice.chance(20) && { kind: 'wait' as const, durationMs: dice.roll(HOUR_MS) };
  return { args, argsHash: fakeHash(args), ...(control && { control }) };
}

export function someVerification(dice: Dice): Outcome<Verification> {
  if (dice.chance(20)) return someFailure(dice, ['TOOL_FAILED']);
  return { kind: 'ok', value: { verdict: dice.pick(['executed', 'not_executed', 'unknown'] as const) } };
}
