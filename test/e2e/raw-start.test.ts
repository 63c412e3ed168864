import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { AGENT_RUN } from '../../src/contract/names.js';
import type { RunEvent } from '../../src/core/events.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { temporalCli } from './support/temporal-cli.js';

const server = useTemporalServer();
let world: World;

beforeAll(async () => {
  world = await openWorld(server, {
    script: scriptedSteps([
      { toolCalls: [{ name: 'ask_human', args: { question: 'Which?' } }] },
      { text: 'Done.' },
    ]),
  });
  await world.startWorker();
}, 60_000);

afterAll(() => world.close());

describe('temporal workflow start', () => {
  it('starts a run with nothing but a goal', async () => {
    const run = await startRaw(['--input', '{"goal":"Say done."}']);
    await untilEvent(run, 'decision_requested');
    await cli('signal', run, ['--name', 'answer', '--input', '{"text":"This one."}']);
    expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'Done.', steps: 2 });
    await expectFoldEqualsProgress(world.temporal, run.runId);
  });

  it.each([
    ['an object without a goal', '{}', 'INPUT_INVALID', /goal/],
    ['null', 'null', 'INPUT_INVALID', /goal/],
    ['text', '"text"', 'INPUT_INVALID', /goal/],
    ['a number', '5', 'INPUT_INVALID', /goal/],
    ['a list', '[{"goal":"x"}]', 'INPUT_INVALID', /goal/],
    ['nothing at all', null, 'INPUT_INVALID', /goal/],
    ['an empty goal', '{"goal":""}', 'INPUT_INVALID', /goal must not be empty/],
    ['a goal that is no text', '{"goal":{"a":1}}', 'INPUT_INVALID', /goal/],
    ['a field that is none', '{"goal":"x","maxCost":1}', 'INPUT_INVALID', /maxCost/],
    ['a negative ceiling', '{"goal":"x","limits":{"maxSteps":-1}}', 'INPUT_INVALID', /limits\.maxSteps/],
    ['limits that are no object', '{"goal":"x","limits":7}', 'INPUT_INVALID', /limits/],
    ['models that are no list', '{"goal":"x","models":"m"}', 'INPUT_INVALID', /models/],
    ['an unknown tool', '{"goal":"x","tools":["nope"]}', 'TOOL_UNKNOWN', /nope/],
    ['an unknown tool to stop on', '{"goal":"x","stopOnTool":["nope"]}', 'TOOL_UNKNOWN', /nope/],
    ['a snapshot of another version', '{"snapshot":{"version":99}}', 'INPUT_INVALID', /version/],
    ['a review of no rounds', '{"goal":"x","review":{"rounds":0}}', 'INPUT_INVALID', /review/],
    ['a schema that is none', '{"goal":"x","schema":{"type":"no such"}}', 'INPUT_INVALID', /schema/],
    [
      'a check by an unknown tool',
      '{"goal":"x","review":{"checks":[{"tool":"nope"}]}}',
      'TOOL_UNKNOWN',
      /nope/,
    ],
    ['an unknown model', '{"goal":"x","model":"no/such"}', 'MODEL_BAD_REQUEST', /no\/such/],
  ])('fails a run once, and says why, when its input is %s', async (_what, input, code, message) => {
    const run = await startRaw(input === null ? [] : ['--input', input]);
    const failure = await failureOf(run);
    expect(failure).toMatchObject({ type: code, nonRetryable: true });
    expect(failure.message).toMatch(message);
    expect(await failedTasksOf(run)).toBe(0);
    expect(await run.result()).toMatchObject({ outcome: 'failed', error: { code } });
    expect((await run.progress()).status).toBe('closed');
  });

  it('fails a run once when its input cannot be read at all', async () => {
    const run = await startRaw(['--input', 'no JSON', '--input-meta', 'encoding=some/thing']);
    expect(await failureOf(run)).toMatchObject({ type: 'INPUT_INVALID', nonRetryable: true });
    expect(await failedTasksOf(run)).toBe(0);
  });
});

describe('temporal workflow signal', () => {
  const refused: [string, string[]][] = [
    ['no call waits for', ['--name', 'approve', '--input', '{"callId":"s9.c9"}']],
    ['is of the wrong kind', ['--name', 'approve', '--input', '"yes"']],
    ['is a list', ['--name', 'reject', '--input', '["s0.c0"]']],
    ['is a number', ['--name', 'say', '--input', '5']],
    ['has fields of the wrong kind', ['--name', 'say', '--input', '{"text":{"a":1}}']],
    ['says nothing', ['--name', 'say']],
    ['names an unknown mode', ['--name', 'say', '--input', '{"text":"x","mode":"shout"}']],
    ['decides neither way', ['--name', 'decide', '--input', '{"callId":"s0.c0","decision":"maybe"}']],
    ['answers nothing', ['--name', 'answer', '--input', '{"callId":"s0.c0"}']],
    ['sets a ceiling that is none', ['--name', 'setLimits', '--input', '{"maxSteps":"many"}']],
  ];

  it.each(refused)('is turned down, and told to watchers, when it %s', async (_what, args) => {
    const run = await startWaiting();
    await cli('signal', run, args);
    await untilEvent(run, 'control_rejected');
    await expectToEnd(run);
  });

  it.each([
    ['an unknown name', ['--name', 'dance', '--input', '{"a":1}']],
    ['a reserved name', ['--name', '__temporal_dance']],
    [
      'an input that cannot be read',
      ['--name', 'say', '--input', 'x', '--input-meta', 'encoding=some/thing'],
    ],
    ['several inputs', ['--name', 'pause', '--input', '{}', '--input', '{"by":"me"}']],
  ])('does not harm the run with %s', async (_what, args) => {
    const run = await startWaiting();
    await cli('signal', run, args);
    await cli('signal', run, ['--name', 'resume']);
    await expectToEnd(run);
  });

  it('does not harm the run with an input that says it is JSON and is not', async () => {
    const run = await startWaiting();
    const garbage = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') };
    await world.temporal.workflowService.signalWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: run.runId },
      signalName: 'say',
      input: { payloads: [garbage] },
    });
    await cli('signal', run, ['--name', 'resume']);
    await expectToEnd(run);
  });

  it('approves and rejects without an input where one call is pending', async () => {
    const run = await startWaiting();
    await cli('signal', run, ['--name', 'reject']);
    expect(await run.result()).toMatchObject({ outcome: 'done' });
    const made = (await eventsOf(run)).filter(({ type }) => type === 'decision_made');
    expect(made).toMatchObject([{ callId: 's0.c0', decision: 'reject' }]);
  });
});

it('shows the progress of contract §6 to temporal workflow query', async () => {
  const run = await startWaiting();
  const answered = await cli('query', run, ['--type', 'progress', '--output', 'json']);
  const { queryResult } = JSON.parse(answered);
  // Temporal's CLI writes an empty list as null.
  const asWritten = JSON.stringify(await run.progress(), (_key, value: unknown) =>
    Array.isArray(value) && value.length === 0 ? null : value,
  );
  expect(queryResult[0]).toEqual(JSON.parse(asWritten));
  await expectToEnd(run);
});

async function startRaw(args: readonly string[]): Promise<RunHandle> {
  const id = uniqueName('raw');
  const named = ['--type', AGENT_RUN, '--task-queue', world.taskQueue, '--workflow-id', id];
  await temporalCli(world.address, ['workflow', 'start', ...named, ...args]);
  return world.client.run(id);
}

async function startWaiting(): Promise<RunHandle> {
  const run = await world.client.start({ goal: 'Ask.' });
  await untilEvent(run, 'decision_requested');
  return run;
}

/** Ends a run that waits for an answer, and holds it to have come to no harm. */
async function expectToEnd(run: RunHandle): Promise<void> {
  await run.answer('s0.c0', 'This one.');
  expect(await run.result()).toMatchObject({ outcome: 'done' });
  expect(await failedTasksOf(run)).toBe(0);
  await expectFoldEqualsProgress(world.temporal, run.runId);
}

function cli(command: 'signal' | 'query', run: RunHandle, args: readonly string[]): Promise<string> {
  return temporalCli(world.address, ['workflow', command, '--workflow-id', run.runId, ...args]);
}

async function failureOf(run: RunHandle): Promise<ApplicationFailure> {
  const error = await world.temporal.workflow
    .getHandle(run.runId)
    .result()
    .catch((reason: unknown) => reason);
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  if (!(cause instanceof ApplicationFailure))
    throw new Error(`The run did not fail as it should: ${String(cause)}`);
  return cause;
}

async function failedTasksOf(run: RunHandle): Promise<number> {
  const { events } = await world.temporal.workflow.getHandle(run.runId).fetchHistory();
  return (events ?? []).filter((event) => event.workflowTaskFailedEventAttributes).length;
}

async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events({ follow: false })) events.push(event);
  return events;
}
