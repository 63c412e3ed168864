import type { DrawInput, DrawResult } from '../core/budget-draw.js';
import type { ArgsCheck } from '../core/inputs.js';
import type { CostReport, ModelResult, ToolResult } from '../core/outcomes.js';
import type { Prepared } from '../core/run-input.js';
import type { CallModelInput, CheckArgsInput, ReconcileCostInput, RunToolInput } from '../core/work.js';

/** The activities of a run. Each takes one object and returns one. */
export interface AgentActivities {
  /** Checks the run's input against this worker and settles what is left open. Reads the input by query. */
  prepareRun(): Promise<Prepared>;
  /** One model call: a complete answer, its calls checked and judged by policy. */
  callModel(input: CallModelInput): Promise<ModelResult>;
  runTool(input: RunToolInput): Promise<ToolResult>;
  checkArgs(input: CheckArgsInput): Promise<ArgsCheck>;
  /** Asks the model server what generations cost. Those that it does not know yet are left out of the answer. */
  reconcileCost(input: ReconcileCostInput): Promise<CostReport>;
  /** Draws from a budget that runs share, or settles with it. */
  drawBudget(input: DrawInput): Promise<DrawResult>;
}
