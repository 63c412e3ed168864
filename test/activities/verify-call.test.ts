import { CancelledFailure } from '@temporalio/common';
import { createRunTool } from '../../src/activities/run-tool.js';
import { createVerifyCall } from '../../src/activities/verify-call.js';
import { AgentError } from '../../src/core/errors.js';
import type { Tool, ToolContext } from '../../src/ports/tools.js';
import { environmentOf, toolPorts } from './support/activity-world.js';
import { INPUT, openRun, toolOf } from './support/tool-world.js';

type Verify = (context: ToolContext) => unknown;

const toolWith = (verify: Verify, timeoutMs = 60_000): Tool => ({
  ...toolOf('once', () => 'acted'),
  timeoutMs,
  // As code without types may write it.
  verify: async (_args, context) => verify(context) as never,
});

/** Asks the tool about its call, in an attempt of an activity. */
function verifyWith(tool: Tool, run = openRun()) {
  const environment = environmentOf(run, { attempt: 2 });
  const beats: unknown[] = [];
  environment.on('heartbeat', (details) => beats.push(details));
  return { environment, beats, result: environment.run(createVerifyCall(toolPorts(tool)), INPUT) };
}

it.each(['executed', 'not_executed', 'unknown'])('passes the word %s on', async (word) => {
  expect(await verifyWith(toolWith(() => word)).result).toEqual({ verdict: word });
});

it.each([undefined, null, true, 'EXECUTED', 'maybe', { verdict: 'executed' }, ['executed']])(
  'takes %j for unknown',
  async (word) => {
    expect(await verifyWith(toolWith(() => word)).result).toEqual({ verdict: 'unknown' });
  },
);

it('takes it for unknown when the tool of this worker cannot tell', async () => {
  expect(await verifyWith(toolOf('once', () => 1)).result).toEqual({ verdict: 'unknown' });
});

it('gives the tool the same key as the call had, and beats with what it shows', async () => {
  const keys: string[] = [];
  const tool = toolWith(async ({ idempotencyKey, progress }) => {
    keys.push(idempotencyKey);
    progress('asking');
    await new Promise((resolve) => setTimeout(resolve, 250));
  });
  const acting = {
    ...tool,
    execute: async (_: unknown, context: ToolContext) => void keys.push(context.idempotencyKey),
  };
  await environmentOf(openRun()).run(createRunTool(toolPorts(acting)), INPUT);
  const { beats, result } = verifyWith(tool);
  await result;
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
  expect(beats).toEqual([{ attempt: 2 }, { attempt: 2, progress: 'asking' }]);
});

it.each([
  new Error('No answer.'),
  new AgentError('TOOL_FAILED', 'No answer.', { retryable: false, details: { delayMs: 70 } }),
])('may be asked again when it fails: %s', async (error) => {
  const { result } = verifyWith(
    toolWith(() => {
      throw error;
    }),
  );
  await expect(result).rejects.toMatchObject({
    type: 'TOOL_FAILED',
    message: expect.stringContaining('No answer.'),
    nonRetryable: false,
    ...('details' in error && { nextRetryDelay: 70 }),
  });
});

it('may be asked again when it does not end in time, which it is told of', async () => {
  const told = jest.fn();
  const { result } = verifyWith(
    toolWith(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            told();
            reject(new Error('told'));
          }),
        ),
      50,
    ),
  );
  await expect(result).rejects.toMatchObject({
    type: 'TOOL_FAILED',
    message: expect.stringContaining('50 ms'),
  });
  expect(told).toHaveBeenCalledTimes(1);
});

it('may be asked again when the arguments no longer fit', async () => {
  const verify = jest.fn();
  const tool = { ...toolWith(verify), parse: () => ({ ok: false as const, message: 'Too few.' }) };
  await expect(verifyWith(tool).result).rejects.toMatchObject({
    message: expect.stringContaining('Too few.'),
    nonRetryable: false,
  });
  expect(verify).not.toHaveBeenCalled();
});

describe('a check that is told to end', () => {
  const begin = () => {
    let begun: () => void = () => undefined;
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const tool = toolWith(
      ({ signal }) =>
        new Promise((_, reject) => {
          begun();
          signal.addEventListener('abort', () => reject(new Error('told')));
        }),
    );
    return { ...verifyWith(tool), hasBegun };
  };

  it('by the run ends as cancelled', async () => {
    const { environment, result, hasBegun } = begin();
    await hasBegun;
    environment.cancel('CANCELLED');
    await expect(result).rejects.toBeInstanceOf(CancelledFailure);
  });

  it('because its worker goes away is made again', async () => {
    const { environment, result, hasBegun } = begin();
    await hasBegun;
    environment.cancel('WORKER_SHUTDOWN');
    await expect(result).rejects.toMatchObject({ type: 'TOOL_FAILED', nonRetryable: false });
  });
});
