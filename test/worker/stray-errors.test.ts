import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { WorkerProcess } from '../support/worker-process.js';

const server = useTemporalServer();

it('lives on, and says so, when user code leaves a promise and a timer behind that fail', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'stray-'));
  writeFileSync(
    join(cwd, 'longhaul.config.mjs'),
    `setTimeout(() => { void Promise.reject(new Error('stray promise')); }, 100);
     setTimeout(() => { throw new Error('stray timer'); }, 200);
     export default {};`,
  );
  const worker = new WorkerProcess({
    cwd,
    env: {
      TEMPORAL_ADDRESS: server.address,
      LONGHAUL_TASK_QUEUE: uniqueName('stray'),
      OPENROUTER_API_KEY: 'k',
      OPENROUTER_BASE_URL: 'http://127.0.0.1:9',
    },
  });
  try {
    await worker.ready;
    expect(await worker.stop()).toBe(0);
    expect(worker.errors).toMatch(/stray promise/);
    expect(worker.errors).toMatch(/stray timer/);
  } finally {
    await worker.kill9();
    rmSync(cwd, { recursive: true, force: true });
  }
});
