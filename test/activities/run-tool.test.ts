import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { createRunTool } from '../../src/activities/run-tool.js';
import { AgentError } from '../../src/core/errors.js';
import type { ToolContext, ToolEffect } from '../../src/ports/tools.js';
import { environmentOf, toolPorts } from './support/activity-world.js';
import { endOf } from './support/endings.js';
import { AGAIN, attempt, EFFECTS, INPUT, lingering, openRun, toolOf } from './support/tool-world.js';

const retryPolicy = { maximumAttempts: 3 };

describe('the tool activity', () => {
  it('gives the tool what identifies the call, the same in each attempt', async () => {
    const seen: ToolContext[] = [];
    const tool = toolOf('idempotent', (context) => void seen.push(context));
    await attempt(tool).result;
    await attempt(tool, { info: { attempt: 2 } }).result;
    expect(seen).toMatchObject([
      { runId: 'run-1', callId: 's2.c1', shared: {}, workspace: '/workspace' },
      { idempotencyKey: seen[0]?.idempotencyKey },
    ]);
    expect(seen[0]?.idempotencyKey).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names the attempt in a result that was not the first', async () => {
    const tool = toolOf('read', () => 'x');
    expect(await attempt(tool).result).toEqual({ content: 'x' });
    expect(await attempt(tool, { info: { attempt: 3 } }).result).toEqual({ content: 'x', attempt: 3 });
  });

  it.each(EFFECTS)('tells what a tool of effect %s threw, as a result', async (effect) => {
    const tool = toolOf(effect, () => {
      throw new Error('No such drawer.');
    });
    expect(await attempt(tool).result).toEqual({ content: 'No such drawer.', status: 'failed' });
  });

  it.each(EFFECTS)('tells what is wrong with arguments that do not fit effect %s', async (effect) => {
    const execute = jest.fn();
    const tool = { ...toolOf(effect, execute), parse: () => ({ ok: false as const, message: 'Too few.' }) };
    expect(await attempt(tool).result).toEqual({ content: 'Too few.', status: 'failed' });
    expect(execute).not.toHaveBeenCalled();
  });

  it('lets the next worker try when it does not have the tool', async () => {
    const environment = environmentOf(openRun());
    const result = environment.run(createRunTool(toolPorts()), INPUT);
    await expect(result).rejects.toMatchObject({ type: 'TOOL_UNKNOWN', nonRetryable: false });
    await expect(result).rejects.toBeInstanceOf(ApplicationFailure);
  });

  it('shows watchers what the tool says, cut', async () => {
    const tool = toolOf('read', async ({ progress }) => {
      progress('x'.repeat(600));
      await new Promise((resolve) => setTimeout(resolve, 250));
    });
    const { beats, result } = attempt(tool);
    await result;
    expect(beats).toEqual([{ attempt: 1 }, { attempt: 1, progress: 'x'.repeat(500) }]);
  });
});

describe('an error that asks for another attempt', () => {
  const notYet = new AgentError('TOOL_FAILED', 'Not yet.', {
    retryable: true,
    details: { delayMs: 50, acting: false },
  });
  const failing = (effect: ToolEffect, error: Error = notYet) =>
    toolOf(effect, () => {
      throw error;
    });

  it.each(AGAIN)('gets it with effect %s, when it says', async (effect) => {
    const { result } = attempt(failing(effect), { info: { retryPolicy } });
    await expect(result).rejects.toMatchObject({
      type: 'TOOL_FAILED',
      nonRetryable: false,
      nextRetryDelay: 50,
      details: [{ delayMs: 50, acting: true }],
    });
  });

  it.each([{}, { retryPolicy: {} }, { retryPolicy: { maximumAttempts: 0 } }])(
    'gets it under %j',
    async (policy) => {
      const { result } = attempt(failing('read'), { info: { attempt: 99, ...policy } });
      await expect(result).rejects.toMatchObject({ type: 'TOOL_FAILED' });
    },
  );

  it.each(AGAIN)('is told to the model in the last attempt with effect %s', async (effect) => {
    const { result } = attempt(failing(effect), { info: { attempt: 3, retryPolicy } });
    expect(await result).toEqual({ content: 'Not yet.', status: 'failed', attempt: 3 });
  });

  it('is told to the model at once with effect once', async () => {
    const { result } = attempt(failing('once'), { info: { retryPolicy } });
    expect(await result).toEqual({ content: 'Not yet.', status: 'failed' });
  });

  describe('because nobody knows what the call did', () => {
    const lost = new AgentError('TOOL_OUTCOME_UNKNOWN', 'The connection broke.');

    it.each(AGAIN)('gets another attempt with effect %s', async (effect) => {
      const { result } = attempt(failing(effect, lost), { info: { retryPolicy } });
      await expect(result).rejects.toMatchObject({ type: 'TOOL_OUTCOME_UNKNOWN', nonRetryable: false });
      const last = attempt(failing(effect, lost), { info: { attempt: 3, retryPolicy } });
      expect(await last.result).toEqual({ content: 'The connection broke.', status: 'failed', attempt: 3 });
    });

    it('is an unknown outcome with effect once', async () => {
      expect(await attempt(failing('once', lost)).result).toEqual({
        content: 'The connection broke.',
        status: 'unknown_outcome',
      });
    });
  });
});

describe('the time limit', () => {
  it.each<[ToolEffect, string]>([
    ['read', 'timed_out'],
    ['idempotent', 'timed_out'],
    ['once', 'unknown_outcome'],
  ])('ends a tool of effect %s: %s', async (effect, status) => {
    expect(await attempt(lingering(effect, 50).tool).result).toMatchObject({ status });
  });

  it('takes what a tool gives that ends well although its time is up', async () => {
    const tool = toolOf(
      'once',
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('just so'))),
      { timeoutMs: 50 },
    );
    expect(await attempt(tool).result).toEqual({ content: 'just so' });
  });

  it('leaves a tool behind that does not end when told to', async () => {
    const tool = toolOf('read', () => new Promise(() => undefined), { timeoutMs: 50 });
    expect(await attempt(tool).result).toMatchObject({ status: 'timed_out' });
  });
});

describe('a tool that is told to end', () => {
  it.each(EFFECTS)(
    'ends as cancelled when the run calls effect %s off, and says that it acted',
    async (effect) => {
      const { tool, begun } = lingering(effect);
      const { environment, result } = attempt(tool);
      await begun;
      environment.cancel('CANCELLED');
      await expect(result).rejects.toBeInstanceOf(CancelledFailure);
      expect((await endOf(result)).outcome).toEqual({ kind: 'cancelled', details: { acting: true } });
    },
  );

  describe.each(['WORKER_SHUTDOWN', 'PAUSED', 'RESET', 'TIMED_OUT', 'NOT_FOUND'] as const)(
    'because of %s',
    (reason) => {
      it.each(AGAIN)('is tried again with effect %s', async (effect) => {
        const { tool, begun } = lingering(effect);
        const { environment, result } = attempt(tool, { info: { attempt: 3, retryPolicy } });
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
