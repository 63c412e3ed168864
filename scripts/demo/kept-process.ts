import type { ProcessEnd } from '../../src/adapters/temporal/server-process.js';

/** A child process that can be kept. */
export interface Child {
  pid: number;
  ended: Promise<ProcessEnd>;
  stop(): Promise<void>;
}

/** A child process that is started again whenever somebody kills it. */
export interface KeptProcess<T extends Child> {
  /** The first one. */
  first: T;
  /** Rejects when it ends by itself, which it should not, or cannot be started again. Never resolves. */
  failed: Promise<never>;
  stop(): Promise<void>;
}

/** Starts a process and keeps it. */
export async function keepProcess<T extends Child>(options: {
  start(): Promise<T>;
  /** Hears of each one, the first one included. */
  onStart(child: T): Promise<void>;
  /** Why it may have ended by itself. */
  explain(end: ProcessEnd): string;
}): Promise<KeptProcess<T>> {
  const first = await options.start();
  let current = first;
  let isStopping = false;
  const keep = async (): Promise<never> => {
    for (;;) {
      await options.onStart(current);
      const end = await current.ended;
      if (isStopping) return new Promise<never>(() => undefined);
      if (end.signal === null) throw new Error(options.explain(end));
      current = await options.start();
    }
  };
  const failed = keep();
  // Somebody may look at it only later.
  failed.catch(() => undefined);
  return {
    first,
    failed,
    async stop() {
      isStopping = true;
      await current.stop();
    },
  };
}
