import { join } from 'node:path';
import { createStyle } from '../../src/cli/style.js';
import { AgentClient } from '../../src/agent-client.js';
import { startServerProcess } from '../../src/adapters/temporal/server-process.js';
import { startStandIn } from '../../src/testing/stand-in/stand-in.js';
import { auditScript } from './audit-script.js';
import { shownPath, workerEnvironment, type DemoPlan } from './demo-environment.js';
import type { Session } from './demo-session.js';
import { readState, waitForLeftovers, writeState } from './demo-state.js';
import { keepProcess } from './kept-process.js';
import { startOrCarryOn } from './start-run.js';
import { startTemporal } from './temporal.js';
import { watchDemo } from './watch-demo.js';

/** Pieces of an answer come at about the speed of a fast model. */
const PIECE_DELAY_MS = 30;

/**
 * Starts all that a run needs, watches the run to its end, and ends what was started.
 * @returns the exit code
 * @throws AgentError of all kinds
 */
export async function runSession(plan: DemoPlan): Promise<number> {
  const endings: (() => Promise<unknown>)[] = [];
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  let written = Promise.resolve();
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const session: Session = {
    plan,
    state: await readState(plan.dir),
    style: createStyle(Boolean(process.stdout.isTTY && process.stdout.hasColors())),
    isTerminal,
    interrupted: interruption.signal,
    onEnd: (end) => void endings.unshift(end),
    keepState(change) {
      const state = { ...session.state, ...change };
      session.state = state;
      written = written.then(() => writeState(plan.dir, state));
      return written;
    },
    say: (line = '') => void process.stdout.write(`${line}\n`),
    note: (line) => session.say(session.style.yellow(line)),
  };
  const stopped = new Promise<null>((resolve) =>
    interruption.signal.addEventListener('abort', () => resolve(null), { once: true }),
  );
  try {
    const code = await Promise.race([play(session, interrupt), stopped]);
    return code ?? tellInterrupted(session);
  } finally {
    for (const end of endings) await end().catch(() => undefined);
    await session.keepState({ pids: [] });
  }
}

async function play(session: Session, interrupt: () => void): Promise<number> {
  const { plan, say, style, onEnd } = session;
  say(style.bold('longhaul demo: an agent audits the dependencies of this clone.'));
  await waitForLeftovers(session.state, () => say('The processes of the last demo are still ending.'));
  const temporal = await startTemporal(session);
  const standIn =
    plan.mode === 'stand-in'
      ? await startStandIn({ script: auditScript({ pieceDelayMs: plan.isFast ? 0 : PIECE_DELAY_MS }) })
      : null;
  if (standIn) onEnd(() => standIn.stop());
  say(
    `  Model     ${standIn ? 'stand-in: the words are scripted, every tool call is real (no OPENROUTER_API_KEY)' : `${plan.config.model} at ${new URL(plan.config.openrouter.baseUrl).host}, up to $0.50`}`,
  );
  const worker = await keepWorker(session, { address: temporal.address, standInUrl: standIn?.url ?? null });
  const client = await AgentClient.connect({
    config: plan.config,
    ...(temporal.address !== null && { address: temporal.address }),
  });
  onEnd(() => client.close());
  const { run, isCarriedOn } = await startOrCarryOn(session, client);
  const webUiUrl =
    temporal.uiUrl === null ? null : `${temporal.uiUrl}/namespaces/default/workflows/${run.runId}`;
  say(`  Run       ${run.runId}${webUiUrl === null ? '' : `  ${webUiUrl}`}`);
  say(
    style.dim(
      `  In another terminal: node dist/client.js say ${run.runId} "…" (or watch, pause, approve, reject, stop)`,
    ),
  );
  say(style.dim('  Stop or kill this process at any moment: npm run demo carries the run on.'));
  if (isCarriedOn)
    say(style.yellow(`\nThat run had not ended: it goes on. What it did before is read from its history.`));
  say();
  return Promise.race([watchDemo(session, { run, webUiUrl, interrupt }), temporal.failed, worker.failed]);
}

async function keepWorker(session: Session, at: { address: string | null; standInUrl: string | null }) {
  const { plan } = session;
  let isFirst = true;
  const logFile = join(plan.dir, 'worker.log');
  const env = workerEnvironment(plan, at);
  const worker = await keepProcess({
    start: () =>
      startServerProcess({
        binary: process.execPath,
        args: [join(plan.root, 'dist', 'worker.js'), '--json'],
        logFile,
        env,
      }),
    async onStart({ pid }) {
      if (isFirst) session.say(`  Worker    process ${pid}; kill -9 it, and another takes over`);
      else
        session.note(`  The worker was killed. Another one, process ${pid}, takes over within some seconds.`);
      isFirst = false;
      await session.keepState({ pids: [...session.state.pids, pid] });
    },
    explain: ({ code }) => `The worker ended with exit code ${code}. See ${shownPath(plan.root, logFile)}`,
  });
  session.onEnd(() => worker.stop());
  return worker;
}

function tellInterrupted({ say, state, plan }: Session): number {
  const runId = state.runs[plan.mode];
  say(
    `\nStopping. ${runId === undefined ? 'No run was started yet.' : `${runId} is kept: npm run demo carries it on.`}`,
  );
  return 130;
}
