import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WORKER = join(__dirname, '../../dist/worker.js');

/** The worker that `npm test` has built, in a directory of its own. */
async function runWorker(
  env: Record<string, string>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const cwd = mkdtempSync(join(tmpdir(), 'worker-exit-'));
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [WORKER, '--json'], { cwd, env: { PATH, ...env } });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (piece) => (out.stdout += String(piece)));
  child.stderr.on('data', (piece) => (out.stderr += String(piece)));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  rmSync(cwd, { recursive: true });
  return { code, ...out };
}

describe('a worker that cannot start', () => {
  it('ends with 2 and says what to set when there is no key', async () => {
    const { code, stdout } = await runWorker({});
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'CONFIG_INVALID', message: expect.stringContaining('OPENROUTER_API_KEY') },
    });
  });

  it('ends with 5 and names the address when Temporal does not answer', async () => {
    const { code, stdout } = await runWorker({ OPENROUTER_API_KEY: 'k', TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'TEMPORAL_UNREACHABLE', message: expect.stringContaining('127.0.0.1:1') },
    });
  });
});
