import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { McpServer } from '../../src/adapters/tools/define-config.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { JsonObject } from '../../src/core/json.js';
import {
  scriptedSteps,
  type ReplyCall,
  type Script,
  type WireTool,
} from '../../src/testing/stand-in/script.js';
import { mcpWorld } from '../adapters/mcp/support/mcp-world.js';
import { everything, everythingOverHttp, filesystem } from '../adapters/mcp/support/npm-servers.js';
import { faultyServer } from '../adapters/mcp/support/http-server.js';
import { stream, type Stream } from '../adapters/mcp/support/stream.js';
import { temporaryDirectories } from '../adapters/tools/tool-harness.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { pidsNamed } from '../support/processes.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';
import { resultsOf } from './support/kill-world.js';

jest.setTimeout(60_000);

const server = useTemporalServer();
const outside = mcpWorld();
const temporaryDirectory = temporaryDirectories();
const worlds = new Set<World>();
/** Runs that called `send`, once for each call. */
const sent: string[] = [];

const tools = [
  defineTool({
    name: 'send',
    description: 'Sends.',
    approval: 'never',
    input: z.object({}),
    execute: (_args, { runId }) => {
      sent.push(runId);
      return 'sent';
    },
  }),
];

afterEach(async () => {
  await Promise.all([...worlds].map((world) => world.close()));
  worlds.clear();
});

describe('a tool of an MCP server', () => {
  it('is shown to the model, asks, runs once, and makes a tool ask that would not have', async () => {
    const directory = await temporaryDirectory();
    const note = join(directory, 'note.txt');
    await writeFile(note, 'one');
    const edit = { path: note, edits: [{ oldText: 'one', newText: 'one two' }] };
    const world = await worldWith(
      { files: filesystem(directory) },
      stepsOf([[{ name: 'send' }], [{ name: 'files__edit_file', args: edit }], [{ name: 'send' }]]),
    );
    const run = await world.client.start({ goal: 'edit and send' });

    // `send` asks for nothing as long as all that was read is ours.
    const asked = await untilEvent(run, 'decision_requested');
    expect(asked).toMatchObject({ callId: 's1.c0', tool: 'files__edit_file', args: edit });
    expect(asked).not.toHaveProperty('reason');
    expect(await readFile(note, 'utf8')).toBe('one');
    expect((await run.progress()).taint).toEqual({ policy: 'ask', by: null });
    await run.approve('s1.c0');

    await untilEvent(run, 'decision_requested', ({ callId }) => callId === 's2.c0');
    const source = { callId: 's1.c0', tool: 'files__edit_file' };
    expect(await run.pending()).toMatchObject([{ callId: 's2.c0', tool: 'send', reason: 'taint' }]);
    expect((await run.progress()).taint).toEqual({ policy: 'ask', by: source });
    expect(sentBy(run)).toBe(1);
    await run.approve('s2.c0');

    expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'Done.' });
    // Run twice, it would hold `one two two`.
    expect(await readFile(note, 'utf8')).toBe('one two');
    expect(sentBy(run)).toBe(2);
    const { events } = await expectFoldEqualsProgress(world.temporal, run.runId);
    expect(events.filter(({ type }) => type === 'context_tainted')).toMatchObject([source]);
    expect(resultsOf(events)['s1.c0']).toMatchObject({
      status: 'ok',
      content: expect.stringContaining('+one two'),
    });
    expect(offered(world, run, 'files__edit_file')[0]).toMatchObject({
      parameters: {
        type: 'object',
        required: ['path', 'edits'],
        properties: { path: { type: 'string' }, edits: { type: 'array' } },
      },
    });
    world.expectNoRefusals();
  });

  it('runs without a gate when it only reads, over HTTP too, and tells the model what is wrong with a call', async () => {
    const { server: http, stop } = await everythingOverHttp();
    outside.cleanup(stop);
    const directory = await temporaryDirectory();
    const world = await worldWith(
      {
        http: { ...http, effects: { 'get-sum': 'read' } },
        files: { ...filesystem(directory), effects: { read_text_file: 'read' } },
      },
      stepsOf([
        [
          { name: 'http__get-sum', args: { a: 'two', b: 3 } },
          { name: 'http__get-sum', args: { a: 2, b: 3 } },
          { name: 'http__echo', rawArguments: '{"message":' },
          { name: 'http__echo', args: {} },
          { name: 'files__read_text_file', args: { path: '/etc/passwd' } },
        ],
      ]),
    );
    const run = await world.client.start({ goal: 'add' });

    expect(await run.result()).toMatchObject({ outcome: 'done' });
    const { events } = await expectFoldEqualsProgress(world.temporal, run.runId);
    expect(events.filter(({ type }) => type === 'decision_requested')).toEqual([]);
    expect(resultsOf(events)).toMatchObject({
      's0.c0': { status: 'invalid_arguments', content: expect.stringContaining('a must be number') },
      's0.c1': { status: 'ok', content: expect.stringContaining('5') },
      's0.c2': { status: 'invalid_arguments', content: expect.stringContaining('not a JSON object') },
      's0.c3': { status: 'invalid_arguments', content: expect.stringContaining("property 'message'") },
      's0.c4': { status: 'failed', content: expect.stringContaining('Access denied') },
    });
    world.expectNoRefusals();
  });

  it('is known to no run while its server is away, and to the next one when it has come', async () => {
    const away = await faultyServer();
    await away.close();
    const lines = stream<string>();
    const servers: Record<string, McpServer> = { late: { url: away.url, effects: { look: 'read' } } };
    const world = await worldWith(servers, stepsOf([[{ name: 'late__look' }]]), lines.push);
    const input = { goal: 'look', tools: ['late__look'] };

    const early = await world.client.start(input);
    expect(await early.result()).toMatchObject({
      outcome: 'failed',
      steps: 0,
      error: { code: 'TOOL_UNKNOWN', message: expect.stringContaining('no tool late__look') },
    });
    const late = await faultyServer(Number(new URL(away.url).port));
    outside.cleanup(late.close);
    await lines.next((line) => line === 'The MCP server late is there.');

    const run = await world.client.start(input);
    expect(await run.result()).toMatchObject({ outcome: 'done' });
    expect(await resultOf(world, run, 's0.c0')).toMatchObject({ status: 'ok', content: 'in session 1' });
  });
});

describe('a server that is killed during a call', () => {
  const script = stepsOf([
    [{ name: 'every__trigger-long-running-operation', args: { duration: 3, steps: 15 } }],
  ]);
  const operation = (mark: string, effects: McpServer['effects'] = {}) => ({
    every: { ...everything(mark), effects },
  });

  it('leaves a call that must not run twice to a human', async () => {
    const mark = uniqueName('every');
    const world = await worldWith(operation(mark), script);
    const run = await world.client.start({ goal: 'operate' });
    await untilEvent(run, 'decision_requested');
    await run.approve('s0.c0');
    await untilProgress(run);
    killNamed(mark);

    await untilEvent(run, 'decision_requested', ({ kind }) => kind === 'unknown_outcome');
    expect(await run.pending()).toMatchObject([{ kind: 'unknown_outcome', callId: 's0.c0' }]);
    await run.answer('s0.c0', 'I looked: it did.');
    expect(await run.result()).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
    expect(await resultOf(world, run, 's0.c0')).toMatchObject({
      status: 'ok',
      content: expect.stringContaining('I looked: it did.'),
      attempt: 1,
    });
  });

  it('is started again for a call that may run again', async () => {
    const mark = uniqueName('every');
    const world = await worldWith(operation(mark, { 'trigger-long-running-operation': 'read' }), script);
    const run = await world.client.start({ goal: 'operate' });
    await untilProgress(run);
    killNamed(mark);

    expect(await run.result()).toMatchObject({ outcome: 'done' });
    expect(await resultOf(world, run, 's0.c0')).toMatchObject({
      status: 'ok',
      content: expect.stringContaining('operation completed'),
      attempt: 2,
    });
  });
});

describe('a server that says something else of its tool while a run goes on', () => {
  const OLD = 'Gives back what it got.';
  const echo = (n: number): ReplyCall => ({ name: 'own__echo', args: { n } });
  const describeAs = (description: string): ReplyCall => ({
    name: 'own__describe',
    args: { tool: 'echo', description },
  });
  /** Until the worker has heard of it, the tool is what it was. */
  const isHeard = (lines: Stream<string>) => lines.next((line) => line.includes('~echo'));

  it('changes nothing for the model, and asks whoever had approved the tool before', async () => {
    const lines = stream<string>();
    const { server: own } = await outside.ownServer();
    const effects = { describe: 'read' } as const;
    const servers: Record<string, McpServer> = { own: { ...own, effects } };
    const steps = [
      [echo(0)],
      [echo(1)],
      [describeAs('Second.')],
      [echo(3)],
      [echo(4)],
      [describeAs('Third.')],
      [echo(6)],
    ];
    const world = await worldWith(
      servers,
      stepsOf(steps, (stepIndex) => ([3, 6].includes(stepIndex) ? isHeard(lines) : undefined)),
      lines.push,
    );
    const run = await world.client.start({ goal: 'echo' });

    expect(await untilEvent(run, 'decision_requested')).not.toHaveProperty('reason');
    await run.approve('s0.c0', { scope: 'run', by: 'Ann' });
    const changed = await untilEvent(run, 'decision_requested', ({ callId }) => callId !== 's0.c0');
    expect(changed).toMatchObject({
      callId: 's3.c0',
      reason: 'changed',
      summary: expect.stringContaining('now: Second.'),
    });

    await world.worker.stop();
    const { server: again } = await outside.ownServer('serve', 'Second.');
    servers['own'] = { ...again, effects };
    await world.startWorker();
    await run.approve('s3.c0', { scope: 'run', by: 'Bea' });
    const changedAgain = await untilEvent(run, 'decision_requested', ({ callId }) => callId > 's3.c0');
    expect(changedAgain).toMatchObject({ callId: 's6.c0', reason: 'changed' });
    await run.reject('s6.c0', { by: 'Bea' });

    expect(await run.result()).toMatchObject({ outcome: 'done' });
    const { events } = await expectFoldEqualsProgress(world.temporal, run.runId);
    expect(decisionsOf(events)).toEqual([
      's0.c0 approve Ann run',
      's1.c0 approve Ann run',
      's3.c0 approve Bea run',
      's4.c0 approve Bea run',
      's6.c0 reject Bea once',
    ]);
    const results = resultsOf(events);
    expect(['s0.c0', 's1.c0', 's3.c0', 's4.c0', 's6.c0'].map((id) => results[id]?.status)).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
      'rejected',
    ]);
    const told = offered(world, run, 'own__echo').map(({ description }) => description);
    expect(told).toEqual(Array.from({ length: 8 }, () => OLD));

    const later = await world.client.start({
      goal: 'echo',
      requireApproval: 'never',
      limits: { maxSteps: 1 },
    });
    await later.result();
    expect(offered(world, later, 'own__echo')[0]?.description).toBe('Third.');
    world.expectNoRefusals();
  });

  // Fails until a call that was planned for the tool as it was is refused for the tool as it is now.
  it('is not obeyed by a call that was approved before it said so', async () => {
    const lines = stream<string>();
    const { server: own } = await outside.ownServer();
    const world = await worldWith(
      { own: { ...own, effects: { describe: 'read' } } },
      stepsOf([[echo(0), describeAs('Second.')]]),
      lines.push,
    );
    const run = await world.client.start({ goal: 'echo' });
    await untilEvent(run, 'decision_requested');
    await isHeard(lines);
    await run.approve('s0.c0');

    await run.result();
    expect(await resultOf(world, run, 's0.c0')).toMatchObject({ status: 'failed' });
  });

  // Fails until sub-agents are told of tools what the run is told that a human has started.
  it('is asked about in a sub-agent as well', async () => {
    const lines = stream<string>();
    const { server: own } = await outside.ownServer();
    const child = { name: 'delegate', args: { goal: 'child', tools: ['own__echo'] } };
    const script = byGoal({
      parent: stepsOf([[describeAs('Second.')], [child]], (stepIndex) =>
        stepIndex === 1 ? isHeard(lines) : undefined,
      ),
      child: stepsOf([[echo(0)]]),
    });
    const world = await worldWith(
      { own: { ...own, effects: { describe: 'read', echo: 'read' } } },
      script,
      lines.push,
    );
    const run = await world.client.start({ goal: 'parent' });

    expect(await untilEvent(run, 'decision_requested')).toMatchObject({ reason: 'changed' });
  });
});

/** A model that asks for these calls, one step after the other, and then is done. */
function stepsOf(
  steps: ReplyCall[][],
  before: (stepIndex: number) => Promise<unknown> | undefined = () => undefined,
): Script {
  const replies = scriptedSteps([...steps.map((toolCalls) => ({ toolCalls })), { text: 'Done.' }]);
  return async (request, context) => {
    await before(context.stepIndex);
    return replies(request, context);
  };
}

/** A world with a worker. */
async function worldWith(
  mcpServers: Record<string, McpServer>,
  script: Script,
  log: (line: string) => void = () => undefined,
) {
  const world = await openWorld(server, { script, tools, mcpServers, log });
  worlds.add(world);
  return { ...world, worker: await world.startWorker() };
}

/** What the requests of a run say of a tool, in order. */
function offered(world: World, run: RunHandle, name: string): WireTool['function'][] {
  return world.standIn.requests.flatMap(({ body }) => {
    const { metadata, tools: given = [] } = Object(body) as { metadata?: JsonObject; tools?: WireTool[] };
    if (metadata?.['longhaul_run'] !== run.runId) return [];
    return given.map((tool) => tool.function).filter((tool) => tool.name === name);
  });
}

function decisionsOf(events: Awaited<ReturnType<typeof expectFoldEqualsProgress>>['events']): string[] {
  return events.flatMap((event) => {
    if (event.type !== 'decision_made') return [];
    const { callId, decision, by, scope = 'once' } = event;
    return [`${callId} ${decision} ${by} ${scope}`];
  });
}

async function resultOf(world: World, run: RunHandle, callId: string) {
  const { events } = await expectFoldEqualsProgress(world.temporal, run.runId);
  return resultsOf(events)[callId];
}

/** Waits until a watcher sees what a tool reports. */
async function untilProgress(run: RunHandle): Promise<void> {
  const found = new AbortController();
  for await (const delta of run.deltas(found.signal)) if (delta.type === 'tool_progress') found.abort();
}

function killNamed(mark: string): void {
  const [pid = Number.NaN, ...others] = pidsNamed(mark);
  expect(others).toEqual([]);
  process.kill(pid, 'SIGKILL');
}

function sentBy({ runId }: RunHandle): number {
  return sent.filter((one) => one === runId).length;
}
