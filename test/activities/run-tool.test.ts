import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { z } from 'zod';
import { createRunTool } from '../../src/activities/run-tool.js';
import { AgentError } from '../../src/core/errors.js';
import { argsKey, type RunToolInput } from '../../src/core/work.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { Tool, ToolContext, ToolEffect } from '../../src/ports/tools.js';
import { environmentOf, FakeRun, toolPorts } from './support/activity-world.js';

const INPUT: RunToolInput = { callId: 's2.c1', name: 'act', argsKey: argsKey('{}') };
const EFFECTS: ToolEffect[] = ['read', 'idempotent', 'once'];

function toolOf(effect: ToolEffect, execute: (context: ToolContext) => unknown, timeoutMs = 60_000): Tool {
  const input = z.object({});
  return defineTool({
    name: 'act',
    description: 'a',
    effect,
    timeoutMs,
    input,
    execute: (_args, context) => execute(context),
  });
}

function openRun(): FakeRun {
  const run = new FakeRun();
  run.openCalls = { 's2.c1': '{}' };
  return run;
}

/** Runs the tool alone, in an attempt of an activity. */
function attempt(tool: Tool, { run = openRun(), number = 1 } = {}) {
  const environment = environmentOf(run, { attempt: number });
  const result = environment.run(createRunTool(toolPorts(tool)), INPUT);
  return { environment, result };
}

/** A tool that says when it runs and ends only when it is told to. */
function lingering(effect: ToolEffect, timeoutMs?: number) {
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const tool = toolOf(
    effect,
    ({ signal }) =>
      new Promise((_, reject) => {
        begin();
        signal.addEventListener('abort', () => reject(new Error('told to end')));
      }),
    timeoutMs,
  );
  return { tool, begun };
}

describe('the tool activity', () => {
  it('gives the tool what identifies the call, the same in each attempt', async () => {
    const seen: ToolContext[] = [];
    const tool = toolOf('idempotent', (context) => void seen.push(context));
    await attempt(tool).result;
    await attempt(tool, { number: 2 }).result;
    expect(seen).toMatchObject([
      { runId: 'run-1', callId: 's2.c1', shared: {}, workspace: '/workspace' },
      { idempotencyKey: seen[0]?.idempotencyKey },
    ]);
    expect(seen[0]?.idempotencyKey).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names the attempt in a result that was not the first', async () => {
    const tool = toolOf('read', () => 'x');
    expect(await attempt(tool).result).toEqual({ content: 'x' });
    expect(await attempt(tool, { number: 3 }).result).toEqual({ content: 'x', attempt: 3 });
  });

  it.each(EFFECTS)('tells what a tool of effect %s threw, as a result', async (effect) => {
    const tool = toolOf(effect, () => {
      throw new Error('No such drawer.');
    });
    expect(await attempt(tool).result).toEqual({ content: 'No such drawer.', status: 'failed' });
  });

  it.each(EFFECTS)(
    'tries again when a tool of effect %s asks for it, but never one that may run only once',
    async (effect) => {
      const tool = toolOf(effect, () => {
        throw new AgentError('TOOL_FAILED', 'Not yet.', { retryable: true });
      });
      const { result } = attempt(tool);
      if (effect === 'once') expect(await result).toEqual({ content: 'Not yet.', status: 'failed' });
      else await expect(result).rejects.toMatchObject({ type: 'TOOL_FAILED', nonRetryable: false });
    },
  );

  it('lets the next worker try when it does not have the tool', async () => {
    const environment = environmentOf(openRun());
    const result = environment.run(createRunTool(toolPorts()), INPUT);
    await expect(result).rejects.toMatchObject({ type: 'TOOL_UNKNOWN', nonRetryable: false });
    await expect(result).rejects.toBeInstanceOf(ApplicationFailure);
  });

  it.each<[ToolEffect, string]>([
    ['read', 'timed_out'],
    ['idempotent', 'timed_out'],
    ['once', 'unknown_outcome'],
  ])('ends a tool of effect %s at its time limit: %s', async (effect, status) => {
    expect(await attempt(lingering(effect, 50).tool).result).toMatchObject({ status });
  });

  it('takes what a tool gives that ends well although its time is up', async () => {
    const tool = toolOf(
      'once',
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('just so'))),
      50,
    );
    expect(await attempt(tool).result).toEqual({ content: 'just so' });
  });

  it('leaves a tool behind that does not end when told to', async () => {
    const tool = toolOf('read', () => new Promise(() => undefined), 50);
    expect(await attempt(tool).result).toMatchObject({ status: 'timed_out' });
  });

  it.each(EFFECTS)('ends as cancelled when the run calls a tool of effect %s off', async (effect) => {
    const { tool, begun } = lingering(effect);
    const { environment, result } = attempt(tool);
    await begun;
    environment.cancel('CANCELLED');
    await expect(result).rejects.toBeInstanceOf(CancelledFailure);
  });

  describe.each(['WORKER_SHUTDOWN', 'PAUSED', 'RESET', 'TIMED_OUT', 'NOT_FOUND'] as const)(
    'that ends because of %s',
    (reason) => {
      it.each<ToolEffect>(['read', 'idempotent'])('is tried again with effect %s', async (effect) => {
        const { tool, begun } = lingering(effect);
        const { environment, result } = attempt(tool);
        await begun;
        environment.cancel(reason);
        await expect(result).rejects.toMatchObject({ type: 'TOOL_FAILED', nonRetryable: false });
      });

      it('leaves the outcome open with effect once', async () => {
        const { tool, begun } = lingering('once');
        const { environment, result } = attempt(tool);
        await begun;
        environment.cancel(reason);
        expect(await result).toMatchObject({ status: 'unknown_outcome' });
      });
    },
  );
});
