import { z } from 'zod';
import { planReview } from '../../src/activities/plan-review.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { ReviewCheck, RunInput } from '../../src/core/run-input.js';
import type { Tool } from '../../src/ports/tools.js';
import { registryOf } from './support/activity-world.js';

const shell = defineTool({
  name: 'shell',
  description: 's',
  effect: 'read',
  timeoutMs: 90_000,
  input: z.object({ command: z.string() }),
  execute: () => 1,
});
const send = defineTool({
  name: 'send',
  description: 's',
  approval: 'always',
  input: z.object({ to: z.email() }),
  execute: () => 1,
});
const wait: Tool = {
  ...defineTool({ name: 'wait', description: 'w', effect: 'read', input: z.object({}), execute: () => 1 }),
  control: () => ({ kind: 'wait', durationMs: 1 }),
};

const tools = registryOf(shell, send, wait);
const plan = (review: RunInput['review'], input: Partial<RunInput> = {}, registry = tools) =>
  planReview({ goal: 'x', ...(review !== undefined && { review }), ...input }, 'run-1', { tools: registry });
const planChecks = (checks: ReviewCheck[], input: Partial<RunInput> = {}, registry = tools) =>
  plan({ checks }, input, registry).then((planned) => planned?.checks);

it.each([undefined, false])('plans nothing for a run without a review (%s)', async (review) => {
  expect(await plan(review)).toBeUndefined();
});

it('has three rounds without checks when the run does not say', async () => {
  expect(await plan(true)).toEqual({ rounds: 3, checks: [] });
  expect(await plan({})).toEqual({ rounds: 3, checks: [] });
});

it('takes what the run says', async () => {
  const review = { rounds: 7, model: 'maker/judge', onDisagreement: 'ask', budgetShare: 0.5 } as const;
  expect(await plan(review)).toEqual({ ...review, checks: [] });
});

describe('a check', () => {
  it('that is a command is a call of the shell', async () => {
    expect(await planChecks([{ command: 'npm test' }])).toEqual([
      { id: 'check0', name: 'shell', args: '{"command":"npm test"}', effect: 'read', timeoutMs: 90_000 },
    ]);
  });

  it('asks nobody again, whatever the tool says: who starts the run has named it', async () => {
    const [planned] = (await planChecks([{ tool: 'send', args: { to: 'a@example.org' } }])) ?? [];
    expect(planned).not.toHaveProperty('gate');
    expect(planned).toMatchObject({ onUnknown: 'tell_model' });
    expect(planned).not.toHaveProperty('effect');
  });

  it('asks where the run asks about each call', async () => {
    const checks = [{ command: 'npm test' }];
    expect(await planChecks(checks, { requireApproval: 'always' })).toMatchObject([
      { gate: { argsHash: expect.stringMatching(/^sha256:/) } },
    ]);
    expect((await planChecks(checks, { requireApproval: 'never' }))?.[0]).not.toHaveProperty('gate');
  });

  it('may be a tool that the run itself does not have', async () => {
    const checks = [{ tool: 'send', args: { to: 'a@example.org' } }];
    expect(await planChecks(checks, { tools: ['shell'] })).toHaveLength(1);
  });

  it.each<[string, ReviewCheck, string, RegExp]>([
    ['of a tool that there is not', { tool: 'fly' }, 'TOOL_UNKNOWN', /names the tool fly/],
    ['with arguments that do not fit', { tool: 'send' }, 'INPUT_INVALID', /review\.checks\.1: .*to/s],
    ['that checks nothing', { tool: 'wait' }, 'INPUT_INVALID', /review\.checks\.1: wait checks nothing/],
  ])('%s is refused', async (_what, check, code, message) => {
    await expect(planChecks([{ command: 'true' }, check])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      retryable: false,
    });
  });

  it('that is a command needs a shell, and is told how to have one', async () => {
    await expect(planChecks([{ command: 'true' }], {}, registryOf(send))).rejects.toMatchObject({
      code: 'TOOL_UNKNOWN',
      message: expect.stringMatching(/LONGHAUL_SHELL/),
    });
  });
});
