import type { RunHandle } from '../../src/client/run-handle.js';
import { AgentError } from '../../src/core/errors.js';
import { itInBrowser, useBrowser } from '../support/browser.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName } from '../support/temporal-server.js';
import { useWebUi } from '../support/web-ui.js';
import {
  expectUnharmed,
  ONE,
  openInvoiceWorld,
  TO_ANN,
  toldBefore,
  type InvoiceWorld,
} from './support/invoices.js';
import { RunPage } from './support/temporal-web-ui.js';

const TEST_MS = 120_000;

let world: InvoiceWorld;

// Hooks run in the order in which they are set, and the worker ends before its server.
afterAll(() => world.close());
const server = useWebUi();
const newPage = useBrowser();

beforeAll(async () => {
  world = await openInvoiceWorld(server);
}, TEST_MS);

describe("Temporal's Web UI", () => {
  itInBrowser(
    'shows what waits, and approves it in the dialog for signals',
    async () => {
      const { run, page } = await openWaiting();
      const details = await page.currentDetails();
      await details.getByText('Needs a decision:').waitFor();
      await details.getByText(TO_ANN.to).waitFor();
      const dialog = await page.openDialog('Send a Signal');
      await page.pick(dialog, 'approve');
      await page.submit(dialog, { callId: 's0.c0' });
      await page.see('Workflow signaled.');
      const { events } = await expectUnharmed(world, run);
      expect(world.sentBy(run)).toEqual([{ callId: 's0.c0', invoice: TO_ANN }]);
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'decision_made', callId: 's0.c0', decision: 'approve' }),
      );
      await page.seeEvent('Workflow Execution Signaled', ['approve', 'webui', '"s0.c0"']);
      await page.see('Completed');
    },
    TEST_MS,
  );

  itInBrowser(
    'rejects with a note in the dialog for signals',
    async () => {
      const { run, page } = await openWaiting();
      const note = 'Bill her 95, not 120.';
      const dialog = await page.openDialog('Send a Signal');
      await page.pick(dialog, 'reject');
      await page.submit(dialog, { callId: 's0.c0', note, by: 'ann' });
      await page.see('Workflow signaled.');
      const { events } = await expectUnharmed(world, run);
      expect(world.sentBy(run)).toEqual([]);
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'decision_made', decision: 'reject', note, by: 'ann' }),
      );
      expect(JSON.parse(toldBefore(world, run, 1).join())).toMatchObject({ status: 'rejected', note });
      await page.seeEvent('Workflow Execution Signaled', ['reject', note, '"ann"']);
    },
    TEST_MS,
  );

  itInBrowser(
    'shows why an update is refused, and takes the right one from the same dialog',
    async () => {
      const { run, page } = await openWaiting();
      const dialog = await page.openDialog('Send an Update');
      await page.pick(dialog, 'decide');
      const decision = { callId: 's9.c9', decision: 'approve', by: 'ann' };
      await page.submit(dialog, decision);
      await dialog
        .getByText((await refusalOf(run, 's9.c9')).message)
        .first()
        .waitFor();
      expect(world.sentBy(run)).toEqual([]);
      await page.submit(dialog, { ...decision, callId: 's0.c0' });
      await page.see('Update successful');
      await expectUnharmed(world, run);
      expect(world.sentBy(run)).toEqual([{ callId: 's0.c0', invoice: TO_ANN }]);
    },
    TEST_MS,
  );
});

async function openWaiting(): Promise<{ run: RunHandle; page: RunPage }> {
  const run = await world.client.start({ goal: ONE }, { id: uniqueName('web-ui') });
  await untilEvent(run, 'decision_requested');
  const { temporalRunId } = run;
  const url = `${server.uiUrl}/namespaces/default/workflows/${run.runId}/${temporalRunId}`;
  const page = new RunPage(await newPage(), url);
  await page.open();
  return { run, page };
}

/** How the typed error for an approval reads. */
async function refusalOf(run: RunHandle, callId: string): Promise<AgentError> {
  const error = await run.approve(callId).catch((reason: unknown) => reason);
  if (!(error instanceof AgentError)) throw new Error(`${callId} was not refused: ${String(error)}`);
  expect(error.code).toBe('CALL_NOT_FOUND');
  return error;
}
