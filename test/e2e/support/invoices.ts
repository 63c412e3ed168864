import { z } from 'zod';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import type { RunHandle } from '../../../src/client/run-handle.js';
import { scriptedSteps, type ReplyCall } from '../../../src/testing/stand-in/script.js';
import { textOf, type WireMessage } from '../../../src/testing/transcript-rules.js';
import { expectFoldEqualsProgress, type Folded } from '../../support/fold-equality.js';
import { openWorld, type World } from '../../support/run-support.js';
import type { TestServer } from '../../support/temporal-server.js';
import { byGoal } from './goal-scripts.js';

/** Arguments of the gated tool. */
export interface Invoice {
  to: string;
  amountUsd: number;
}

/** A world with a tool that no run may use unasked, and a worker in this process. */
export interface InvoiceWorld extends World {
  /** What the tool did in a run, in order. */
  sentBy(run: RunHandle): { callId: string; invoice: Invoice }[];
}

/** What the model asks for. */
export const TO_ANN: Invoice = { to: 'ann@example.com', amountUsd: 120 };
const TO_BOB: Invoice = { to: 'bob@example.com', amountUsd: 80 };

/** A run with this goal asks for one gated call, {@link TO_ANN}, and is done after it. */
export const ONE = 'Bill Ann.';

/** A run with this goal asks for two gated calls at once. */
export const TWO = 'Bill Ann and Bob.';

const call = ({ to, amountUsd }: Invoice): ReplyCall => ({ name: 'send_invoice', args: { to, amountUsd } });
const script = byGoal({
  [ONE]: scriptedSteps([{ toolCalls: [call(TO_ANN)] }, { text: 'Done.' }]),
  [TWO]: scriptedSteps([{ toolCalls: [call(TO_ANN), call(TO_BOB)] }, { text: 'Done.' }]),
});

/** Opens the world; whoever does has to close it. */
export async function openInvoiceWorld(server: TestServer): Promise<InvoiceWorld> {
  const sent: { runId: string; callId: string; invoice: Invoice }[] = [];
  const sendInvoice = defineTool({
    name: 'send_invoice',
    description: 'Sends an invoice.',
    input: z.object({ to: z.string(), amountUsd: z.number() }),
    execute: (invoice, { runId, callId }) => {
      sent.push({ runId, callId, invoice });
      return 'sent';
    },
  });
  const world = await openWorld(server, { script, tools: [sendInvoice] });
  await world.startWorker();
  return {
    ...world,
    sentBy: ({ runId }) =>
      sent.filter((one) => one.runId === runId).map(({ callId, invoice }) => ({ callId, invoice })),
  };
}

/** What the one request for a step told the model of the calls before it, in order. */
export function toldBefore(world: World, run: RunHandle, step: number): string[] {
  const asked = world.standIn.requests.flatMap(({ body }) => {
    const { metadata, messages } = Object(body);
    // The stand-in has taken the request, so its messages are those of the wire.
    return metadata?.longhaul_run === run.runId && metadata.longhaul_step === String(step)
      ? [messages as WireMessage[]]
      : [];
  });
  expect(asked).toHaveLength(1);
  return asked.flat().flatMap((message) => (message.role === 'tool' ? [textOf(message)] : []));
}

/** Waits for the end of a run and holds it to have come to no harm: it is done, and history tells the same as the workflow. */
export async function expectUnharmed(world: InvoiceWorld, run: RunHandle): Promise<Folded> {
  expect(await run.result()).toMatchObject({ outcome: 'done', answer: 'Done.', unknownOutcomes: [] });
  world.expectNoRefusals();
  return expectFoldEqualsProgress(world.temporal, run.runId);
}

/** How many workflow tasks of a run failed. */
export async function failedTasksOf(world: World, { runId }: RunHandle): Promise<number> {
  const { events } = await world.temporal.workflow.getHandle(runId).fetchHistory();
  return (events ?? []).filter((event) => event.workflowTaskFailedEventAttributes).length;
}
