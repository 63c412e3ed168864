import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { startStandIn, type StandIn } from '../../src/testing/stand-in/stand-in.js';
import type { Script } from '../../src/testing/stand-in/script.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';

const CLIENT = resolve('dist/client.js');
const TEST_MS = 60_000;

/** Calls a tool when the goal says so, then ends. */
const script: Script = (request, { stepIndex }) => {
  const goal = request.messages.find(({ role }) => role === 'user');
  if (JSON.stringify(goal).includes('please delegate') && stepIndex === 0)
    return { toolCalls: [{ name: 'delegate', args: { goal: 'please decide' } }] };
  const isGated = JSON.stringify(request.messages).includes('please decide');
  return isGated && stepIndex === 0
    ? { text: 'Looking.', toolCalls: [{ name: 'list_files' }] }
    : { text: 'All done.', chunkDelayMs: 5 };
};

describe('the CLI as a process', () => {
  const server = useTemporalServer();
  const dir = mkdtempSync(join(tmpdir(), 'longhaul-cli-'));
  let standIn: StandIn;
  let worker: ChildProcess;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    standIn = await startStandIn({ script });
    env = {
      ...process.env,
      TEMPORAL_ADDRESS: server.address,
      LONGHAUL_TASK_QUEUE: uniqueName('cli'),
      LONGHAUL_DATA_DIR: join(dir, 'data'),
      LONGHAUL_WORKSPACE: dir,
      OPENROUTER_BASE_URL: standIn.url,
      OPENROUTER_API_KEY: 'sk-very-secret',
      LONGHAUL_MODEL: 'stand-in/agent',
      TERM: 'xterm-256color',
    };
    worker = spawn(process.execPath, [CLIENT, 'worker', '--json'], {
      cwd: dir,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(JSON.parse(await lineOf(worker))).toEqual({
      ready: true,
      taskQueue: env['LONGHAUL_TASK_QUEUE'],
      identity: expect.any(String),
    });
  }, TEST_MS);

  afterAll(async () => {
    const ended = new Promise((done) => worker.once('exit', done));
    worker.kill('SIGTERM');
    // A worker that is told to end drains, and that is no failure.
    expect(await ended).toBe(0);
    await standIn.stop();
    await rm(dir, { recursive: true, force: true });
  }, TEST_MS);

  const run = (args: string[], more: NodeJS.ProcessEnv = {}) =>
    longhaul(args, { cwd: dir, env: { ...env, ...more } });
  const durable = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line): { seq?: number } => JSON.parse(line))
      .filter(({ seq }) => seq !== undefined);

  it(
    'start --json streams the run, and watch --json and show tell the same later',
    async () => {
      const id = uniqueName('run');
      const [started, waited] = await Promise.all([
        run(['start', 'say something', '--id', id, '--json']),
        run(['start', 'say something', '--wait']),
      ]);
      expect(waited).toEqual({ code: 0, stdout: 'All done.\n', stderr: expect.stringContaining('done') });
      const events = durable(started.stdout);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
      expect(events.at(-1)).toMatchObject({
        type: 'run_completed',
        result: { outcome: 'done', answer: 'All done.' },
      });
      const [watched, from, shown, transcript, again, listed] = await Promise.all([
        run(['watch', id, '--json']),
        run(['watch', id, '--json', '--from', '2']),
        run(['show', id, '--json']),
        run(['transcript', id, '--json']),
        run(['start', 'x', '--id', id, '--json']),
        run(['list', '--json', '--limit', '100']),
      ]);
      expect(durable(watched.stdout)).toEqual(events);
      expect(durable(from.stdout)).toEqual(events.slice(2));
      expect(JSON.parse(shown.stdout)).toMatchObject({
        runId: id,
        status: 'closed',
        result: { outcome: 'done' },
      });
      expect(JSON.parse(transcript.stdout).at(-1)).toMatchObject({ role: 'assistant', content: 'All done.' });
      expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([1, 'RUN_EXISTS']);
      expect(JSON.parse(listed.stdout)).toContainEqual(expect.objectContaining({ runId: id }));
      for (const { stdout, stderr } of [started, watched, shown, transcript])
        expect(stdout + stderr).not.toContain('sk-very-secret');
    },
    TEST_MS,
  );

  it(
    'pending shows a call that waits, approve lets it run, and a second decision is refused',
    async () => {
      const id = uniqueName('run');
      const detached = await run([
        'start',
        'please decide',
        '--id',
        id,
        '--require-approval',
        'always',
        '--detach',
        '--json',
      ]);
      expect(JSON.parse(detached.stdout)).toEqual({
        runId: id,
        workflowId: id,
        temporalRunId: expect.any(String),
        webUiUrl: expect.stringContaining(id),
      });
      const watching = run(['watch', id]);
      await until(async () => JSON.parse((await run(['pending', id, '--json'])).stdout).length === 1);
      const unfit = await run(['approve', id, '--args', '{"path":7}', '--json']);
      expect([unfit.code, JSON.parse(unfit.stdout).error.code]).toEqual([1, 'ARGS_INVALID']);
      expect(JSON.parse((await run(['approve', id, '--json'])).stdout)).toEqual({
        runId: id,
        accepted: true,
        callId: 's0.c0',
      });
      const watched = await watching;
      expect(watched).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/\? s0\.c0 list_files waits[^]*approved s0\.c0[^]*■ done/),
      });
      const [twice, cancelled] = await Promise.all([
        run(['reject', id, 's0.c0', '--json']),
        run(['cancel', id, '--json']),
      ]);
      expect([twice.code, cancelled.code]).toEqual([1, 1]);
      expect(JSON.parse(cancelled.stdout).error.code).toBe('RUN_CLOSED');
    },
    TEST_MS,
  );

  it(
    'lists a sub-agent only when asked to, and decides what it asks for at the run that was started',
    async () => {
      const id = uniqueName('run');
      await run(['start', 'please delegate', '--id', id, '--require-approval', 'always', '--detach']);
      const pendingIds = async () =>
        JSON.parse((await run(['pending', id, '--json'])).stdout).map(
          ({ callId }: { callId: string }) => callId,
        );
      await until(async () => (await pendingIds()).includes('s0.c0'));
      await run(['approve', id]);
      await until(async () => (await pendingIds()).includes('s0.c0/s0.c0'));
      const listed = async (...flags: string[]): Promise<string[]> =>
        JSON.parse((await run(['list', '--json', '--limit', '100', ...flags])).stdout).map(
          ({ runId }: { runId: string }) => runId,
        );
      // Lists are a moment behind.
      await until(async () => (await listed('--all')).includes(`${id}/s0.c0`));
      const plain = await listed();
      expect([plain.includes(id), plain.includes(`${id}/s0.c0`)]).toEqual([true, false]);
      const shown = await run(['show', id]);
      expect(shown.stdout).toContain(`agents    ${id}/s0.c0  please decide`);
      expect(JSON.parse((await run(['approve', id, 's0.c0/s0.c0', '--json'])).stdout)).toEqual({
        runId: id,
        accepted: true,
        callId: 's0.c0/s0.c0',
      });
      expect((await run(['watch', id])).stdout).toMatch(
        new RegExp(
          `sub-agent ${id}/s0\\.c0: longhaul watch ${id}/s0\\.c0[^]*approved s0\\.c0/s0\\.c0[^]*■ done`,
        ),
      );
    },
    TEST_MS,
  );

  it(
    'says so when there is no such run, and when no server answers',
    async () => {
      const [unknown, away] = await Promise.all([
        run(['show', uniqueName('none'), '--json']),
        run(['list', '--json'], { TEMPORAL_ADDRESS: '127.0.0.1:9' }),
      ]);
      expect([unknown.code, JSON.parse(unknown.stdout).error.code]).toEqual([1, 'RUN_NOT_FOUND']);
      expect([away.code, JSON.parse(away.stdout).error.code]).toEqual([5, 'TEMPORAL_UNREACHABLE']);
    },
    TEST_MS,
  );

  it(
    'doctor finds everything in place',
    async () => {
      const { code, stdout } = await run(['doctor', '--json']);
      expect(JSON.parse(stdout).checks.filter(({ status }: { status: string }) => status !== 'ok')).toEqual(
        [],
      );
      expect(code).toBe(0);
    },
    TEST_MS,
  );

  // util-linux’s `script` runs a command on a terminal of its own; other systems have another `script`, or none.
  const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0;
  const onTerminal = hasScript ? it : it.skip;

  onTerminal(
    'asks on a terminal for what is pending, and takes a decision with its reason',
    async () => {
      const id = uniqueName('run');
      const terminal = new Terminal(['start', 'please decide', '--id', id, '--require-approval', 'always'], {
        cwd: dir,
        env,
      });
      await terminal.saw('[a]pprove');
      terminal.type('r');
      await terminal.saw('why?');
      terminal.type('not today');
      expect(await terminal.exitCode).toBe(0);
      expect(terminal.text).toMatch(/rejected\S* s0\.c0 list_files by .+: not today[^]*■ done/);
      expect(terminal.text).toContain('\u001b[');
    },
    TEST_MS,
  );

  onTerminal(
    'carries a session on, on a terminal and from elsewhere, and leaves it waiting',
    async () => {
      const id = uniqueName('run');
      const terminal = new Terminal(['start', 'say something', '--id', id, '--session', '--idle', '2h'], {
        cwd: dir,
        env: { ...env, NO_COLOR: '1' },
      });
      await terminal.saw('your next message');
      terminal.type('And then?');
      await terminal.saw(/step 1[^]*your next message/);
      terminal.type('');
      expect(await terminal.exitCode).toBe(0);
      expect(terminal.text).toContain(`longhaul say ${id} "TEXT"`);
      const said = await run(['say', id, 'One more.', '--message-id', 'mine', '--json']);
      expect(JSON.parse(said.stdout)).toEqual({ runId: id, accepted: true, messageId: 'mine', position: 0 });
      await until(async () => JSON.parse((await run(['show', id, '--json'])).stdout).step === 2);
      await until(async () => JSON.parse((await run(['show', id, '--json'])).stdout).idle !== null);
      expect((await run(['say', id, 'One more.', '--message-id', 'mine'])).stdout).toBe(
        `${id} message mine was taken before, and the model has it\n`,
      );
      await run(['cancel', id]);
      expect((await run(['watch', id])).code).toBe(4);
    },
    TEST_MS,
  );

  onTerminal(
    'withdraws a question that was settled elsewhere, and Ctrl-C ends the watching only',
    async () => {
      const id = uniqueName('run');
      const terminal = new Terminal(['start', 'please decide', '--id', id, '--require-approval', 'always'], {
        cwd: dir,
        env: { ...env, NO_COLOR: '1' },
      });
      await terminal.saw('[a]pprove');
      terminal.press('\u0003');
      expect(await terminal.exitCode).toBe(130);
      expect(terminal.text).toContain(`Watch it again: longhaul watch ${id}`);
      const again = new Terminal(['watch', id], { cwd: dir, env: { ...env, NO_COLOR: '1' } });
      await again.saw('[a]pprove');
      await run(['reject', id, '--note', 'elsewhere']);
      expect(await again.exitCode).toBe(0);
      expect(again.text).toContain('elsewhere');
      expect(again.text).not.toMatch(/\u001b\[\d+m/);
    },
    TEST_MS,
  );
});

interface Surroundings {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

async function longhaul(
  args: string[],
  surroundings: Surroundings,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLIENT, ...args], {
    ...surroundings,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => (stdout += String(data)));
  child.stderr.on('data', (data) => (stderr += String(data)));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout, stderr };
}

async function lineOf(child: ChildProcess): Promise<string> {
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) return line;
  return '';
}

/** Asks again until it is so. Each question starts a process, so none is put in vain. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (;;) if (await isSo()) return;
}

/** The CLI on a terminal of its own. */
class Terminal {
  text = '';
  readonly exitCode: Promise<number | null>;
  private readonly child: ChildProcess;
  private onText = (): void => undefined;

  constructor(args: string[], surroundings: Surroundings) {
    const command = [process.execPath, CLIENT, ...args].map((word) => `'${word}'`).join(' ');
    this.child = spawn('script', ['-qec', command, '/dev/null'], {
      ...surroundings,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout?.on('data', (data) => {
      this.text += String(data);
      this.onText();
    });
    this.exitCode = new Promise((done) => this.child.once('close', done));
  }

  /** Waits until the text is on the screen. */
  async saw(part: string | RegExp): Promise<void> {
    const isThere = () => (typeof part === 'string' ? this.text.includes(part) : part.test(this.text));
    await new Promise<void>((found, fail) => {
      this.onText = () => void (isThere() && found());
      this.onText();
      void this.exitCode.then(() => fail(new Error(`It ended without ${String(part)}: ${this.text}`)));
    });
  }

  press(keys: string): void {
    this.child.stdin?.write(keys);
  }

  type(line: string): void {
    this.press(`${line}\r`);
  }
}
