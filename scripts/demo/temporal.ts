import { join } from 'node:path';
import { findTemporal, removeDevFile, writeDevFile } from '../../src/adapters/temporal/dev-file.js';
import { refuseTakenPorts, startDevServer, type DevServer } from '../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';
import { isPortFree } from '../../src/adapters/temporal/free-port.js';
import { shownPath, type DemoPlan } from './demo-environment.js';
import { keepProcess } from './kept-process.js';
import type { Session } from './demo-session.js';

const HOST = '127.0.0.1';
const USUAL_PORT = 7233;
const USUAL_UI_PORT = 8233;
const SECRET = /^(LONGHAUL|OPENROUTER)_/;

/** The Temporal server of a demo. */
export interface DemoTemporal {
  /** `null`: as the environment says. */
  address: string | null;
  /** `null` where it is not known. */
  uiUrl: string | null;
  /** Rejects when the server is gone for good. */
  failed: Promise<never>;
}

/** Starts the embedded server, and again whenever it is killed; or takes the one that the environment names. */
export async function startTemporal(session: Session): Promise<DemoTemporal> {
  const { plan, say, style } = session;
  if (!plan.isEmbedded) {
    say('  Temporal  the server that TEMPORAL_ADDRESS names');
    return { address: null, uiUrl: null, failed: new Promise<never>(() => undefined) };
  }
  const env = Object.fromEntries(Object.entries(plan.env).filter(([name]) => !SECRET.test(name)));
  const ports = await choosePorts(plan);
  await refuseTakenPorts(HOST, ports);
  const { path: binary } = await findTemporalBinary({ env, onProgress: (line) => say(`  ${line}`) });
  const files = { dbFile: join(plan.dir, 'temporal.db'), logFile: join(plan.dir, 'temporal.log') };
  const start = (at: { port: number; uiPort: number }): Promise<DevServer> =>
    startDevServer({ binary, ...files, ip: HOST, env, ...at });
  let used = ports;
  let isFirst = true;
  const server = await keepProcess({
    start: async () => {
      const started = await start(used);
      // Clients look for it where it was.
      used = { port: portOf(started.address), uiPort: portOf(started.uiUrl ?? '') };
      return started;
    },
    async onStart({ pid }) {
      if (!isFirst)
        session.note('  The Temporal server was killed. It was started again on the same database.');
      isFirst = false;
      await session.keepState({ pids: [...session.state.pids, pid] });
    },
    explain: ({ code }) =>
      `The Temporal server ended with exit code ${code}. See ${shownPath(plan.root, files.logFile)}`,
  });
  session.onEnd(() => server.stop());
  const { address, uiUrl } = server.first;
  shareAddress(session, { address, uiUrl });
  say(`  Temporal  ${address}, database ${shownPath(plan.root, files.dbFile)}`);
  say(`  Web UI    ${style.cyan(uiUrl ?? '')}`);
  return { address, uiUrl, failed: server.failed };
}

/** Lets the CLI in another terminal find the server, as it finds that of `longhaul dev`; one that runs with the same data goes first. */
function shareAddress({ plan, onEnd }: Session, at: { address: string; uiUrl: string | null }): void {
  const { dataDir } = plan.config;
  if (findTemporal(dataDir).from === 'dev') return;
  writeDevFile(dataDir, { pid: process.pid, ...at });
  onEnd(async () => removeDevFile(dataDir));
}

async function choosePorts(plan: DemoPlan): Promise<{ port: number; uiPort: number }> {
  const [isUsualFree, isUsualUiFree] = await Promise.all([
    isPortFree(HOST, USUAL_PORT),
    isPortFree(HOST, USUAL_UI_PORT),
  ]);
  return {
    port: plan.port ?? (isUsualFree ? USUAL_PORT : 0),
    uiPort: plan.uiPort ?? (isUsualUiFree ? USUAL_UI_PORT : 0),
  };
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}
