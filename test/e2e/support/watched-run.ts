import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import type { Delta } from '../../../src/client/deltas.js';
import type { RunHandle, WatchedEvent } from '../../../src/client/run-handle.js';
import type { CliContext } from '../../../src/cli/context.js';
import { createStyle } from '../../../src/cli/style.js';
import { watchRun } from '../../../src/cli/watch-run.js';

/** One line of `longhaul watch --json`. */
export type WatchedLine = WatchedEvent | Delta;

/** What `longhaul watch --json` writes about a run, from its first event on. */
export class WatchedRun {
  readonly lines: WatchedLine[] = [];
  /** Resolves when the run has ended and the last line is there. */
  readonly ended: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(run: RunHandle) {
    const stdout = new PassThrough();
    // Plain streams take the place of a terminal's; watching uses nothing else of the context.
    const context = {
      stdin: new PassThrough(),
      stdout,
      stderr: new PassThrough().resume(),
      style: createStyle(false),
    } as unknown as CliContext;
    this.ended = Promise.all([
      this.#read(stdout),
      watchRun(context, run, { fromSeq: 0, json: true }).finally(() => stdout.end()),
    ]).then(() => undefined);
    // Whoever waits for a line hears of a failure too.
    this.ended.catch(() => undefined);
  }

  /** Waits for a line. */
  async until(fits: (line: WatchedLine) => boolean): Promise<WatchedLine> {
    for (;;) {
      const found = this.lines.find(fits);
      if (found) return found;
      let isOver = false;
      const over = this.ended.then(() => (isOver = true));
      await Promise.race([over, new Promise<void>((resolve) => (this.#wake = resolve))]);
      if (isOver && !this.lines.some(fits)) throw new Error('The run ended without the line.');
    }
  }

  async #read(stdout: PassThrough): Promise<void> {
    for await (const line of createInterface({ input: stdout })) {
      // Our own command wrote it.
      this.lines.push(JSON.parse(line) as WatchedLine);
      this.#wake();
    }
  }
}
