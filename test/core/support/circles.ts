import type { PlannedCall } from '../../../src/core/outcomes.js';
import { eventsOf, modelCalls, toolAnswers, toolSettles } from './run.js';
import type { Shell } from './shell.js';

/** What was done about it that a run goes in circles. */
export const rungs = ({ events }: Shell) => eventsOf(events, 'loop_detected').map(({ rung }) => rung);

/** How far it goes in circles. */
export const points = ({ state }: Shell) => state.loop.points;

/** A call of a step, and what comes of it. */
export type Move = Partial<PlannedCall> & { result?: string; fails?: boolean };

/** A step of these calls. */
export function does(shell: Shell, ...moves: Move[]): Shell {
  const { step } = shell.state;
  shell.nowMs += 1_000;
  const calls = moves.map(({ name = 'look', args = '{"at":"door"}', polling, problem }, index) => ({
    id: `call_${step}_${index}`,
    name,
    args,
    effect: 'read' as const,
    ...(polling && { polling }),
    ...(problem && { problem }),
  }));
  modelCalls(shell, ...calls);
  for (const [index, { result = 'Closed.', fails }] of moves.entries()) {
    const key = `s${step}.c${index}`;
    if (!shell.started.has(key)) continue;
    if (fails) toolSettles(shell, key, { kind: 'ok', value: { content: result, status: 'failed' } });
    else toolAnswers(shell, key, result);
  }
  return shell;
}

/** So many steps of one call or several. */
export function repeats(shell: Shell, times: number, move: (n: number) => Move | Move[] = () => ({})): Shell {
  for (let n = 0; n < times; n += 1) does(shell, ...[move(n)].flat());
  return shell;
}
