import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';
import { OwnTestServer } from './temporal-server.js';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;

/** A Temporal server of a test file's own with its Web UI, as `longhaul dev` starts it. */
export class WebUiServer extends OwnTestServer {
  #uiUrl: string | null = null;

  constructor(dir: () => string) {
    super(async (port) => {
      const { path } = await findTemporalBinary({ env: process.env });
      const dbFile = join(dir(), 'temporal.db');
      const logFile = join(dir(), 'temporal.log');
      const extraArgs = ['--sqlite-pragma', 'synchronous=OFF'];
      const server = await startDevServer({ binary: path, dbFile, logFile, port, extraArgs });
      this.#uiUrl = server.uiUrl;
      return server;
    });
  }

  /** `http://127.0.0.1:…`. */
  get uiUrl(): string {
    if (this.#uiUrl === null) throw new Error('The Web UI is there from beforeAll on, not before.');
    return this.#uiUrl;
  }
}

/** Starts it before the tests of the file, and ends it after them. */
export function useWebUi(): WebUiServer {
  let dir: string;
  const server = new WebUiServer(() => dir);
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'longhaul-web-ui-'));
    await server.startAndConnect();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await server.close();
    await server.kill();
    await rm(dir, { recursive: true, force: true });
  }, STOP_TIMEOUT_MS);
  return server;
}
