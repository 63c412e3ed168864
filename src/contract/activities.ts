import type { DrawInput, DrawResult } from '../core/money/budget-draw.js';
import type { ArgsCheck } from '../core/inputs.js';
import type { ReportInput } from '../core/errand-work.js';
import type { NotifyInput } from '../core/human/notices.js';
import type { CostReport, ModelResult, ToolResult, Verification } from '../core/outcomes.js';
import type { Relayed, RelayInput } from '../core/human/relays.js';
import type { Prepared } from '../core/run-input.js';
import type { CheckDecisionInput, DecisionVerdict } from '../core/human/statement.js';
import type { CallModelInput } from '../core/model/model-work.js';
import type { CheckArgsInput, ReconcileCostInput, RunToolInput } from '../core/work.js';

/** The activities of a run. Each takes one object and returns one. */
export interface AgentActivities {
  /** Checks the run's input against this worker and settles what is left open. Reads the input by query. */
  prepareRun(): Promise<Prepared>;
  /** One model call: a complete answer, its calls checked and judged by policy. */
  callModel(input: CallModelInput): Promise<ModelResult>;
  runTool(input: RunToolInput): Promise<ToolResult>;
  /** Finds out whether a call took effect whose outcome is unknown. */
  verifyCall(input: RunToolInput): Promise<Verification>;
  checkArgs(input: CheckArgsInput): Promise<ArgsCheck>;
  /** Checks the signature of a decision, and its arguments if it has some. */
  checkDecision(input: CheckDecisionInput): Promise<DecisionVerdict>;
  /** Asks the model server what generations cost. Those that it does not know yet are left out of the answer. */
  reconcileCost(input: ReconcileCostInput): Promise<CostReport>;
  /** Draws from a budget that runs share, or settles with it. */
  drawBudget(input: DrawInput): Promise<DrawResult>;
  /** Hands a control to a sub-agent and brings its answer. */
  relay(input: RelayInput): Promise<Relayed>;
  /** Tells the run that has delegated what waits for a human, and how this one ended. */
  report(input: ReportInput): Promise<void>;
  /** Calls the run's webhook. */
  notify(input: NotifyInput): Promise<void>;
}
