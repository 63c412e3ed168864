import { z } from 'zod';
import { createCheckArgs } from '../../src/activities/check-args.js';
import { hashArgs } from '../../src/activities/plan-calls.js';
import { delegateTool } from '../../src/adapters/tools/builtin/delegate.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { JsonValue } from '../../src/core/json.js';
import { environmentOf, FakeRun, PREPARED, toolPorts } from './support/activity-world.js';

const pay = defineTool({
  name: 'pay',
  description: 'p',
  input: z.object({ amount: z.number() }),
  execute: () => 1,
});

function check(name: string, args: JsonValue) {
  const run = new FakeRun();
  run.current = { ...run.current, prepared: { ...PREPARED, tools: ['pay', 'delegate'] } };
  return environmentOf(run).run(createCheckArgs(toolPorts(pay, delegateTool())), { name, args });
}

it('takes arguments that fit, with what a decision is bound to', async () => {
  const args = { amount: 2 };
  const expected = { ok: true, args: '{"amount":2}', argsHash: hashArgs(args) };
  expect(await check('pay', args)).toEqual(expected);
});

it('says what is wrong with those that do not', async () => {
  expect(await check('pay', { amount: 'two' })).toEqual({
    ok: false,
    message: expect.stringMatching(/amount/),
  });
});

it('says what the workflow shall do now', async () => {
  const args = { goal: 'Look.', tools: ['pay'] };
  expect(await check('delegate', args)).toMatchObject({
    ok: true,
    control: { kind: 'delegate', goal: 'Look.', tools: ['pay'] },
  });
});

it('lets nobody hand on a tool that the run does not have', async () => {
  const checked = await check('delegate', { goal: 'Look.', tools: ['pay', 'launch'] });
  expect(checked).toEqual({ ok: false, message: expect.stringMatching(/no tool launch\..*pay, delegate/) });
});

it('waits for a worker that has the tool', async () => {
  await expect(check('nope', {})).rejects.toMatchObject({ type: 'TOOL_UNKNOWN', nonRetryable: false });
});
