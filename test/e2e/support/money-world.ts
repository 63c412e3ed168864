import { z } from 'zod';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import type { RunResult } from '../../../src/core/progress.js';
import type { Tool } from '../../../src/ports/tools.js';
import { defaultModels, type StandInModel } from '../../../src/testing/stand-in/models.js';
import type { LoggedRequest } from '../../../src/testing/stand-in/request-log.js';
import type { ReplyCall, Script } from '../../../src/testing/stand-in/script.js';
import { expectFoldEqualsProgress } from '../../support/fold-equality.js';
import { openWorld, type World, type WorldOptions } from '../../support/run-support.js';
import type { TestServer } from '../../support/temporal-server.js';
import { billedNanoUsd } from './money-bill.js';

/** A dollar, in nano-dollars. */
export const NANO = 1_000_000_000;

/** So dear that a call costs about a dollar: 100 dollars for a million tokens written, 10 for a million read. */
export const DEAR = 'stand-in/dear';
/** The user's own provider key pays. */
export const BYOK = 'stand-in/byok';
/** Its provider knows no `tool_choice: none`. */
export const STUBBORN = 'stand-in/stubborn';
/** Nobody says what it costs. */
export const UNPRICED = 'stand-in/unpriced';

/** The models of the stand-in, and those with something odd about their money. */
export const MONEY_MODELS: readonly StandInModel[] = [
  ...defaultModels,
  { id: DEAR, promptNanoUsd: 10_000, completionNanoUsd: 100_000 },
  { id: BYOK, promptNanoUsd: 500, completionNanoUsd: 2_000, byok: true },
  { id: STUBBORN, promptNanoUsd: 500, completionNanoUsd: 2_000, refusesToolChoiceNone: true },
];

/** A tool that runs at once, and one that a human has to let run. */
export const MONEY_TOOLS: Tool[] = [
  defineTool({
    name: 'count',
    description: 'c',
    effect: 'read',
    polling: true,
    input: z.object({}),
    execute: () => 1,
  }),
  defineTool({ name: 'gated', description: 'g', input: z.object({}), execute: () => 'sent' }),
];

export const COUNT: ReplyCall = { name: 'count' };
export const GATED: ReplyCall = { name: 'gated' };

/** Counts for ever, at the same cost each step; lands when it is told to. */
export const countForEver: Script = (request) =>
  request.tool_choice === 'none' || request.tools === undefined
    ? { text: 'Landed.' }
    : { text: 'word '.repeat(400), chunkChars: 500, toolCalls: [COUNT] };

/** Opens worlds for the tests of one file, each with a worker in this process unless told otherwise; closes them after each test. */
export function useMoneyWorlds(
  server: TestServer,
): (options: WorldOptions, worker?: 'own' | 'none') => Promise<World> {
  const worlds = new Set<World>();
  afterEach(async () => {
    await Promise.all([...worlds].map((world) => world.close()));
    worlds.clear();
  });
  return async (options, worker = 'own') => {
    const world = await openWorld(server, {
      tools: MONEY_TOOLS,
      ...options,
      standIn: { models: MONEY_MODELS, ...options.standIn },
    });
    worlds.add(world);
    if (worker === 'own') await world.startWorker();
    return world;
  };
}

/** Waits for the end, when what the run says of its money must be what the server was paid, to the nano-dollar. */
export async function expectExactBill(world: World, run: RunHandle): Promise<RunResult> {
  const result = await run.result();
  await world.standIn.idle();
  const { spend } = result;
  expect([spend.costNanoUsd - spend.inheritedNanoUsd, spend.estimatedNanoUsd]).toEqual([
    billedNanoUsd(world.standIn, run.runId),
    0,
  ]);
  await expectFoldEqualsProgress(world.temporal, run.runId);
  return result;
}

/** Requests of a run to the model, in order. */
export function askedBy(world: World, run: RunHandle, purpose?: 'step' | 'landing'): LoggedRequest[] {
  return world.standIn.requests.filter(({ body }) => {
    const { metadata } = Object(body);
    return (
      metadata?.longhaul_run === run.runId && (purpose === undefined || metadata.longhaul_purpose === purpose)
    );
  });
}

/** Waits until something holds that the run's view of itself says. */
export async function untilProgress(
  run: RunHandle,
  holds: (progress: Awaited<ReturnType<RunHandle['progress']>>) => boolean,
): Promise<void> {
  while (!holds(await run.progress()));
}
