import { ActivityCancelledError, ActivityNotFoundError, ActivityPausedError } from '@temporalio/client';
import { createRunTool } from '../../src/activities/run-tool.js';
import type { ToolEffect } from '../../src/ports/tools.js';
import { environmentOf, FakeRun, toolPorts } from './support/activity-world.js';
import { endOf } from './support/endings.js';
import {
  AGAIN,
  attempt,
  EFFECTS,
  INPUT,
  openRun,
  toolOf,
  type AttemptOptions,
} from './support/tool-world.js';

const BEFORE = { attempt: 1, acting: false };
const ACTING = { attempt: 1, acting: true };

/** A tool that must not run. */
const never = (effect: ToolEffect) => {
  const execute = jest.fn();
  return { tool: toolOf(effect, execute), execute };
};

/** Runs a call that does not come to act, and gives what the run reads of it. */
async function endBeforeActing(
  effect: ToolEffect,
  { arrange, ...options }: AttemptOptions & { arrange?: (world: ReturnType<typeof attempt>) => void } = {},
) {
  const { tool, execute } = never(effect);
  const world = attempt(tool, options);
  arrange?.(world);
  const { outcome } = await endOf(world.result);
  expect(execute).not.toHaveBeenCalled();
  return outcome;
}

describe('a tool that may run only once', () => {
  it('acts only after the server has on record that it does', async () => {
    const order: unknown[] = [];
    const run = openRun();
    run.hear = async (details) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(details);
    };
    const tool = toolOf('once', () => void order.push('acts'));
    await attempt(tool, { run }).result;
    expect(order).toEqual([BEFORE, ACTING, 'acts']);
  });

  it('says with each heartbeat of the SDK that it acts, from the first on', async () => {
    const tool = toolOf('once', async ({ progress }) => {
      progress('half way');
      await new Promise((resolve) => setTimeout(resolve, 450));
    });
    const { beats, result } = attempt(tool, { info: { heartbeatTimeoutMs: 500 } });
    await result;
    expect(beats.length).toBeGreaterThan(1);
    for (const beat of beats) expect(beat).toEqual({ ...ACTING, progress: 'half way' });
  });

  it('says that it has not begun for as long as it gets ready, however long that takes', async () => {
    const run = openRun();
    let answer: () => void = () => undefined;
    run.settings = () =>
      new Promise((resolve) => {
        answer = () => resolve(run.current);
      });
    run.hear = () => {
      if (run.told.length === 2) answer();
    };
    const { beats, result } = attempt(
      toolOf('once', () => 'x'),
      { run, info: { heartbeatTimeoutMs: 100 } },
    );
    await result;
    expect(run.told.length).toBeGreaterThanOrEqual(4);
    expect(run.told.slice(0, -1)).toEqual(run.told.slice(1).map(() => BEFORE));
    expect(run.told.at(-1)).toEqual(ACTING);
    for (const beat of beats) expect(beat).toEqual(ACTING);
  });

  it('tells the server twice, and one that may run again not at all', async () => {
    for (const effect of EFFECTS) {
      const { run, result } = attempt(toolOf(effect, () => 'x'));
      await result;
      expect(run.told).toEqual(effect === 'once' ? [BEFORE, ACTING] : []);
    }
  });

  it.each([1, 2])('does not begin when its place was taken by word %i', async (nth) => {
    const run = openRun();
    let heard = 0;
    run.hear = () => {
      heard += 1;
      if (heard === nth) throw new ActivityNotFoundError('Not found');
    };
    expect(await endBeforeActing('once', { run })).toMatchObject({
      kind: 'failed',
      code: 'TOOL_FAILED',
      retryable: true,
      details: { acting: false },
    });
    expect(heard).toBe(nth);
  });

  it.each([
    ['in time', 450, [BEFORE, ACTING]],
    ['so late that it may be out of date', 550, [BEFORE, ACTING, ACTING]],
  ])('says again that it begins until it is answered: %s', async (_when, lateMs, told) => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(0);
    const run = openRun();
    run.hear = (details) => {
      if (Object(details).acting && run.told.length === 1) now.mockReturnValue(lateMs);
    };
    const tool = toolOf('once', () => 'x');
    const { result } = attempt(tool, { run, info: { heartbeatTimeoutMs: 1_000 } });
    await result.finally(() => now.mockRestore());
    expect(run.told).toEqual(told);
  });

  it('does not begin when its place was taken while it waited for the answer', async () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(0);
    const run = openRun();
    run.hear = (details) => {
      if (run.told.length > 1) throw new ActivityNotFoundError('Not found');
      if (Object(details).acting) now.mockReturnValue(60_000);
    };
    const outcome = await endBeforeActing('once', { run }).finally(() => now.mockRestore());
    expect(outcome).toMatchObject({ kind: 'failed', retryable: true, details: { acting: false } });
    expect(run.told).toEqual([BEFORE, ACTING]);
  });

  it('does not begin when the server cannot be told, or holds the call back', async () => {
    for (const error of [new Error('Unavailable'), new ActivityPausedError('paused')]) {
      const run = openRun();
      run.hear = (details) => {
        if (Object(details).acting) throw error;
      };
      expect(await endBeforeActing('once', { run })).toMatchObject({
        kind: 'failed',
        code: 'TOOL_FAILED',
        message: expect.stringContaining(error.message),
        retryable: true,
        details: { acting: false },
      });
    }
  });

  it('does not begin when a word before went amiss, as it may arrive later', async () => {
    const run = openRun();
    let answer: () => void = () => undefined;
    run.settings = () =>
      new Promise((resolve) => {
        answer = () => resolve(run.current);
      });
    let heard = 0;
    run.hear = () => {
      heard += 1;
      if (heard !== 2) return;
      answer();
      throw new Error('Deadline exceeded');
    };
    const outcome = await endBeforeActing('once', { run, info: { heartbeatTimeoutMs: 100 } });
    expect(outcome).toMatchObject({ kind: 'failed', retryable: true, details: { acting: false } });
    expect(run.told.at(-1)).toEqual(ACTING);
  });

  it.each([1, 2])('ends as cancelled and not begun when it hears so by word %i', async (nth) => {
    const run = openRun();
    let heard = 0;
    run.hear = () => {
      heard += 1;
      if (heard === nth) throw new ActivityCancelledError('Cancelled');
    };
    const arrange = ({ environment }: ReturnType<typeof attempt>) =>
      environment.on('heartbeat', () => environment.cancel('CANCELLED'));
    expect(await endBeforeActing('once', { run, arrange })).toEqual({
      kind: 'cancelled',
      details: { acting: false },
    });
  });
});

describe.each(EFFECTS)('a call of effect %s that does not come to act says so', (effect) => {
  it('when the worker does not have the tool', async () => {
    const environment = environmentOf(openRun());
    const { outcome } = await endOf(environment.run(createRunTool(toolPorts()), INPUT));
    expect(outcome).toMatchObject({ code: 'TOOL_UNKNOWN', retryable: true, details: { acting: false } });
  });

  it('when its arguments cannot be read', async () => {
    expect(await endBeforeActing(effect, { run: new FakeRun() })).toMatchObject({
      code: 'TOOL_FAILED',
      retryable: true,
      details: { acting: false },
    });
  });

  it('when its run cannot be asked', async () => {
    const run = openRun();
    run.settings = () => Promise.reject(new Error('No worker answers.'));
    expect(await endBeforeActing(effect, { run })).toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining('No worker answers.'),
      retryable: true,
      details: { acting: false },
    });
  });

  it('when the run calls it off while it gets ready', async () => {
    const arrange = ({ environment }: ReturnType<typeof attempt>) => environment.cancel('CANCELLED');
    expect(await endBeforeActing(effect, { arrange })).toEqual({
      kind: 'cancelled',
      details: { acting: false },
    });
  });

  it.each(['WORKER_SHUTDOWN', 'PAUSED', 'TIMED_OUT'] as const)(
    'when %s ends it while it gets ready',
    async (reason) => {
      const arrange = ({ environment }: ReturnType<typeof attempt>) => environment.cancel(reason);
      expect(await endBeforeActing(effect, { arrange })).toMatchObject({
        kind: 'failed',
        retryable: true,
        details: { acting: false },
      });
    },
  );
});

it.each(AGAIN)('beats for effect %s while it gets ready', async (effect) => {
  const { beats, result } = attempt(toolOf(effect, () => 'x'));
  await result;
  expect(beats).toEqual([{ attempt: 1 }]);
});
