import { randomUUID } from 'node:crypto';

/** A run that is taken up again a second time is taken up where it is now: so the default id is there once. */
export function forkId(runId: string, step: number | undefined): string {
  if (step !== undefined) return `${runId}.s${step}-${randomUUID().slice(0, 8)}`;
  const [, base = runId, count] = /^(.*)\.(\d{1,6})$/.exec(runId) ?? [];
  return `${base}.${count === undefined ? 2 : Number(count) + 1}`;
}
