import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer } from '../../src/adapters/temporal/dev-server.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';
import { AgentClient } from '../../src/agent-client.js';
import type { WatchedEvent } from '../../src/client/run-handle.js';
import { loadConfig } from '../../src/config.js';
import { DemoProcess, ROOT } from './demo-process.js';

let dataDir: string;
const demos: DemoProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'longhaul-demo-'));
});

afterEach(async () => {
  await Promise.all(demos.splice(0).map((demo) => demo.kill()));
  await rm(join(ROOT, reportPath()), { force: true });
  await rm(dataDir, { recursive: true, force: true });
});

function startDemo(): DemoProcess {
  const demo = new DemoProcess(dataDir);
  demos.push(demo);
  return demo;
}

/** The run that the newest demo keeps in its state. */
function runId(): string {
  // Written by the demo.
  const { runs } = JSON.parse(readFileSync(join(dataDir, 'demo', 'state.json'), 'utf8')) as {
    runs: Record<string, string>;
  };
  return runs['stand-in'] ?? '';
}

function reportPath(): string {
  return `demo-reports/${runId()}.md`;
}

/** What the database says of the run, with no demo alive. */
async function eventsOf(id: string): Promise<WatchedEvent[]> {
  const { path: binary } = await findTemporalBinary({ env: process.env });
  const files = { dbFile: join(dataDir, 'demo', 'temporal.db'), logFile: join(dataDir, 'after.log') };
  const server = await startDevServer({ binary, ...files, headless: true });
  const client = await AgentClient.connect({
    config: loadConfig({ LONGHAUL_DATA_DIR: dataDir }),
    address: server.address,
  });
  try {
    const events: WatchedEvent[] = [];
    for await (const event of client.run(id).events({ follow: false })) events.push(event);
    return events;
  } finally {
    await client.close();
    await server.stop();
  }
}

function isType<T extends WatchedEvent['type']>(type: T) {
  return (event: WatchedEvent): event is Extract<WatchedEvent, { type: T }> => event.type === type;
}

/** The dependencies that package.json names. */
function dependencyCount(): number {
  // npm's own format.
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    object
  >;
  return Object.keys(manifest.dependencies).length + Object.keys(manifest.devDependencies).length;
}

function seqOfStep3(events: WatchedEvent[]): number {
  return events.filter(isType('step_started')).find(({ step }) => step === 3)?.seq ?? 0;
}

describe('npm run demo', () => {
  it('uses several tools, takes one decision, mends what a reviewer finds, leaves a true report and exits with 0', async () => {
    const demo = startDemo();
    expect({ code: await demo.exitCode(), output: demo.output }).toMatchObject({ code: 0 });

    const report = readFileSync(join(ROOT, reportPath()), 'utf8');
    expect(report).toContain(`\n${dependencyCount()} dependencies, `);
    expect(report).toMatch(/^\*\*Verdict:\*\* (?!open)/m);
    expect(demo.output).toContain(reportPath());
    expect(demo.output).toContain('decides by itself');

    const events = await eventsOf(runId());
    expect(
      new Set(events.filter(isType('tool_completed')).map(({ tool }) => tool)).size,
    ).toBeGreaterThanOrEqual(5);
    expect(events.filter(isType('tool_completed')).map(({ status }) => status)).not.toContain('failed');
    expect(events.filter(isType('decision_made'))).toHaveLength(1);
    expect(events.filter(isType('review_completed')).map(({ passed }) => passed)).toEqual([false, true]);
    expect(demo.output).toContain('passed in round 2');
    const review = { rounds: 2, passed: true };
    expect(events.at(-1)).toMatchObject({ type: 'run_completed', result: { outcome: 'done', review } });
    expect(events.at(-1)).toHaveProperty('result.answer', expect.stringContaining('`esbuild`'));
  }, 120_000);

  it('carries its run on after it was killed, without doing anything twice', async () => {
    const first = startDemo();
    await first.printed('step 3 ');
    await first.kill();
    const killedRunId = runId();

    const second = startDemo();
    expect({ code: await second.exitCode(), output: second.output }).toMatchObject({ code: 0 });

    expect(runId()).toBe(killedRunId);
    expect(second.output).toContain('it goes on');
    const events = await eventsOf(killedRunId);
    expect(events.at(-1)).toMatchObject({ type: 'run_completed', result: { outcome: 'done' } });
    const started = events.filter(isType('tool_started')).map(({ callId }) => callId);
    expect(started).toEqual([...new Set(started)]);
    const beforeTheKill = events
      .filter(({ type }) => type === 'model_completed' || type === 'tool_completed')
      .filter(({ seq }) => seq < seqOfStep3(events));
    expect(beforeTheKill.length).toBeGreaterThan(10);
    for (const event of beforeTheKill) expect(event).toMatchObject({ attempt: 1 });
  }, 180_000);
});
