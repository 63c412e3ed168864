import { z } from 'zod';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import { isAgentError } from '../../../src/core/errors.js';
import type { RunEvent } from '../../../src/core/events.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { Progress, RunResult } from '../../../src/core/progress.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import type { Tool } from '../../../src/ports/tools.js';
import type { ReplyCall, Script } from '../../../src/testing/stand-in/script.js';
import { textOf } from '../../../src/testing/transcript-rules.js';
import { expectFoldEqualsProgress } from '../../support/fold-equality.js';
import type { World } from '../../support/run-support.js';

/** A call that hands a goal to a sub-agent. */
export function delegate(goal: string, more: JsonObject = {}): ReplyCall {
  return { name: 'delegate', args: { goal, ...more } };
}

/** Calls what is given, then answers with the results of its calls, one a line. */
export function callThenTell(...calls: ReplyCall[]): Script {
  return (request, { stepIndex }) =>
    stepIndex === 0 && request.tool_choice !== 'none'
      ? { toolCalls: calls }
      : {
          text: `Told: ${request.messages
            .filter(({ role }) => role === 'tool')
            .map(textOf)
            .join('\n')}`,
        };
}

/** The sub-agent that carries a call out, by the ids of the calls that lead to it. */
export function agentOf(world: World, run: RunHandle, path: string): RunHandle {
  return world.client.run(`${run.runId}/${path}`);
}

/** {@link agentOf}, once the server has started it. */
export async function startedAgent(world: World, run: RunHandle, path: string): Promise<RunHandle> {
  const agent = agentOf(world, run, path);
  const isThere = () =>
    agent.progress().then(
      () => true,
      (error: unknown) => {
        if (isAgentError(error) && error.code === 'RUN_NOT_FOUND') return false;
        throw error;
      },
    );
  while (!(await isThere()));
  return agent;
}

/** What the run and all under it were billed for. */
export function familyBill(world: World, { runId }: RunHandle): { calls: number; nanoUsd: number } {
  const bills = world.standIn.ledger.filter(({ metadata }) => {
    const of = metadata['longhaul_run'] ?? '';
    return of === runId || of.startsWith(`${runId}/`);
  });
  return { calls: bills.length, nanoUsd: bills.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0) };
}

/** Holds that the run and the sub-agents under it tell the same as their histories. */
export async function expectFamilyFolds(
  world: World,
  run: RunHandle,
  paths: readonly string[],
): Promise<RunEvent[]> {
  for (const path of paths) await expectFoldEqualsProgress(world.temporal, agentOf(world, run, path).runId);
  return (await expectFoldEqualsProgress(world.temporal, run.runId)).events;
}

/**
 * Waits for the end, when the run must have booked what it and all its sub-agents were billed for, to the nano-dollar, and histories must
 * tell what the workflows say.
 */
export async function expectFamilyEnds(
  world: World,
  run: RunHandle,
  paths: readonly string[],
): Promise<{ result: RunResult; events: RunEvent[] }> {
  const result = await run.result();
  await world.standIn.idle();
  const { spend } = result;
  const bill = familyBill(world, run);
  expect([spend.costNanoUsd, spend.estimatedNanoUsd, spend.modelCalls + spend.lostModelCalls]).toEqual([
    bill.nanoUsd,
    0,
    bill.calls,
  ]);
  const events = await expectFamilyFolds(world, run, paths);
  world.expectNoRefusals();
  return { result, events };
}

/** What the model was given for each of its calls. */
export function toolTexts(transcript: readonly TranscriptItem[]): string[] {
  return transcript.flatMap((item) => (item.role === 'tool' ? item.content : []));
}

/** Waits until a run's view of itself fits, with no reading but of its history. */
export async function whenProgress(run: RunHandle, fits: (progress: Progress) => boolean): Promise<Progress> {
  const found = new AbortController();
  try {
    for await (const _ of run.events({ signal: found.signal })) {
      const progress = await run.progress();
      if (fits(progress)) return progress;
    }
  } finally {
    found.abort();
  }
  const last = await run.progress();
  if (fits(last)) return last;
  throw new Error(`The run ${run.runId} ended first: ${JSON.stringify(last)}`);
}

/** A tool that ends when the test lets it, and tells when it has begun. By the name that its call gives. */
export class Holds {
  readonly #begun = new Map<string, Turn>();
  readonly #released = new Map<string, Turn>();
  readonly tool: Tool = defineTool({
    name: 'held',
    description: 'h',
    effect: 'read',
    input: z.object({ by: z.string() }),
    execute: async ({ by }) => {
      turn(this.#begun, by).resolve();
      await turn(this.#released, by).promise;
      return `held by ${by}`;
    },
  });

  /** A call that is held under a name. */
  call(by: string): ReplyCall {
    return { name: 'held', args: { by } };
  }

  /** Resolves when the call has begun. */
  begun(by: string): Promise<void> {
    return turn(this.#begun, by).promise;
  }

  release(by: string): void {
    turn(this.#released, by).resolve();
  }
}

interface Turn {
  promise: Promise<void>;
  resolve(): void;
}

function turn(turns: Map<string, Turn>, name: string): Turn {
  const known = turns.get(name);
  if (known) return known;
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  const made = { promise, resolve: () => resolve() };
  turns.set(name, made);
  return made;
}
