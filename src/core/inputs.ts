import type { Prepared } from './run-input.js';
import type { ModelResult, Outcome, ToolResult } from './outcomes.js';
import type { ControlName } from './controls.js';

/** A fact that reached the run. `atMs` is the start time of the workflow task that brought it. */
export type Input = { atMs: number } & (
  | { type: 'prepared'; outcome: Outcome<Prepared> }
  | { type: 'model_settled'; key: string; outcome: Outcome<ModelResult> }
  | { type: 'tool_settled'; key: string; outcome: Outcome<ToolResult> }
  | { type: 'args_checked'; key: string; outcome: Outcome<ArgsCheck> }
  /** A control as it came over the wire; `payload` may be anything. */
  | { type: 'control'; name: ControlName; payload: unknown }
  | { type: 'tick' }
  | { type: 'cancel_requested' }
  /** The server ended the run without asking it. */
  | { type: 'ended_outside'; how: 'terminated' | 'timed_out' | 'failed'; message: string }
);

/** What became of edited arguments. */
export type ArgsCheck = { ok: true; args: string; argsHash: string } | { ok: false; message: string };

const RANK: Record<Input['type'], number> = {
  control: 0,
  cancel_requested: 1,
  prepared: 2,
  model_settled: 3,
  tool_settled: 4,
  args_checked: 5,
  tick: 6,
  ended_outside: 7,
};

/**
 * The order in which what one workflow task brought is applied, beside controls, which keep the order of arrival.
 * Workflow and fold both use it, so they agree whatever order the server and the SDK deliver in.
 */
export function inOrder(inputs: readonly Input[]): Input[] {
  const sortKey = (input: Input) => `${RANK[input.type]}${'key' in input ? input.key : ''}`;
  return [...inputs].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : sortKey(a) > sortKey(b) ? 1 : 0));
}
