import { setTimeout as delay } from 'node:timers/promises';
import { toAgentError } from '../../../src/client/errors.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import { isAgentError } from '../../../src/core/errors.js';
import type { PendingItem } from '../../../src/core/progress.js';
import type { ReplyCall, Script } from '../../../src/testing/stand-in/script.js';
import { Dice } from '../../core/support/dice.js';
import { readChain } from '../../support/fold-equality.js';
import type { KillCrew } from './kill-crew.js';
import { seedOf } from './random-life.js';

/** A model that asks at random for tools of all effects, several at a time; the same run and step always get the same answer. */
export const killScript: Script = (request, { metadata, stepIndex }) => {
  const seed = seedIn(metadata['longhaul_run'] ?? '');
  const steps = 2 + new Dice(seedOf(seed)).roll(5);
  const dice = new Dice(seedOf(`${seed}/${stepIndex}`));
  if (stepIndex >= steps || request.tool_choice === 'none') return { text: `The end, after ${stepIndex}.` };
  const toolCalls = Array.from({ length: dice.pick([1, 1, 2, 3, 5]) }, () => randomCall(dice));
  return { text: `Step ${stepIndex} of ${steps}.`, toolCalls };
};

/** The part of a run id that decides on the life. Before it stands what makes it unique. */
function seedIn(runId: string): string {
  return runId.slice(runId.lastIndexOf(':') + 1);
}

function randomCall(dice: Dice): ReplyCall {
  const name = dice.pick([
    ...(['read', 'idempotent', 'once_unsure', 'once_tell', 'once_land'] as const),
    ...([
      'once_ask',
      'once_ask',
      'once_verify',
      'once_verify',
      'once_gated',
      'once_gated',
      'once_gated',
    ] as const),
  ]);
  const what = `w${dice.roll(1_000)}`;
  const lose = dice.chance(6) ? { lose: dice.pick(['before', 'after'] as const) } : {};
  return { name, args: { what, ms: dice.pick([0, 20, 150, 600, 1_500]), ...lose } };
}

/** A decision that somebody sent. */
export interface Sent {
  callId: string;
  /** Nobody else in the run has this name. */
  by: string;
  way: 'signal' | 'update';
  /** `taken`: the server has the signal, or the run has said that it accepts the update. `unheard`: nobody knows. */
  answer: 'taken' | 'refused' | 'unheard';
  answeredAtMs: number;
}

/** A life takes longer only if it hangs. */
const LONGEST_LIFE_MS = 300_000;

/** Lives a run to its end: decides at random about whatever is pending, at random moments, and sometimes stops or cancels. */
export async function liveAndDecide(crew: KillCrew, run: RunHandle, dice: Dice): Promise<Sent[]> {
  const ended = new AbortController();
  const tooLong = AbortSignal.timeout(LONGEST_LIFE_MS);
  const result = run.result({ signal: tooLong }).finally(() => ended.abort());
  // Awaited at the end; a failure before that must not go unheard in between.
  result.catch(() => undefined);
  const sent: Sent[] = [];
  const ending = dice.pick(['stop', 'cancel', null, null, null, null] as const);
  const endsAt = dice.roll(25);
  for (let deed = 0; !ended.signal.aborted; deed += 1) {
    await delay(20 + dice.roll(600), undefined, { signal: ended.signal }).catch(() => undefined);
    if (ended.signal.aborted) break;
    if (deed === endsAt && ending) await end(crew, run, ending);
    const item = dice.pick(await run.pending());
    if (item) sent.push(await decide(crew, run, { item, dice, by: `h${deed}` }));
  }
  if (tooLong.aborted) {
    const last = (await readChain(crew.temporal, run.runId)).flatMap(({ events }) => events).slice(-12);
    throw new Error(`The run hangs: ${JSON.stringify(last)}`);
  }
  await result;
  return sent;
}

/** A run that has ended cannot be ended. */
async function end({ temporal }: KillCrew, { runId }: RunHandle, how: 'stop' | 'cancel'): Promise<void> {
  const handle = temporal.workflow.getHandle(runId);
  const ending = how === 'stop' ? handle.signal('stop') : handle.cancel();
  await ending.catch((error: unknown) => void answerOf(error));
}

async function decide(
  { temporal }: KillCrew,
  run: RunHandle,
  { item, dice, by }: { item: PendingItem; dice: Dice; by: string },
): Promise<Sent> {
  const { callId } = item;
  const way = dice.pick(['signal', 'update'] as const);
  const { name, ...payload } = choose(item, dice, by);
  const given = { ...payload, callId, by };
  const handle = temporal.workflow.getHandle(run.runId);
  const sending =
    way === 'signal'
      ? handle.signal(name, given)
      : temporal.connection.withDeadline(Date.now() + UPDATE_MS, () =>
          handle.executeUpdate(name, { args: [given] }),
        );
  const answer = await sending.then(() => 'taken' as const, answerOf);
  return { callId, by, way, answer, answeredAtMs: Date.now() };
}

/** Longer than a check of arguments takes whose worker was killed. */
const UPDATE_MS = 100_000;

function choose(
  { kind }: PendingItem,
  dice: Dice,
  by: string,
): { name: 'decide' | 'answer'; [field: string]: unknown } {
  const name = 'decide';
  const isUnknown = kind === 'unknown_outcome';
  if (isUnknown && dice.chance(40)) return { name: 'answer', text: 'It was found out.' };
  if (dice.chance(20)) return { name, decision: 'reject' };
  const decision = 'approve';
  if (isUnknown) return { name, decision };
  const scope = dice.chance(10) ? { scope: 'run' } : {};
  if (dice.chance(5)) return { name, decision, args: { what: 5 } };
  if (dice.chance(20))
    return { name, decision, ...scope, args: { what: `as ${by} says`, ms: dice.pick([0, 300]) } };
  return { name, decision, ...scope };
}

/** What comes too late, or at a bad time, is refused. */
function answerOf(error: unknown): 'refused' | 'unheard' {
  const known = toAgentError(error, '');
  if (isAgentError(known)) return known.code === 'TEMPORAL_UNREACHABLE' ? 'unheard' : 'refused';
  throw error;
}
