import type { Run } from './context.js';

/** When a run that nobody takes up is worth a question, and how often. */
const LOOK_EVERY_MS = 5_000;

/**
 * Looks while a run has not begun whether a worker polls its task queue, and tells once when none does. Keeps no process alive, and a
 * question that fails is asked again.
 * @returns what ends it
 */
export function lookForWorker(
  run: Pick<Run, 'runId' | 'unpolledQueue'>,
  tell: (line: string) => void,
): () => void {
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    clearInterval(timer);
  };
  const look = async (): Promise<void> => {
    const queue = await run.unpolledQueue().catch(() => null);
    if (isOver || queue === null) return;
    stop();
    tell(
      `No worker polls the task queue ${JSON.stringify(queue)}, so ${run.runId} has not begun. Start one with: longhaul worker`,
    );
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  return stop;
}
