import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));

/** What a worker process is started with. */
export interface WorkerProcessOptions {
  /** Where it looks for a configuration module, and for nothing else of ours. */
  cwd: string;
  /** Of `TEMPORAL_*`, `LONGHAUL_*` and `OPENROUTER_*` it gets these and no others. */
  env: Readonly<Record<string, string>>;
}

/** The built worker as a process of its own, to be killed. */
export class WorkerProcess {
  /** Everything it wrote to stderr. */
  errors = '';
  /** Resolves when it takes work. Rejects when it ends before that. */
  readonly ready: Promise<void>;
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor({ cwd, env }: WorkerProcessOptions) {
    const ours = /^(TEMPORAL|LONGHAUL|OPENROUTER)_/;
    const outer = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
    this.child = spawn(process.execPath, [WORKER, '--json'], {
      cwd,
      env: { ...outer, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    this.ended = once(this.child, 'close');
    this.ready = this.untilReady();
    // Whoever kills it at once does not ask whether it got ready.
    this.ready.catch(() => undefined);
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill9(): Promise<void> {
    if (this.isAlive()) this.child.kill('SIGKILL');
    await this.ended;
  }

  /** SIGSTOP: it keeps its connections, takes what is sent to it, and does nothing with it. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  /** SIGCONT: it goes on as if no time had passed. */
  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** SIGTERM. Resolves with the exit code when it is gone. */
  async stop(): Promise<number | null> {
    if (this.isAlive()) this.child.kill('SIGTERM');
    await this.ended;
    return this.child.exitCode;
  }

  /** Process id. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private async untilReady(): Promise<void> {
    const { stdout } = this.child;
    if (stdout !== null)
      for await (const line of createInterface({ input: stdout }))
        if (Object(JSON.parse(line)).ready === true) return;
    throw new Error(`The worker ended before it was ready:\n${this.errors}`);
  }
}
