import { PassThrough } from 'node:stream';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import { CONTROL_NAMES } from '../../src/contract/names.js';
import { readRunHistory } from '../../src/testing/history.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';

/** A key of a shape that shows up wherever it leaks to. */
const CANARY_KEY = 'sk-or-v1-canary-5d41402abc4b2a76b9719d911017c592';
const STREAMED = Array.from({ length: 150 }, (_, word) => `word-${word} `).join('');

const server = useTemporalServer();
let world: World;

beforeAll(async () => {
  world = await openWorld(server, {
    script: byGoal({
      list: scriptedSteps([
        { toolCalls: [{ name: 'echo', args: { text: 'one' } }] },
        { toolCalls: [{ name: 'deploy', args: { what: '`$(rm -rf)` ```' + 'x'.repeat(5_000) } }] },
        { text: 'Listed.' },
      ]),
      many: (_request, { stepIndex }) =>
        stepIndex < 24
          ? { toolCalls: [{ name: 'echo', args: { text: String(stepIndex) } }] }
          : { text: 'Many.' },
      stream: scriptedSteps([{ text: STREAMED, chunkDelayMs: 15, reasoning: 'Let me think.' }]),
      leak: scriptedSteps([
        { toolCalls: [{ name: 'echo', args: { text: 'one' } }, { name: 'breaks' }] },
        { fault: { kind: 'http', status: 400 } },
      ]),
    }),
    tools: [
      defineTool({
        name: 'echo',
        description: 'e',
        effect: 'read',
        input: z.object({ text: z.string() }),
        execute: ({ text }) => text,
      }),
      defineTool({
        name: 'deploy',
        description: 'd',
        input: z.object({ what: z.string() }),
        execute: () => 'deployed',
      }),
      defineTool({
        name: 'breaks',
        description: 'b',
        effect: 'read',
        input: z.object({}),
        execute: () => {
          throw new Error('It broke.');
        },
      }),
    ],
    standIn: { apiKeys: [CANARY_KEY] },
    env: { OPENROUTER_API_KEY: CANARY_KEY },
  });
  await world.startWorker();
}, 60_000);

afterAll(() => world.close());

describe('search attributes', () => {
  it('tell what a run is about while it waits and once it has ended', async () => {
    const run = await world.client.start({ goal: 'list' });
    await untilEvent(run, 'decision_requested');
    expect(await attributesOf(run)).toEqual({
      AgentStatus: ['waiting'],
      AgentNeedsDecision: [true],
      AgentSteps: [expect.any(Number)],
      AgentModel: ['stand-in/agent'],
      AgentCostUsd: [expect.any(Number)],
    });
    await run.approve();
    const { steps, spend } = await run.result();
    expect(await attributesOf(run)).toEqual({
      AgentStatus: ['closed'],
      AgentNeedsDecision: [false],
      AgentSteps: [steps],
      AgentModel: ['stand-in/agent'],
      AgentCostUsd: [spend.costUsd],
    });
  });

  it('are few over a long run, and right at its end', async () => {
    const run = await world.client.start({ goal: 'many' });
    const { steps } = await run.result();
    expect(steps).toBe(25);
    expect(await attributesOf(run)).toMatchObject({ AgentSteps: [25] });
    const histories = await readRunHistory(world.temporal, run.runId);
    const upserts = histories
      .flatMap(({ events }) => events ?? [])
      .filter((event) => event.upsertWorkflowSearchAttributesEventAttributes);
    expect(upserts.length).toBeLessThanOrEqual(5);
  });

  it('find runs by status', async () => {
    const run = await world.client.start({ goal: 'list' });
    await untilEvent(run, 'decision_requested');
    await untilListed(run, 'waiting');
    await run.reject();
    await run.result();
    const item = await untilListed(run, 'closed');
    expect(item).toMatchObject({ steps: 3, model: 'stand-in/agent', needsDecision: false });
  });
});

describe("Temporal's Web UI", () => {
  it('is given current details that are short, readable and name the command to decide', async () => {
    const run = await world.client.start({ goal: 'list' });
    await untilEvent(run, 'decision_requested');
    const { currentDetails, definition } = await metadataOf(run);
    expect(Buffer.byteLength(currentDetails)).toBeLessThan(4_096);
    expect(currentDetails).toContain('**waiting**');
    expect(currentDetails).toContain('--name approve');
    expect(currentDetails).toContain(`{"callId":"s1.c0"}`);
    expect(currentDetails.split('\n').filter((line) => line.startsWith('```')).length % 2).toBe(0);
    const signals = definition.signalDefinitions;
    expect(signals.map(({ name }) => name)).toEqual(expect.arrayContaining([...CONTROL_NAMES]));
    for (const { name, description } of [
      ...signals,
      ...definition.updateDefinitions,
      ...definition.queryDefinitions,
    ])
      if (!name.startsWith('__')) expect([name, description]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    await run.cancel();
    await run.result();
    expect((await metadataOf(run)).currentDetails).toMatch(/\*\*closed\*\* · cancelled/);
  });

  it('is given a summary of every activity', async () => {
    const run = await world.client.start({ goal: 'many' });
    await run.result();
    const [history] = await readRunHistory(world.temporal, run.runId);
    const scheduled = (history?.events ?? []).filter((event) => event.activityTaskScheduledEventAttributes);
    const summaries = await Promise.all(
      scheduled.map(async ({ userMetadata }) => {
        const converter = world.temporal.options.loadedDataConverter;
        const [text] = await decodeArrayFromPayloads(
          converter,
          userMetadata?.summary ? [userMetadata.summary] : [],
        );
        return text;
      }),
    );
    expect(summaries).toHaveLength(1 + 25 + 24);
    expect(summaries.slice(0, 3)).toEqual([
      'check the input',
      'step 0 · stand-in/agent',
      'echo {"text":"0"}',
    ]);
    expect(summaries.every((text) => typeof text === 'string' && text.length > 0)).toBe(true);
  });
});

it('shows what the model writes while it writes, never anything else', async () => {
  const run = await world.client.start({ goal: 'stream' });
  const ended = new AbortController();
  const result = run.result().finally(() => ended.abort());
  let pieces = 0;
  let reasoning = '';
  for await (const delta of run.deltas(ended.signal)) {
    if (delta.type === 'reasoning_delta') reasoning += delta.text;
    if (delta.type !== 'text_delta') continue;
    pieces += 1;
    expect(STREAMED.slice(delta.offset, delta.offset + delta.text.length)).toBe(delta.text);
  }
  expect(await result).toMatchObject({ outcome: 'done', answer: STREAMED });
  expect(pieces).toBeGreaterThan(3);
  expect(reasoning).toBe('Let me think.');
});

it('keeps the key out of history, failures, events, heartbeats and logs', async () => {
  const written = captureOutput();
  try {
    const run = await world.client.start({ goal: 'leak' });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BAD_REQUEST' } });
    const histories = await readRunHistory(world.temporal, run.runId);
    const events: unknown[] = [];
    for await (const event of run.events({ follow: false })) events.push(event);
    const decoded = Buffer.concat(
      histories.flatMap((history) => payloadBytes(JSON.parse(historyToJSON(history)))),
    ).toString();
    expect(decoded).toContain('It broke.');
    const everything = [
      decoded,
      JSON.stringify(histories.map((history) => JSON.parse(historyToJSON(history)))),
      JSON.stringify([events, result, await run.progress(), await run.transcript()]),
      JSON.stringify(world.standIn.requests),
      written.text(),
    ].join('\n');
    expect(everything).not.toContain(CANARY_KEY);
    expect(everything).not.toContain(CANARY_KEY.slice(-16));
    expect(everything).not.toContain(Buffer.from(CANARY_KEY).toString('base64').slice(4, -4));
  } finally {
    written.restore();
  }
});

async function attributesOf(run: RunHandle): Promise<Record<string, unknown>> {
  const { searchAttributes } = await world.temporal.workflow.getHandle(run.runId).describe();
  return Object.fromEntries(Object.entries(searchAttributes).filter(([name]) => name.startsWith('Agent')));
}

/** The server lists a run some time after it changed. */
async function untilListed(run: RunHandle, status: string) {
  for (;;) {
    const item = (await world.client.list({ status, limit: 100 })).find(({ runId }) => runId === run.runId);
    if (item) return item;
  }
}

interface Metadata {
  currentDetails: string;
  definition: Record<
    'signalDefinitions' | 'updateDefinitions' | 'queryDefinitions',
    { name: string; description?: string }[]
  >;
}

/** What the Web UI asks for. */
function metadataOf(run: RunHandle): Promise<Metadata> {
  return world.temporal.workflow.getHandle(run.runId).query<Metadata>('__temporal_workflow_metadata');
}

/** The bytes of all payloads in a history, as people with access to the server could read them. */
function payloadBytes(value: unknown): Buffer[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'data' && typeof inner === 'string' ? [Buffer.from(inner, 'base64')] : payloadBytes(inner),
  );
}

/** What this process, the worker in it included, writes from now on. */
function captureOutput(): { text(): string; restore(): void } {
  const kept = new PassThrough();
  const chunks: Buffer[] = [];
  kept.on('data', (chunk: Buffer) => chunks.push(chunk));
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((chunk) => kept.write(chunk)),
  );
  return {
    text: () => Buffer.concat(chunks).toString(),
    restore: () => spies.forEach((spy) => spy.mockRestore()),
  };
}
