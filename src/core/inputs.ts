import type { Prepared } from './run-input.js';
import type { DrawResult } from './money/budget-draw.js';
import type { CostReport, ModelResult, Outcome, PlannedCall, ToolResult, Verification } from './outcomes.js';
import type { RunResult } from './progress.js';
import type { Relayed } from './human/relays.js';
import type { DecisionVerdict } from './human/statement.js';
import type { ControlName } from './human/controls.js';

/** A fact that reached the run. `atMs` is the start time of the workflow task that brought it. */
export type Input = { atMs: number } & (
  | { type: 'prepared'; outcome: Outcome<Prepared> }
  | { type: 'model_settled'; key: string; outcome: Outcome<ModelResult> }
  | { type: 'tool_settled'; key: string; outcome: Outcome<ToolResult> }
  | { type: 'args_checked'; key: string; outcome: Outcome<ArgsCheck> }
  | { type: 'cost_reported'; key: string; outcome: Outcome<CostReport> }
  | { type: 'drawn'; key: string; outcome: Outcome<DrawResult> }
  | { type: 'verified'; key: string; outcome: Outcome<Verification> }
  | { type: 'decision_checked'; key: string; outcome: Outcome<DecisionVerdict> }
  | { type: 'relayed'; key: string; outcome: Outcome<Relayed> }
  | { type: 'reported'; key: string; outcome: Outcome<unknown> }
  | { type: 'notified'; key: string; outcome: Outcome<unknown> }
  | { type: 'child_settled'; key: string; outcome: Outcome<RunResult> }
  /** A control as it came over the wire; `payload` may be anything. */
  | { type: 'control'; name: ControlName; payload: unknown }
  | { type: 'tick' }
  | { type: 'cancel_requested' }
  /** The server ended the run without asking it. */
  | { type: 'ended_outside'; how: 'terminated' | 'timed_out' | 'failed'; message: string }
);

/** What became of edited arguments. */
export type ArgsCheck =
  | { ok: true; args: string; argsHash: string; control?: PlannedCall['control'] & object }
  | { ok: false; message: string };
