import type { ControlName } from '../../../src/core/human/controls.js';
import { pendingOf } from '../../../src/core/agents/reports.js';
import type { RunState } from '../../../src/core/state.js';
import type { Dice } from './dice.js';
import { NAMES, someLimits } from './world.js';

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
    return { name: 'approve', payload: { callId: dice.pick(unsure)?.id, ...someVoice(dice) } };
  const target = someTarget(dice, state);
  switch (name) {
    case 'decide':
      return {
        name,
        payload: {
          ...target,
          decision: dice.chance(75) ? 'approve' : 'reject',
          ...(dice.chance(30) && { args: { n: dice.roll(9) } }),
          ...(dice.chance(20) && { scope: dice.pick(['run', 'run', 'call', 'week'] as const) }),
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

/** Which call is meant, and by whom: mostly one that waits, of this run or of a sub-agent. */
function someTarget(dice: Dice, state: RunState): Record<string, unknown> {
  const waiting = pendingOf(state).map(({ callId, argsHash }) => ({ callId, argsHash }));
  const any = state.calls.map(({ id, plan }) => ({ callId: id, argsHash: plan.gate?.argsHash ?? null }));
  const call = dice.pick(dice.chance(80) ? waiting : any);
  return {
    ...(call && dice.chance(85) && { callId: call.callId }),
    ...(dice.chance(40) && { note: 'Mind the gap.' }),
    ...(call && dice.chance(30) && { argsHash: dice.chance(80) ? call.argsHash : 'sha256:other' }),
    ...someVoice(dice),
  };
}

/** Who speaks, if that is said. */
function someVoice(dice: Dice): Record<string, unknown> {
  return {
    ...(dice.chance(80) && { by: dice.chance(95) ? dice.pick(NAMES) : 'mallory' }),
    ...(dice.chance(85) && { signature: 'c2lnbmVk' }),
  };
}
