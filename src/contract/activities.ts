import type { ArgsCheck } from '../core/inputs.js';
import type { ModelResult, ToolResult } from '../core/outcomes.js';
import type { Prepared } from '../core/run-input.js';
import type { CallModelInput, CheckArgsInput, RunToolInput } from '../core/work.js';

/** The activities of a run. Each takes one object and returns one. */
export interface AgentActivities {
  /** Checks the run's input against this worker and settles what is left open. Reads the input by query. */
  prepareRun(): Promise<Prepared>;
  /** One model call: a complete answer, its calls checked and judged by policy. */
  callModel(input: CallModelInput): Promise<ModelResult>;
  runTool(input: RunToolInput): Promise<ToolResult>;
  checkArgs(input: CheckArgsInput): Promise<ArgsCheck>;
}
