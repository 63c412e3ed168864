import { once } from 'node:events';
import { CancelledFailure, type Info } from '@temporalio/activity';
import fc from 'fast-check';
import { createNotify } from '../../src/activities/notify.js';
import type { WebhookBody } from '../../src/contract/webhook.js';
import { AgentError } from '../../src/core/errors.js';
import type { NotifyInput } from '../../src/core/human/notices.js';
import type { PendingItem, Progress, RunResult } from '../../src/core/progress.js';
import { NO_LIMITS } from '../../src/core/run-input.js';
import type { WebhookMessage, WebhookPort } from '../../src/ports/webhook.js';
import { environmentOf, FakeRun } from './support/activity-world.js';
import { endOf } from './support/endings.js';

const URL_OF_RUN = 'https://example.com/hook?token=HUSH';
const AT_MS = Date.parse('2026-01-02T03:04:05.678Z');

const SPEND = {
  costUsd: 0.4,
  costNanoUsd: 400_000_000,
  reservedNanoUsd: 0,
  estimatedNanoUsd: 0,
  lostNanoUsd: 0,
  inheritedNanoUsd: 0,
  promptTokens: 1,
  completionTokens: 2,
  cachedTokens: 0,
  modelCalls: 3,
  lostModelCalls: 0,
  unknownCostCalls: 0,
  byPurpose: {},
  byModel: { 'maker/first': { calls: 3, costNanoUsd: 400_000_000, estimatedNanoUsd: 0 } },
};

const item = (callId: string, changes: Partial<PendingItem> = {}): PendingItem => ({
  kind: 'decision',
  callId,
  tool: 'send_invoice',
  args: { to: 'a@example.com' },
  argsHash: 'sha256:00',
  summary: 'Send it',
  requestedAt: '2026-01-02T03:00:00.000Z',
  expiresAt: null,
  ...changes,
});

const result = (changes: Partial<RunResult> = {}): RunResult => ({
  runId: 'run-1',
  outcome: 'done',
  limit: null,
  limitsReached: [],
  answer: 'All is sent.',
  steps: 8,
  spend: SPEND,
  unknownOutcomes: [],
  artifacts: [],
  shared: {},
  taintedBy: null,
  review: null,
  output: null,
  error: null,
  ...changes,
});

const progress = (changes: Partial<Progress> = {}): Progress => ({
  runId: 'run-1',
  status: 'waiting',
  waiting: null,
  goal: 'Send the invoices',
  model: 'maker/first',
  step: 7,
  limits: NO_LIMITS,
  budget: null,
  spend: SPEND,
  settling: false,
  pending: [item('s7.c0'), item('s7.c1')],
  queuedMessages: 0,
  lastRefused: null,
  taint: { policy: 'ask', by: null },
  standing: [],
  agents: [],
  idle: null,
  shared: {},
  review: null,
  compactions: 0,
  repeats: 0,
  startedAt: '2026-01-02T03:00:00.000Z',
  closedAt: null,
  result: null,
  ...changes,
});

const REQUEST: NotifyInput = { type: 'decision_requested', id: 'n0', callIds: ['s7.c1'] };
const END: NotifyInput = { type: 'run_completed', id: 'n1' };

/** Runs the activity for a run that shows this. */
function notifying(
  input: NotifyInput,
  {
    shown = progress(),
    send,
    webhookUrl = URL_OF_RUN,
  }: { shown?: Progress; send?: WebhookPort['send']; webhookUrl?: unknown } = {},
) {
  const run = new FakeRun();
  run.shown = shown;
  // What was not checked yet may be anything.
  run.current = { ...run.current, input: { goal: 'x', webhookUrl: webhookUrl as string } };
  const sent: WebhookMessage[] = [];
  const webhook: WebhookPort = {
    send: async (message) => {
      sent.push(message);
      await send?.(message);
    },
  };
  const environment = environmentOf(run, { scheduledTimestampMs: AT_MS } as Partial<Info>);
  const activity = createNotify({ webhook });
  return {
    run,
    sent,
    environment,
    done: environment.run<[NotifyInput], void, typeof activity>(activity, input),
  };
}

/** The one message that a receiver gets. */
async function told(...args: Parameters<typeof notifying>): Promise<WebhookBody> {
  const { done, sent } = notifying(...args);
  await done;
  expect(sent).toHaveLength(1);
  return JSON.parse(JSON.stringify(sent[0]?.body)) as WebhookBody; // As the receiver reads it.
}
const sizeOf = (body: WebhookBody) => Buffer.byteLength(JSON.stringify(body));

it('tells of a decision that waits, what it is about and how to take it', async () => {
  const { done, sent } = notifying(REQUEST);
  await done;

  expect(sent).toEqual([
    {
      url: URL_OF_RUN,
      id: 'first_n0',
      signal: expect.any(AbortSignal),
      body: {
        type: 'decision_requested',
        id: 'first_n0',
        runId: 'run-1',
        at: '2026-01-02T03:04:05.678Z',
        goal: 'Send the invoices',
        status: 'waiting',
        step: 7,
        spend: SPEND,
        pending: [item('s7.c1')],
        commands: {
          's7.c1': [
            'longhaul approve run-1 s7.c1',
            'longhaul reject run-1 s7.c1 --note "WHY"',
            `temporal workflow signal --workflow-id run-1 --name approve --input '{"callId":"s7.c1"}'`,
            `temporal workflow signal --workflow-id run-1 --name reject --input '{"callId":"s7.c1","note":"WHY"}'`,
          ],
        },
        result: null,
        isCut: false,
      },
    },
  ]);
});

it('tells of several at once, in the order in which they wait', async () => {
  const { pending, commands } = await told({
    ...REQUEST,
    type: 'decision_reminder',
    callIds: ['s7.c1', 's7.c0'],
  });

  expect(pending.map(({ callId }) => callId)).toEqual(['s7.c0', 's7.c1']);
  expect(Object.keys(commands)).toEqual(['s7.c0', 's7.c1']);
});

it.each<[PendingItem['kind'], string[]]>([
  ['question', ['longhaul answer', 'temporal answer']],
  [
    'unknown_outcome',
    [
      'longhaul approve',
      'longhaul answer',
      'longhaul reject',
      'temporal approve',
      'temporal answer',
      'temporal reject',
    ],
  ],
])('shows what settles a pending %s', async (kind, ways) => {
  const { commands } = await told(REQUEST, { shown: progress({ pending: [item('s7.c1', { kind })] }) });

  const short = commands['s7.c1']?.map((line) =>
    line.replace(/^longhaul (\w+) .*/, 'longhaul $1').replace(/^temporal .* --name (\w+) .*/, 'temporal $1'),
  );
  expect(short).toEqual(ways);
});

it('shows commands that do what they seem to, whatever the run is called', async () => {
  const runId = "x; touch /tmp/x; echo 'y' $(z)";

  const { commands } = await told(REQUEST, { shown: progress({ runId }) });

  const quoted = `'x; touch /tmp/x; echo '\\''y'\\'' $(z)'`;
  expect(commands['s7.c1']?.[0]).toBe(`longhaul approve ${quoted} s7.c1`);
  expect(commands['s7.c1']?.[2]).toContain(`--workflow-id ${quoted} --name`);
});

it('tells how a run has ended, and of nothing that waits', async () => {
  const shown = progress({ status: 'closed', closedAt: '2026-01-02T03:04:00.000Z', result: result() });

  expect(await told(END, { shown })).toMatchObject({
    type: 'run_completed',
    id: 'first_n1',
    status: 'closed',
    pending: [],
    commands: {},
    result: result(),
  });
});

it('calls a run closed that has its result, though it still closes its books', async () => {
  const shown = progress({ status: 'landing', settling: true, result: result() });

  expect(await told(END, { shown })).toMatchObject({ status: 'closed', result: result() });
  expect(await told(REQUEST, { shown })).toMatchObject({ status: 'landing', result: null });
});

it('says nothing of a result before the end', async () => {
  expect(await told(REQUEST, { shown: progress({ result: result() }) })).toMatchObject({ result: null });
});

describe('nothing is sent', () => {
  it.each<[string, Partial<NotifyInput>]>([
    ['about a call that does not wait any more', { callIds: ['s7.c2'] }],
    ['about no call', { callIds: [] }],
  ])('%s', async (_, changes) => {
    const { done, sent } = notifying({ ...REQUEST, ...changes });
    await done;
    expect(sent).toEqual([]);
  });

  it('without the calls in question', async () => {
    const { done, sent } = notifying({ type: 'decision_reminder', id: 'n0' });
    await done;
    expect(sent).toEqual([]);
  });

  it.each([undefined, null, 7, { href: URL_OF_RUN }])('when webhookUrl is %j', async (webhookUrl) => {
    const { done, sent, run } = notifying(END, { webhookUrl: webhookUrl ?? null });
    await done;
    expect(sent).toEqual([]);
    expect(run.asked).toEqual(['settings']);
  });
});

it('goes on about the calls that still wait', async () => {
  const { pending } = await told({ ...REQUEST, callIds: ['s7.c0', 's6.c9'] });

  expect(pending.map(({ callId }) => callId)).toEqual(['s7.c0']);
});

it('gives a message the same id and time at each attempt, an id without full stops', async () => {
  const [one, other] = [await told({ ...REQUEST, id: 'n0.a b' }), await told({ ...REQUEST, id: 'n0.a b' })];

  expect(one.id).toBe('first_n0-a-b');
  expect(other).toMatchObject({ id: one.id, at: one.at });
});

describe('a message stays below 64 KB', () => {
  const shortGoal = 'g'.repeat(500);

  it.each([
    ['a', 'a'],
    ['what JSON escapes', '\u0001'],
    ['what takes several bytes', '語'],
    ['pairs of surrogates', '😀'],
  ])('with arguments, a question and an answer of %s', async (_, char) => {
    const long = char.repeat(200_000);
    const shown = progress({
      pending: [item('s7.c1', { args: { long }, summary: long })],
      result: result({ answer: long }),
    });

    const request = await told(REQUEST, { shown });
    const end = await told(END, { shown });

    for (const body of [request, end]) {
      expect(sizeOf(body)).toBeLessThanOrEqual(65_536);
      expect(sizeOf(body)).toBeGreaterThan(10_000);
      expect(body.isCut).toBe(true);
      expect(JSON.stringify(body)).not.toMatch(/\\ud[89a-f]/i);
    }
    const [cut] = request.pending;
    expect(cut).toMatchObject({ args: null, argsHash: 'sha256:00' });
    expect(JSON.stringify({ long }).startsWith(cut?.argsText?.slice(0, -1) ?? '-')).toBe(true);
    expect(long.startsWith(end.result?.answer.slice(0, -1) ?? '-')).toBe(true);
  });

  it('with arguments that fit, which stay whole', async () => {
    const args = { long: 'x'.repeat(50_000) };

    const body = await told(REQUEST, { shown: progress({ pending: [item('s7.c1', { args })] }) });

    expect(body).toMatchObject({ pending: [{ args }], isCut: false });
  });

  it('with more calls than find room, of which the first are told', async () => {
    const calls = Array.from({ length: 300 }, (_, index) => `s7.c${index}`);

    const body = await told(
      { ...REQUEST, callIds: calls },
      { shown: progress({ pending: calls.map((id) => item(id)) }) },
    );

    expect(sizeOf(body)).toBeLessThanOrEqual(65_536);
    expect(body.isCut).toBe(true);
    expect(body.pending.length).toBeGreaterThan(10);
    expect(body.pending.map(({ callId }) => callId)).toEqual(calls.slice(0, body.pending.length));
    expect(Object.keys(body.commands)).toEqual(calls.slice(0, body.pending.length));
  });

  it('with a result whose lists and shared values find no room', async () => {
    const unknownOutcomes = Array.from({ length: 5_000 }, (_, index) => ({
      callId: `s${index}.c0`,
      tool: 'pay',
    }));
    const artifacts = unknownOutcomes.map(({ callId }) => ({ callId, id: 'sha256-0', sizeBytes: 1 }));
    const shared = { notes: 'x'.repeat(70_000) };
    const error = { code: 'TOOL_FAILED' as const, message: 'm'.repeat(100_000) };

    const body = await told(END, {
      shown: progress({ result: result({ unknownOutcomes, artifacts, shared, error }) }),
    });

    expect(sizeOf(body)).toBeLessThanOrEqual(65_536);
    expect(body).toMatchObject({ isCut: true, result: { shared: {}, answer: 'All is sent.' } });
    expect(body.result?.unknownOutcomes[0]).toEqual({ callId: 's0.c0', tool: 'pay' });
  });

  it('with a goal of which the beginning is told', async () => {
    const goal = `${shortGoal}and more`;

    expect(await told(REQUEST, { shown: progress({ goal }) })).toMatchObject({
      goal: `${shortGoal}…`,
      isCut: false,
    });
  });

  it('whatever texts there are and however many calls', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 50 }),
        fc.nat(4_000),
        fc.integer({ min: 1, max: 60 }),
        async (text, times, count) => {
          const calls = Array.from({ length: count }, (_, index) => `s7.c${index}`);
          const long = text.repeat(times);
          const pending = calls.map((id) => item(id, { args: [long], summary: long }));
          const shown = progress({ goal: long, pending, result: result({ answer: long }) });
          expect(sizeOf(await told({ ...REQUEST, callIds: calls }, { shown }))).toBeLessThanOrEqual(65_536);
          expect(sizeOf(await told(END, { shown }))).toBeLessThanOrEqual(65_536);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('a webhook that fails', () => {
  it('fails the attempt with its code, and says when to come back', async () => {
    const error = new AgentError('WEBHOOK_FAILED', 'Busy.', { details: { delayMs: 7_000 } });
    const { done } = notifying(REQUEST, { send: () => Promise.reject(error) });

    await expect(done).rejects.toMatchObject({
      type: 'WEBHOOK_FAILED',
      message: 'Busy.',
      nonRetryable: false,
      nextRetryDelay: 7_000,
    });
  });

  it('for good ends it', async () => {
    const error = new AgentError('WEBHOOK_FAILED', 'Gone.', { retryable: false });
    const { done } = notifying(REQUEST, { send: () => Promise.reject(error) });

    expect((await endOf(done)).outcome).toMatchObject({
      kind: 'failed',
      code: 'WEBHOOK_FAILED',
      retryable: false,
    });
  });

  it('is let go when the run calls it off', async () => {
    const { environment, done } = notifying(REQUEST, {
      send: async ({ signal }) => {
        if (!signal.aborted) await once(signal, 'abort');
        throw signal.reason;
      },
    });
    environment.cancel();

    await expect(done).rejects.toBeInstanceOf(CancelledFailure);
  });
});
