import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A demo in a process group of its own, without a terminal. */
export class DemoProcess {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;
  /** Everything it has printed. */
  output = '';

  constructor(dataDir: string) {
    const ours = /^(TEMPORAL|LONGHAUL|OPENROUTER)_/;
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
    this.child = spawn(process.execPath, ['scripts/demo.mjs', '--fast'], {
      cwd: ROOT,
      env: { ...env, LONGHAUL_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = once(this.child, 'close');
  }

  /** Waits for its end and returns the exit code. */
  async exitCode(): Promise<number | null> {
    await this.ended;
    return this.child.exitCode;
  }

  /** Waits until it has printed this. */
  async printed(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      const more = this.child.stdout ? once(this.child.stdout, 'data') : this.ended;
      await Promise.race([more, this.ended]);
      if (this.child.exitCode !== null && !this.output.includes(text))
        throw new Error(`The demo ended before it printed ${JSON.stringify(text)}:\n${this.output}`);
    }
  }

  /** SIGKILL to its whole process group, which is what closing the lid on it comes down to. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined)
      process.kill(-this.child.pid, 'SIGKILL');
    await this.ended;
  }
}
