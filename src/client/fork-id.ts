import { randomUUID } from 'node:crypto';

/**
 * A run that is taken up again a second time is taken up where it is now: so the default id is there once. What goes on from a sub-agent
 * is a run of its own.
 */
export function forkId(of: string, step: number | undefined): string {
  const runId = of.replaceAll('/', '-');
  if (step !== undefined) return `${runId}.s${step}-${randomUUID().slice(0, 8)}`;
  const [, base = runId, count] = /^(.*)\.(\d{1,6})$/.exec(runId) ?? [];
  return `${base}.${count === undefined ? 2 : Number(count) + 1}`;
}
