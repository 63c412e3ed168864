import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { generateApproverKey } from '../../../src/adapters/signing/ed25519.js';
import { signDecision } from '../../../src/adapters/signing/sign-statement.js';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import type { PendingItem } from '../../../src/core/progress.js';
import type { Tool } from '../../../src/ports/tools.js';
import { scriptedSteps } from '../../../src/testing/stand-in/script.js';
import { byGoal } from '../../e2e/support/goal-scripts.js';
import { untilEvent } from '../../support/run-support.js';
import { count, counting, send, type RecordedLife } from './lives.js';

const ada = generateApproverKey('Ada');
const delegate = (goal: string) => ({ name: 'delegate', args: { goal } });
const ask = { name: 'ask_human', args: { question: 'Which?' } };
const goalOf = (name: string) => `Live: ${name}.`;

/** Does not begin to act when it is first called. */
function stumblingTool(): Tool {
  const tool = defineTool({
    name: 'stumbles',
    description: 's',
    approval: 'never',
    input: z.object({}),
    execute: () => 'acted',
  });
  let looks = 0;
  return {
    ...tool,
    parse(args) {
      looks += 1;
      // First it is planned, then called, then called again.
      if (looks === 2) throw new Error('Not yet.');
      return tool.parse(args);
    },
  };
}

/** Is lost when it is first called, and finds out that it has not acted; of the next call, that it has. */
function verifiedTool(): Tool {
  const seen: string[] = [];
  return defineTool({
    name: 'verified',
    description: 'v',
    approval: 'never',
    timeoutMs: 150,
    maxParallel: 1,
    input: z.object({}),
    execute: (_args, { callId, signal }) => {
      seen.push(callId);
      return seen.length === 2 ? 'acted' : delay(60_000, undefined, { signal });
    },
    verify: () => (seen.length === 1 ? 'not_executed' : 'executed'),
  });
}

/** Two sub-agents, of which one has one itself and decisions made above. */
function agentsLife(name: string): RecordedLife {
  return {
    name,
    script: byGoal({
      [goalOf(name)]: scriptedSteps([
        { toolCalls: [delegate('count'), delegate('send'), count(1)] },
        { text: 'Done.' },
      ]),
      count: counting(2),
      send: scriptedSteps([{ toolCalls: [send, ask, delegate('count')] }, { text: 'Sent.' }]),
    }),
    input: { limits: { maxCostUsd: 0.5 } },
    async attend(run) {
      await untilAsked(run, 's0.c1/s0.c0');
      await run.approve('s0.c1/s0.c0', { args: { to: 5 } }).catch(() => undefined);
      await run.pause();
      await run.approve('s0.c1/s0.c0', { args: { to: 'b@example.org' }, by: 'ann' });
      await run.resume();
      await run.answer('s0.c1/s0.c1', 'This one.');
    },
  };
}

/** What came with behaviour 3: guarded calls, sub-agents, sessions, signed decisions, webhooks. */
export const AGENT_LIVES: RecordedLife[] = [
  agentsLife('agents'),
  { ...agentsLife('agents-below'), succeed: async (run, world) => world.client.run(`${run.runId}/s0.c1`) },
  {
    name: 'agents-ended-outside',
    script: byGoal({
      [goalOf('agents-ended-outside')]: scriptedSteps([
        { toolCalls: [delegate('ask'), delegate('ask'), delegate('ask'), count(1)] },
        { text: 'Done.' },
      ]),
      ask: scriptedSteps([{ toolCalls: [ask] }, { text: 'Asked.' }]),
    }),
    input: { limits: { maxCostUsd: 0.5 } },
    async attend(run, world, worker) {
      await Promise.all([0, 1, 2].map((index) => untilAsked(run, `s0.c${index}/s0.c0`)));
      await worker.stop();
      for (const call of ['s0.c2', 's0.c0'])
        await world.temporal.workflow.getHandle(`${run.runId}/${call}`).terminate();
      await world.startWorker();
      await untilEvent(run, 'tool_completed', ({ callId }) => callId === 's0.c2');
      await run.stop();
    },
  },
  {
    name: 'session',
    script: (request, context) =>
      request.messages.at(-1)?.role === 'user' ? { toolCalls: [count(context.stepIndex)] } : { text: 'So.' },
    input: { session: { idleMs: 3_000 }, limits: { maxCostUsd: 0.5 } },
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '30' },
    async attend(run) {
      for (const words of ['And then?', 'And then again?']) {
        let turns = words === 'And then?' ? 1 : 2;
        await untilEvent(run, 'turn_completed', () => (turns -= 1) === 0);
        await run.say(words);
      }
    },
  },
  {
    name: 'signed',
    script: scriptedSteps([{ toolCalls: [send, send] }, { text: 'Sent.' }]),
    input: { approvers: [ada.approver] },
    async attend(run) {
      await untilAsked(run, 's0.c1');
      const [first, second] = await run.pending();
      await run.approve('s0.c0').catch(() => undefined);
      await run.approve('s0.c0', { signature: sign(run, second) }).catch(() => undefined);
      await run.approve('s0.c0', { signature: sign(run, first) });
      await run.approve('s0.c1', { signature: sign(run, second) });
    },
  },
  {
    name: 'webhook',
    script: scriptedSteps([{ toolCalls: [send] }, { text: 'Sent.' }]),
    // Not one that the worker may call, so it is on record that it was not told.
    input: { webhookUrl: 'http://127.0.0.1:9/hook' },
    async attend(run) {
      await untilEvent(run, 'webhook_failed');
      await run.reject();
    },
  },
  {
    name: 'begun-again',
    script: scriptedSteps([
      { toolCalls: [{ name: 'stumbles' }, { name: 'verified' }, { name: 'verified' }] },
      { text: 'Done.' },
    ]),
    tools: [stumblingTool(), verifiedTool()],
  },
];

function sign(run: RunHandle, item: PendingItem | undefined): string {
  if (!item) throw new Error('Something is pending.');
  return signDecision({ runId: run.runId, item, decision: 'approve' }, ada.privateKeyPem);
}

async function untilAsked(run: RunHandle, callId: string): Promise<void> {
  await untilEvent(run, 'decision_requested', (event) => event.callId === callId);
}
