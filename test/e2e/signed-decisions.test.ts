import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import { signDecision } from '../../src/adapters/signing/sign-statement.js';
import { defineTool } from '../../src/adapters/tools/define-tool.js';
import { AgentClient } from '../../src/agent-client.js';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { cli } from '../cli/support.js';
import { expectFoldEqualsProgress } from '../support/fold-equality.js';
import { openWorld, untilEvent, type World } from '../support/run-support.js';
import { useTemporalServer } from '../support/temporal-server.js';

const server = useTemporalServer();
const ada = generateApproverKey('Ada');
const mallory = generateApproverKey('Ada');
const paid: number[] = [];
let world: World;

beforeAll(async () => {
  const pay = defineTool({
    name: 'pay',
    description: 'p',
    input: z.object({ usd: z.number() }),
    execute: ({ usd }) => paid.push(usd),
  });
  world = await openWorld(server, {
    script: scriptedSteps([
      { toolCalls: [{ name: 'pay', args: { usd: 50 } }] },
      { toolCalls: [{ name: 'ask_human', args: { question: 'Which?' } }] },
      { text: 'Done.' },
    ]),
    tools: [pay],
  });
  await world.startWorker();
}, 60_000);

afterAll(() => world.close());

/** Runs a command line, signed with a key. */
async function longhaul(args: readonly string[], key: { privateKeyPem: string }) {
  const keyFile = join(world.dir, 'key.pem');
  writeFileSync(keyFile, key.privateKeyPem, { mode: 0o600 });
  const connect = () => AgentClient.connect({ config: world.config, address: world.address });
  const { stdout } = await cli([...args, '--sign', keyFile, '--json'], { context: { connect } });
  return JSON.parse(stdout);
}

it('a run with approvers takes the decisions that one of them has signed, and nothing else', async () => {
  const run = await world.client.start({ goal: 'Pay.', approvers: [ada.approver] });
  const { runId } = run;
  await untilEvent(run, 'decision_requested');
  const approve = ['approve', runId, 's0.c0', '--args', '{"usd":5}'];

  await expect(run.approve('s0.c0')).rejects.toMatchObject({ code: 'SIGNATURE_REQUIRED' });
  expect(await longhaul(approve, mallory)).toMatchObject({ error: { code: 'SIGNATURE_INVALID' } });
  const [item] = await run.pending();
  if (!item) throw new Error('The call is pending.');
  // Signed for the arguments of the model, sent with others.
  const signature = signDecision({ runId, item, decision: 'approve' }, ada.privateKeyPem);
  await expect(run.approve('s0.c0', { args: { usd: 9_999 }, signature })).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
  });
  const unfit = ['approve', runId, 's0.c0', '--args', '{"usd":"much"}'];
  expect(await longhaul(unfit, ada)).toMatchObject({ error: { code: 'ARGS_INVALID' } });
  expect(await run.pending()).toEqual([item]);
  expect(paid).toEqual([]);

  expect(await longhaul(approve, ada)).toEqual({ runId, accepted: true, callId: 's0.c0' });
  const decided = await untilEvent(run, 'decision_made');
  expect(decided).toMatchObject({ decision: 'approve', by: 'Ada', editedArgs: { usd: 5 } });

  await untilEvent(run, 'decision_requested', ({ kind }) => kind === 'question');
  expect(await longhaul(['answer', runId, 's1.c0', 'This.'], ada)).toMatchObject({ accepted: true });
  expect(await run.result()).toMatchObject({ outcome: 'done' });
  expect(paid).toEqual([5]);
  await expectFoldEqualsProgress(world.temporal, runId);
}, 60_000);
