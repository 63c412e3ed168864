import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { priceConfig } from '../../src/adapters/openrouter/price-config.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle, WatchedEvent } from '../../src/client/run-handle.js';
import { listNanoUsd } from '../../src/core/money/price.js';
import { createAgentWorker, type AgentWorker } from '../../src/worker/create-agent-worker.js';
import { DONE, ScriptedServer, sse, type SeenRequest } from '../adapters/openrouter/scripted-server.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, workflowBundle, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';

// As docs/other-servers.md says it.
const prices = priceConfig.parse({ 'my/model': { promptUsdPerMillion: 0.5, completionUsdPerMillion: 1.5 } });
const price = prices['my/model'];
const USAGE = { prompt_tokens: 1_000, completion_tokens: 50, total_tokens: 1_050 };
const CEILING_USD = 0.25;
/** How long a run may take to close that has nothing to wait for; the patience with costs is a minute. */
const AT_ONCE_MS = 5_000;
/** And one that asks three times in vain, over seven seconds. */
const REFUSED_MS = 15_000;

const temporal = useTemporalServer();
const plain = new ScriptedServer();
let world: World;
let agentWorker: AgentWorker;
let running: Promise<void>;

/** A server that knows OpenAI's chat completions and a list of models, and nothing else. */
interface PlainServer {
  usage?: object;
  lists: boolean;
  /** Breaks off the first answer. */
  breaksOnce?: boolean;
  /** A proxy that passes on ids of OpenRouter, but not the question what they cost. */
  passesIds?: boolean;
  /** Refuses what OpenAI does not know. */
  isStrict?: boolean;
}

function serve({ usage, lists, breaksOnce = false, passesIds = false, isStrict = false }: PlainServer): void {
  let toBreak = breaksOnce;
  plain.seen.length = 0;
  plain.script = (response, request) => {
    if (isStrict && request.body.includes('"session_id"')) {
      const loc = ['body', 'session_id'];
      answer(response, 422, {
        detail: [{ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' }],
      });
    } else if (request.path.endsWith('/chat/completions')) {
      complete(response, request, { usage, breaks: toBreak, id: passesIds ? 'gen-1' : 'chatcmpl-1' });
      toBreak = false;
    } else if (request.path.endsWith('/models') && lists) {
      const data = [{ id: 'my/model', object: 'model', created: 1, owned_by: 'me' }];
      answer(response, 200, { object: 'list', data });
    } else answer(response, 404, { detail: 'Not Found' });
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function complete(
  response: ServerResponse,
  { body }: SeenRequest,
  { usage, breaks, id }: { usage: object | undefined; breaks: boolean; id: string },
): void {
  const { messages }: { messages: { role: string }[] } = JSON.parse(body);
  const isAsking = !messages.some(({ role }) => role === 'tool');
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'count', arguments: '{}' } };
  const delta = isAsking
    ? { role: 'assistant', tool_calls: [call] }
    : { role: 'assistant', content: 'It is 1.' };
  const finish = isAsking ? 'tool_calls' : 'stop';
  const envelope = { id, object: 'chat.completion.chunk', created: 1, model: 'my-model.gguf' };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(sse({ ...envelope, choices: [{ index: 0, delta, finish_reason: null }] }));
  if (breaks) return void response.end();
  response.write(sse({ ...envelope, choices: [{ index: 0, delta: {}, finish_reason: finish }] }));
  if (usage !== undefined) response.write(sse({ ...envelope, choices: [], usage }));
  response.end(DONE);
}

beforeAll(async () => {
  await plain.start();
  serve({ lists: true });
  world = await openWorld(temporal, {
    script: () => {
      throw new Error('This is the other server.');
    },
    env: { OPENROUTER_BASE_URL: plain.baseUrl, LONGHAUL_MODEL: 'my/model' },
  });
  const count = defineTool({
    name: 'count',
    description: 'c',
    effect: 'read',
    input: z.object({}),
    execute: () => 1,
  });
  agentWorker = await createAgentWorker({
    config: world.config,
    module: { tools: [count], defaults: {}, prices },
    address: world.address,
    worker: { workflowBundle: await workflowBundle(), shutdownGraceTime: '500ms' },
  });
  running = agentWorker.run();
}, 60_000);

afterAll(async () => {
  agentWorker.worker.shutdown();
  await running;
  await agentWorker.close();
  await world.close();
  await plain.stop();
});

async function runToEnd(): Promise<{ run: RunHandle; events: WatchedEvent[] }> {
  const run = await world.client.start({
    goal: 'Count.',
    limits: { maxCostUsd: CEILING_USD },
    maxOutputTokens: 2_000,
  });
  const events: WatchedEvent[] = [];
  for await (const event of run.events()) events.push(event);
  await expectFoldEqualsProgress(world.temporal, run.runId);
  return { run, events };
}

/** From the last answer to the end of the run. */
function closingMs(events: readonly WatchedEvent[]): number {
  const at = (type: string): number =>
    Date.parse(events.filter((event) => event.type === type).at(-1)?.at ?? '');
  return at('run_completed') - at('model_completed');
}

const paths = (): string[] => [...new Set(plain.seen.map(({ path }) => path.replace(/^.*\/v1/, '')))].sort();

describe('a server that is not OpenRouter', () => {
  it('serves a run, whose cost is what its tokens cost by the configured price', async () => {
    if (price === undefined) throw new Error('no price');
    serve({ usage: USAGE, lists: true });
    const { run, events } = await runToEnd();
    expect(await run.result()).toMatchObject({
      outcome: 'done',
      answer: 'It is 1.',
      steps: 2,
      spend: {
        costNanoUsd: 0,
        reservedNanoUsd: 0,
        estimatedNanoUsd: 2 * listNanoUsd(price, { promptTokens: 1_000, completionTokens: 50 }),
        promptTokens: 2_000,
        completionTokens: 100,
        unknownCostCalls: 0,
        lostModelCalls: 0,
      },
    });
    // Nothing is there that could be asked what a call has cost, so nothing is waited for.
    expect(paths()).toEqual(['/chat/completions', '/key', '/models']);
    expect(closingMs(events)).toBeLessThan(AT_ONCE_MS);
    expect(events.filter(({ type }) => type === 'model_failed' || type === 'fallback_used')).toEqual([]);
  });

  it('serves a run though it counts no tokens and lists no models: what was held for a call is what it costs', async () => {
    serve({ lists: false });
    const { run, events } = await runToEnd();
    const { outcome, spend } = await run.result();
    expect(outcome).toBe('done');
    expect(spend).toMatchObject({ costNanoUsd: 0, promptTokens: 0, completionTokens: 0, modelCalls: 2 });
    // At least the answers that were allowed for, at most the ceiling.
    const answersNanoUsd = 2 * 2_000 * 1_500;
    expect(spend.estimatedNanoUsd).toBeGreaterThan(answersNanoUsd);
    expect(spend.estimatedNanoUsd).toBeLessThanOrEqual(CEILING_USD * 1e9);
    expect(paths()).not.toContain('/generation');
    expect(closingMs(events)).toBeLessThan(AT_ONCE_MS);
  });

  it('serves a run though it refuses what OpenAI does not know, and is sent that once', async () => {
    serve({ usage: USAGE, lists: true, isStrict: true });
    const { run, events } = await runToEnd();
    expect(await run.result()).toMatchObject({
      outcome: 'done',
      spend: { modelCalls: 2, lostModelCalls: 0 },
    });
    const asked = plain.seen.filter(({ path }) => path.endsWith('/chat/completions'));
    expect(asked.map(({ body }) => body.includes('longhaul_run'))).toEqual([true, false, false]);
    expect(events.filter(({ type }) => type === 'model_failed')).toEqual([]);
  });

  it('has a call that it broke off charged at what was held for it, without waiting for a better word', async () => {
    serve({ usage: USAGE, lists: true, breaksOnce: true });
    const { run, events } = await runToEnd();
    const { outcome, spend } = await run.result();
    expect(outcome).toBe('done');
    expect(spend).toMatchObject({ costNanoUsd: 0, modelCalls: 2, lostModelCalls: 1 });
    expect(spend.lostNanoUsd).toBeGreaterThan(2_000 * 1_500);
    expect(spend.estimatedNanoUsd).toBeLessThanOrEqual(CEILING_USD * 1e9);
    expect(closingMs(events)).toBeLessThan(AT_ONCE_MS);
  });

  it('is believed that it has no /generation, though it passes ids of OpenRouter on', async () => {
    serve({ usage: USAGE, lists: true, breaksOnce: true, passesIds: true });
    const { run, events } = await runToEnd();
    const { outcome, spend } = await run.result();
    expect(outcome).toBe('done');
    expect(spend).toMatchObject({ costNanoUsd: 0, lostModelCalls: 1 });
    expect(spend.lostNanoUsd).toBeGreaterThan(2_000 * 1_500);
    expect(plain.seen.filter(({ path }) => path.includes('/generation')).length).toBeGreaterThanOrEqual(3);
    expect(closingMs(events)).toBeLessThan(REFUSED_MS);
  }, 30_000);
});
