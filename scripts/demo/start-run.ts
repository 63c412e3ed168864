import type { AgentClient } from '../../src/agent-client.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import { isAgentError } from '../../src/core/errors.js';
import { goalOf } from './audit-script.js';
import type { Session } from './demo-session.js';

const TOOLS = ['list_files', 'read_file', 'search_files', 'read_artifact', 'wait', 'write_file', 'edit_file'];

/** The run of this demo: the one that the last demo left unfinished, or a new one. */
export async function startOrCarryOn(
  { plan, state, keepState }: Session,
  client: AgentClient,
): Promise<{ run: RunHandle; isCarriedOn: boolean }> {
  const known = state.runs[plan.mode];
  const standing = known === undefined ? 'ended' : await standingOf(client.run(known));
  if (known !== undefined && standing === 'open') return { run: client.run(known), isCarriedOn: true };
  const runId = known !== undefined && standing === 'missing' ? known : newRunId();
  // Kept before it is started: a kill between the two must not lose a run.
  await keepState({ runs: { ...state.runs, [plan.mode]: runId } });
  const { model } = plan.config;
  const run = await client.start(
    {
      goal: goalOf(runId),
      model,
      tools: TOOLS,
      limits: { maxCostUsd: 0.5, maxSteps: 40 },
      review: { rounds: 2 },
    },
    { id: runId },
  );
  return { run, isCarriedOn: false };
}

async function standingOf(run: RunHandle): Promise<'open' | 'ended' | 'missing'> {
  try {
    const { status } = await run.progress();
    return status === 'closed' ? 'ended' : 'open';
  } catch (error) {
    if (isAgentError(error) && error.code === 'RUN_NOT_FOUND') return 'missing';
    // Killed before a worker took it up.
    if (isAgentError(error) && error.code === 'TEMPORAL_UNREACHABLE') return 'open';
    throw error;
  }
}

function newRunId(): string {
  const [date = '', time = ''] = new Date().toISOString().split('T');
  return `demo-${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`;
}
