import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { defineTool } from '../src/adapters/tools/define-tool.js';
import { AgentClient } from '../src/agent-client.js';
import { loadConfig } from '../src/config.js';
import { createAgentWorker } from '../src/worker/create-agent-worker.js';
import { measureChain, type Measured } from './measure.js';
import { noise, scriptedModel } from './scripted-model.js';

/** What an agent run cost. */
export type AgentBench = Measured;

/** How much a run does. */
export interface AgentLoad {
  steps: number;
  textBytes: number;
  resultBytes: number;
}

/** Steps of a run that warms everything up. */
const WARM_UP_STEPS = 10;

/** Runs an agent with these many steps, a model call and a tool call each, on a worker of its own. */
export async function benchAgent(
  load: AgentLoad,
  { address, dir }: { address: string; dir: string },
): Promise<AgentBench> {
  const env = {
    OPENROUTER_API_KEY: 'none',
    LONGHAUL_WORKSPACE: dir,
    LONGHAUL_DATA_DIR: `${dir}/data`,
    LONGHAUL_MODEL: 'bench/model',
    LONGHAUL_TASK_QUEUE: randomUUID(),
  };
  const config = loadConfig(env, dir);
  const tool = defineTool({
    name: 'noise',
    description: 'Returns noise.',
    input: z.object({}),
    effect: 'read',
    // The same call in each step is what is measured, and no circle.
    polling: true,
    execute: async () => noise(load.resultBytes),
  });
  const { worker, ...made } = await createAgentWorker({
    config,
    module: { tools: [tool], defaults: {} },
    address,
    model: scriptedModel(load),
  });
  const running = made.run();
  const agents = await AgentClient.connect({ config, address });
  const connection = await Connection.connect({ address });
  try {
    await (await agents.start({ goal: 'warm up', limits: { maxSteps: WARM_UP_STEPS } })).result();
    const run = await agents.start({ goal: 'bench' });
    const result = await run.result();
    if (result.outcome !== 'done' || result.steps !== load.steps)
      throw new Error(`The run ended otherwise than planned: ${JSON.stringify(result)}`);
    return await measureChain(new Client({ connection }), run.runId, run.temporalRunId);
  } finally {
    worker.shutdown();
    await running;
    await Promise.all([agents.close(), connection.close(), made.close()]);
  }
}
