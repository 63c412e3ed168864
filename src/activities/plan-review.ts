import { REVIEW } from '../core/behaviour.js';
import { AgentError } from '../core/errors.js';
import type { PlannedCall } from '../core/outcomes.js';
import type { Prepared, ReviewCheck, RunInput } from '../core/run-input.js';
import type { ToolRegistry } from '../ports/tools.js';
import { planCalls } from './plan-calls.js';

/** The tool behind a check that is a command. */
const SHELL = 'shell';

/**
 * Settles how answers of a run are reviewed; nothing for a run that does not ask for it.
 * @throws AgentError `TOOL_UNKNOWN`, `INPUT_INVALID` when a check cannot be run
 */
export async function planReview(
  { review, requireApproval }: RunInput,
  runId: string,
  { tools }: { tools: ToolRegistry },
): Promise<Prepared['review']> {
  if (review === undefined || review === false) return undefined;
  const { checks = [], rounds = REVIEW.rounds, ...rest } = review === true ? {} : review;
  return { ...rest, rounds, checks: await planChecks(checks, { runId, registry: tools, requireApproval }) };
}

/** Whoever starts the run has named these calls with their arguments, so nobody is asked about them again unless about all calls. */
async function planChecks(
  checks: readonly ReviewCheck[],
  context: { runId: string; registry: ToolRegistry; requireApproval: RunInput['requireApproval'] },
): Promise<PlannedCall[]> {
  const { registry, runId, requireApproval } = context;
  const calls = checks.map((check, index) => {
    const [name, args] =
      'command' in check ? [SHELL, { command: check.command }] : [check.tool, check.args ?? {}];
    requireTool(name, registry);
    return { id: `check${index}`, name, args: JSON.stringify(args) };
  });
  const planned = await planCalls(calls, {
    runId,
    step: 0,
    registry,
    allowed: registry.names(),
    requireApproval: requireApproval === 'always' ? 'always' : 'never',
    tainted: false,
    pins: {},
  });
  return planned.map((call, index) => {
    const why = call.problem?.message ?? (call.control && `${call.name} checks nothing`);
    if (why !== undefined)
      throw new AgentError('INPUT_INVALID', `Correct the input of the run: review.checks.${index}: ${why}`);
    // A check whose outcome is unknown says just that.
    return call.effect === undefined ? { ...call, onUnknown: 'tell_model' } : call;
  });
}

function requireTool(name: string, registry: ToolRegistry): void {
  if (registry.get(name)) return;
  const hint = name === SHELL ? ' Set LONGHAUL_SHELL to have the shell tool, which runs commands.' : '';
  throw new AgentError(
    'TOOL_UNKNOWN',
    `A check of the review names the tool ${name}, which the worker does not have.${hint}`,
  );
}
