import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import { AgentError, isAgentError } from '../../../src/core/errors.js';
import type { PendingItem, RunResult } from '../../../src/core/progress.js';
import type { Tool } from '../../../src/ports/tools.js';
import type { ReplyCall, Script } from '../../../src/testing/stand-in/script.js';
import { lookOnce } from '../../support/fold-equality.js';
import type { World } from '../../support/run-support.js';
import { Dice } from '../../core/support/dice.js';

/** A model that does at random whatever a model can do; the same run and step always get the same answer. */
export const randomScript: Script = (request, { metadata, stepIndex }) => {
  const run = metadata['longhaul_run'] ?? '';
  const dice = new Dice(seedOf(`${run}/${stepIndex}`));
  const steps = 4 + new Dice(seedOf(run)).roll(11);
  const chunkDelayMs = dice.pick([0, 0, 5, 40]);
  const text = dice.chance(70) ? `Step ${stepIndex} of ${steps}. ${'more '.repeat(dice.roll(41))}` : '';
  const reasoning = dice.chance(30) ? 'I think about it.' : '';
  if (stepIndex >= steps || request.tool_choice === 'none')
    return { text: `The end, after ${stepIndex}.`, chunkDelayMs };
  const toolCalls = Array.from({ length: dice.pick([1, 1, 2, 4, 11]) }, () => randomCall(dice));
  return { text, chunkDelayMs, ...(reasoning && { reasoning }), toolCalls };
};

function randomCall(dice: Dice): ReplyCall {
  return dice.pick<ReplyCall>([
    { name: 'quick', args: { n: dice.roll(10) } },
    { name: 'quick', args: { n: dice.roll(10) } },
    { name: 'quick', args: { n: dice.roll(10) } },
    { name: 'slow', args: { ms: 50 + dice.roll(351) } },
    { name: 'act', args: { ms: dice.roll(101) } },
    { name: 'throws' },
    { name: 'second_time' },
    { name: 'gated', args: { what: 'this' } },
    { name: 'expires' },
    { name: 'late', args: {} },
    { name: 'wait', args: { seconds: 1 } },
    { name: 'ask_human', args: { question: 'Which?' } },
    { name: 'no_such_tool' },
    { name: 'quick', rawArguments: '{"n":' },
    { name: 'quick', args: { n: 'text' } },
  ]);
}

/** Tools of every kind. `ran` counts how often each call of the tools of effect `once` ran. */
export function randomTools(ran: Map<string, number>): Tool[] {
  const tried = new Set<string>();
  const ms = z.object({ ms: z.number() });
  const note = (key: string) => void ran.set(key, (ran.get(key) ?? 0) + 1);
  return [
    defineTool({
      name: 'quick',
      description: 'q',
      effect: 'read',
      input: z.object({ n: z.number() }),
      execute: ({ n }) => n + 1,
    }),
    defineTool({
      name: 'slow',
      description: 's',
      effect: 'idempotent',
      input: ms,
      execute: async (args, { signal, progress }) => {
        progress('under way');
        await delay(args.ms, undefined, { signal });
        return 'slept';
      },
    }),
    defineTool({
      name: 'act',
      description: 'a',
      approval: 'never',
      input: ms,
      execute: async (args, { idempotencyKey, signal }) => {
        note(idempotencyKey);
        await delay(args.ms, undefined, { signal });
        return 'acted';
      },
    }),
    defineTool({
      name: 'throws',
      description: 't',
      effect: 'read',
      input: z.object({}),
      execute: () => {
        throw new Error('It does not work.');
      },
    }),
    defineTool({
      name: 'second_time',
      description: 's',
      effect: 'idempotent',
      input: z.object({}),
      execute: (_args, { idempotencyKey }) => {
        if (tried.has(idempotencyKey)) return 'worked';
        tried.add(idempotencyKey);
        throw new AgentError('TOOL_FAILED', 'Not yet.', { retryable: true });
      },
    }),
    defineTool({
      name: 'gated',
      description: 'g',
      input: z.object({ what: z.string() }),
      execute: ({ what }, { idempotencyKey }) => {
        note(idempotencyKey);
        return `did ${what}`;
      },
    }),
    defineTool({
      name: 'expires',
      description: 'e',
      effect: 'read',
      approval: 'always',
      expiresInMs: 700,
      onExpiry: 'deny',
      input: z.object({}),
      execute: () => 'in time',
    }),
    // Its outcome is unknown when its time is up.
    defineTool({
      name: 'late',
      description: 'l',
      approval: 'never',
      timeoutMs: 150,
      input: z.object({}),
      execute: (_args, { signal }) => delay(60_000, undefined, { signal }),
    }),
  ];
}

/** Something that somebody does to a run, rolled with dice. It may come at a bad time: then it is refused. */
async function meddle(world: World, run: RunHandle, dice: Dice): Promise<void> {
  const handle = world.temporal.workflow.getHandle(run.runId);
  const mode = dice.pick(['queue', 'steer', 'interrupt'] as const);
  const text = `A word, number ${dice.roll(100)}.`;
  const deeds: readonly [() => Promise<unknown>, ...(() => Promise<unknown>)[]] = [
    () => run.say(text, { mode }),
    () => handle.signal('say', { text, mode }),
    () => handle.signal('say', { text: '' }),
    () => run.pause(),
    () => handle.signal('pause'),
    () => run.resume(),
    () => handle.signal('resume', null),
    () => run.setLimits({ maxCostUsd: 1 + dice.roll(9) }),
    () => handle.signal('setLimits', { maxSteps: 30 + dice.roll(31) }),
    () => handle.signal('approve'),
    () => run.approve(),
    () => handle.signal('reject', { note: 'No.' }),
    () => handle.signal('decide', { decision: 'approve', args: { what: dice.pick(['that', 'it']) } }),
    () => run.approve(undefined, { args: { what: 'edited' } }),
    () => run.approve(undefined, { args: { wrong: true } }),
    () => handle.signal('nonsense', 'text'),
  ];
  await dice.pick(deeds)();
}

/** Gives the oldest pending call what it waits for. */
async function help(run: RunHandle, [item]: PendingItem[], dice: Dice): Promise<void> {
  if (!item) return;
  if (item.kind === 'question') await run.answer(item.callId, 'That one.');
  else if (dice.chance(25)) await run.reject(item.callId, { note: 'Better not.' });
  else if (item.kind === 'unknown_outcome' && dice.chance(70)) await run.answer(item.callId, 'It did run.');
  else await run.approve(item.callId);
}

/** How a life went. */
export interface Life {
  result: RunResult;
  /** Moments at which fold and workflow were compared while it lived. */
  looks: number;
}

/** A life that takes longer hangs. */
const LONGEST_LIFE_MS = 240_000;

/** Lives the whole life of a run: meddles with it for a while, at random moments, then helps it to its end. */
export async function live(world: World, run: RunHandle, dice: Dice): Promise<Life> {
  const ended = new AbortController();
  const tooLong = AbortSignal.timeout(LONGEST_LIFE_MS);
  const result = run.result({ signal: tooLong }).finally(() => ended.abort());
  // Awaited at the end; a failure before that must not go unheard in between.
  result.catch(() => undefined);
  const ending = dice.pick([null, null, null, 'stop', 'cancel'] as const);
  let looks = 0;
  for (let deed = 0; !ended.signal.aborted; deed += 1) {
    await delay(5 + dice.roll(246), undefined, { signal: ended.signal }).catch(() => undefined);
    if (ended.signal.aborted) break;
    if (dice.chance(15) && (await lookOnce(world.temporal, run.runId)) !== null) looks += 1;
    await unlessRefused(async () => {
      const { pending, status } = await run.progress();
      if (deed < 25 && dice.chance(60)) return meddle(world, run, dice);
      if (deed === 25 && ending !== null) return ending === 'stop' ? run.stop() : run.cancel();
      if (status === 'paused') return run.resume();
      return help(run, pending, dice);
    });
  }
  if (tooLong.aborted) throw new Error(`The run hangs: ${JSON.stringify(await run.progress())}`);
  return { result: await result, looks };
}

/** What comes too late, or at a bad time, is answered with a code; a run that has ended takes no signals. */
async function unlessRefused(deed: () => Promise<void>): Promise<void> {
  const tooLate = ['RUN_CLOSED', 'CALL_NOT_PENDING', 'ALREADY_DECIDED', 'CALL_NOT_FOUND', 'ARGS_INVALID'];
  try {
    await deed();
  } catch (error) {
    if (isAgentError(error) && tooLate.includes(error.code)) return;
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return;
    throw error;
  }
}

/** A seed for a text (FNV-1a). */
export function seedOf(text: string): number {
  return Array.from(text).reduce(
    (hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0,
    0x811c9dc5,
  );
}
