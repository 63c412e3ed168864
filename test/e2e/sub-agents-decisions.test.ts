import { z } from 'zod';
import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import { signDecision } from '../../src/adapters/signing/sign-statement.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { World } from '../support/run-support.js';
import { untilEvent } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';
import {
  agentOf,
  callThenTell,
  delegate,
  expectFamilyEnds,
  expectFamilyFolds,
  toolTexts,
  whenProgress,
} from './support/family.js';
import { byGoal } from './support/goal-scripts.js';
import { untilProgress, useMoneyWorlds } from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());
const ask = (question: string) => ({ name: 'ask_human', args: { question } });
const pay = (usd: number) => ({ name: 'pay', args: { usd } });

/** What was paid, and by which run and call. */
let paid: { usd: number; runId: string; callId: string }[];
const payTool = defineTool({
  name: 'pay',
  description: 'p',
  input: z.object({ usd: z.number() }),
  execute: ({ usd }, { runId, callId }) => {
    paid.push({ usd, runId, callId });
    return `paid ${usd}`;
  },
});

beforeEach(() => (paid = []));

/** A run with a sub-agent that has one itself; each of these asks for two things. */
async function start(): Promise<{ world: World; run: RunHandle }> {
  const world = await open({
    tools: [payTool],
    script: byGoal({
      Go: callThenTell(delegate('child')),
      child: callThenTell(delegate('grandchild'), pay(1), ask('Which one?')),
      grandchild: callThenTell(pay(2), ask('Which two?')),
    }),
  });
  const run = await world.client.start({ goal: 'Go', limits: { maxCostUsd: 1 } });
  await whenProgress(run, ({ pending }) => pending.length === 4);
  return { world, run };
}

const CHILD = 's0.c0';
const GRANDCHILD = 's0.c0/s0.c0';

it('shows at the run what its sub-agents ask for, and decides it there', async () => {
  const { world, run } = await start();
  const progress = await run.progress();
  expect(progress.status).toBe('waiting');
  expect(progress.pending).toMatchObject([
    { kind: 'decision', callId: `${CHILD}/s0.c1`, tool: 'pay', args: { usd: 1 } },
    { kind: 'question', callId: `${CHILD}/s0.c2`, summary: 'Which one?' },
    { kind: 'decision', callId: `${GRANDCHILD}/s0.c0`, tool: 'pay', args: { usd: 2 } },
    { kind: 'question', callId: `${GRANDCHILD}/s0.c1`, summary: 'Which two?' },
  ]);
  await expectFamilyFolds(world, run, [CHILD, GRANDCHILD]);

  const handle = world.temporal.workflow.getHandle(run.runId);
  await expect(run.approve(`${GRANDCHILD}/s0.c0`, { args: { usd: 'much' } })).rejects.toMatchObject({
    code: 'ARGS_INVALID',
    message: expect.stringContaining('usd'),
  });
  await run.approve(`${GRANDCHILD}/s0.c0`, { args: { usd: 3 }, note: 'Three.', by: 'ann' });
  await handle.signal('answer', { callId: `${GRANDCHILD}/s0.c1`, text: 'Number two.' });
  await handle.signal('reject', { callId: `${CHILD}/s0.c1`, note: 'Too dear.', by: 'bob' });
  await run.answer(`${CHILD}/s0.c2`, 'Number one.');

  const { result, events } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  expect(result).toMatchObject({ outcome: 'done' });
  expect(paid).toEqual([{ usd: 3, runId: `${run.runId}/${GRANDCHILD}`, callId: 's0.c0' }]);
  for (const said of ['paid 3', 'Number two.', 'Too dear.', 'Number one.'])
    expect(result.answer).toContain(said);
  const asked = events.flatMap((event) => (event.type === 'decision_requested' ? event.callId : []));
  // Each once, though a decision was refused after it was sent on.
  expect(asked.sort()).toEqual([
    `${GRANDCHILD}/s0.c0`,
    `${GRANDCHILD}/s0.c1`,
    `${CHILD}/s0.c1`,
    `${CHILD}/s0.c2`,
  ]);
  const made = events.flatMap((event) => (event.type === 'decision_made' ? event : []));
  expect(made.map(({ callId }) => callId).sort()).toEqual([
    `${GRANDCHILD}/s0.c0`,
    `${GRANDCHILD}/s0.c1`,
    `${CHILD}/s0.c1`,
    `${CHILD}/s0.c2`,
  ]);
  expect(made).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ decision: 'approve', by: 'ann', note: 'Three.', editedArgs: { usd: 3 } }),
      expect.objectContaining({ decision: 'reject', by: 'bob', note: 'Too dear.' }),
    ]),
  );
});

it('refuses with a code what cannot be decided, and nothing comes of it', async () => {
  const { world, run } = await start();
  const codeOf = (deciding: Promise<unknown>) =>
    deciding.then(
      () => 'taken',
      (error: unknown) => Object(error).code,
    );
  const before = await run.pending();
  const refused = await Promise.all([
    codeOf(run.approve('s7.c0/s0.c0')),
    codeOf(run.approve(`${CHILD}/s9.c9`)),
    codeOf(run.approve(`${GRANDCHILD}/s0.c0/s0.c0`)),
    codeOf(run.approve(`${CHILD}/s0.c2`)),
    codeOf(run.answer(`${CHILD}/s0.c1`, 'Yes.')),
    codeOf(run.approve(`${CHILD}/s0.c1`, { args: [] as never })),
    codeOf(run.approve()),
  ]);
  expect(refused).toEqual([
    'CALL_NOT_FOUND',
    'CALL_NOT_PENDING',
    'CALL_NOT_PENDING',
    'CALL_NOT_PENDING',
    'CALL_NOT_PENDING',
    'ARGS_INVALID',
    'CALL_NOT_PENDING',
  ]);
  expect(await run.pending()).toEqual(before);

  const id = `${GRANDCHILD}/s0.c0`;
  // Two at once: the sub-agent takes one of them.
  const both = await Promise.all([codeOf(run.approve(id)), codeOf(run.reject(id))]);
  expect(new Set(both)).toEqual(new Set(['ALREADY_DECIDED', 'taken']));
  await whenProgress(run, ({ pending }) => pending.every(({ callId }) => callId !== id));
  expect(await codeOf(run.approve(id))).toBe('ALREADY_DECIDED');
  await world.temporal.workflow.getHandle(run.runId).signal('approve', { callId: id });
  expect(
    await untilEvent(
      run,
      'control_rejected',
      ({ callId, control }) => callId === id && control === 'approve',
    ),
  ).toMatchObject({
    code: 'ALREADY_DECIDED',
  });

  await run.answer(`${GRANDCHILD}/s0.c1`, 'Two.');
  await run.reject(`${CHILD}/s0.c1`);
  // Left out where one waits.
  await run.answer(undefined, 'One.');
  const { events } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  const decided = events.flatMap((event) => (event.type === 'decision_made' ? event.callId : []));
  expect(decided.filter((callId) => callId === id)).toEqual([id]);
  expect(paid.length).toBeLessThanOrEqual(1);
});

it('tells at the run that a decision sent to a sub-agent was refused there', async () => {
  const { world, run } = await start();
  const id = `${CHILD}/s0.c1`;
  await world.temporal.workflow
    .getHandle(run.runId)
    .signal('decide', { callId: id, decision: 'approve', args: { usd: 'much' } });
  expect(await untilEvent(run, 'control_rejected')).toMatchObject({
    code: 'ARGS_INVALID',
    control: 'decide',
    callId: id,
  });
  expect(await run.pending()).toHaveLength(4);
  await run.stop();
  expect(await run.result()).toMatchObject({ outcome: 'stopped' });
  await expectFamilyFolds(world, run, [CHILD, GRANDCHILD]);
  expect(paid).toEqual([]);
});

it('keeps what a sub-agent asks for out of the transcript of the run, and its own words for the model', async () => {
  const { world, run } = await start();
  await run.reject(`${CHILD}/s0.c1`, { note: 'Not now.' });
  await run.answer(`${CHILD}/s0.c2`, 'This.');
  await run.reject(`${GRANDCHILD}/s0.c0`);
  await run.answer(`${GRANDCHILD}/s0.c1`, 'That.');
  await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
  expect(toolTexts(await run.transcript())).toHaveLength(1);
  const [, rejected, answered] = toolTexts(await agentOf(world, run, CHILD).transcript());
  expect(JSON.parse(rejected ?? '')).toMatchObject({ status: 'rejected', note: 'Not now.' });
  expect(answered).toBe('This.');
});

describe('what a sub-agent asks for with a guard of its own', () => {
  const script = byGoal({
    Go: callThenTell(delegate('child')),
    child: callThenTell(delegate('grandchild')),
    grandchild: callThenTell(pay(2)),
  });
  const id = `${GRANDCHILD}/s0.c0`;

  it('takes the signature that was made for it as the run shows it, and no other', async () => {
    const ada = generateApproverKey('Ada');
    const mallory = generateApproverKey('Ada');
    const world = await open({ script, tools: [payTool] });
    const limits = { maxCostUsd: 1 };
    const run = await world.client.start({ goal: 'Go', limits, approvers: [ada.approver] });
    const { runId } = run;
    const { pending } = await whenProgress(run, (progress) => progress.pending.length === 1);
    const [item] = pending;
    if (!item) throw new Error('The call is pending.');
    const sign = (key: { privateKeyPem: string }, of = item, by = runId) =>
      signDecision({ runId: by, item: of, decision: 'approve' }, key.privateKeyPem);
    await expect(run.approve(id)).rejects.toMatchObject({ code: 'SIGNATURE_REQUIRED' });
    for (const signature of [
      sign(mallory),
      sign(ada, { ...item, callId: 's0.c0' }),
      sign(ada, { ...item, callId: 's0.c0' }, `${runId}/${GRANDCHILD}`),
    ])
      await expect(run.approve(id, { signature })).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(paid).toEqual([]);
    await run.approve(id, { signature: sign(ada) });
    const { events } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
    expect(paid).toMatchObject([{ usd: 2 }]);
    expect(events.filter(({ type }) => type === 'decision_made')).toMatchObject([
      { callId: id, decision: 'approve', signed: true, by: expect.stringContaining('Ada') },
    ]);
  });

  it('counts the approvals of different people at the run', async () => {
    const both = { ...payTool, approvals: 2, separateApprover: true as const };
    const world = await open({ script, tools: [both] });
    const limits = { maxCostUsd: 1 };
    const run = await world.client.start({ goal: 'Go', limits, requestedBy: 'cleo' });
    await whenProgress(run, ({ pending }) => pending.length === 1);
    await expect(run.approve(id, { by: 'cleo' })).rejects.toMatchObject({ code: 'NOT_AN_APPROVER' });
    await run.approve(id, { by: 'ann' });
    await expect(run.approve(id, { by: 'ann' })).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
    await untilProgress(run, ({ pending }) => pending[0]?.approvals?.by.includes('ann') === true);
    expect(paid).toEqual([]);
    await run.approve(id, { by: 'bob' });
    const { events } = await expectFamilyEnds(world, run, [CHILD, GRANDCHILD]);
    expect(paid).toMatchObject([{ usd: 2 }]);
    expect(events.filter(({ type }) => type === 'decision_made')).toMatchObject([
      { callId: id, decision: 'approve', approvedBy: ['ann', 'bob'] },
    ]);
  });
});
