import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';

// One Temporal server for a whole Jest run. Prints its address, and ends when standard input does.
const dir = await mkdtemp(join(tmpdir(), 'longhaul-jest-'));
const { path } = await findTemporalBinary({ env: process.env, onProgress: (line) => console.error(line) });
const server = await startDevServer({
  binary: path,
  dbFile: join(dir, 'temporal.db'),
  logFile: join(dir, 'temporal.log'),
  headless: true,
  extraArgs: ['--sqlite-pragma', 'synchronous=OFF'],
});
console.log(server.address);
process.stdin.resume().once('end', () => {
  // Nobody will read this database again.
  process.kill(server.pid, 'SIGKILL');
  void server.ended.then(() => rm(dir, { recursive: true, force: true }));
});
