import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunHandle } from '../../src/client/run-handle.js';
import { AGENT_RUN } from '../../src/contract/names.js';
import type { Progress } from '../../src/core/progress.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer, type TestServer } from '../support/temporal-server.js';
import {
  expectUnharmed,
  failedTasksOf,
  ONE,
  openInvoiceWorld,
  TO_ANN,
  toldBefore,
  TWO,
  type InvoiceWorld,
} from './support/invoices.js';
import { temporalCli } from './support/temporal-cli.js';

const MEBIBYTE = 1_048_576;
const BOTH = ['s0.c0', 's0.c1'];

let world: InvoiceWorld;

describe('decisions by the temporal command', () => {
  useWorldOn(useTemporalServer);

  describe('as signals', () => {
    it('approve without an input where one call waits', async () => {
      const run = await startWaiting(ONE);
      await signal(run, 'approve');
      await expectApproved(run, { by: null });
    });

    it('approve the call that is named, bound to its arguments, and no other', async () => {
      const run = await startWaiting(TWO);
      const [, second] = (await queried(run)).pending;
      await signal(run, 'approve', { callId: 's0.c1', argsHash: second?.argsHash, by: 'ann' });
      const { callId, by } = await untilEvent(run, 'decision_made');
      expect({ callId, by }).toEqual({ callId: 's0.c1', by: 'ann' });
      expect(await pendingOf(run)).toEqual(['s0.c0']);
      await signal(run, 'approve', { callId: 's0.c0' });
      await expectUnharmed(world, run);
      expect(world.sentBy(run).map((sent) => sent.callId)).toEqual(['s0.c1', 's0.c0']);
    });

    it('reject with a note that reaches the very next model request', async () => {
      const run = await startWaiting(ONE);
      const note = 'Bill her 95 "US dollars",\nnot 120 — see ticket #7.';
      await signal(run, 'reject', { note, by: 'ann' });
      const { events } = await expectUnharmed(world, run);
      expect(world.sentBy(run)).toEqual([]);
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'decision_made', decision: 'reject', note, by: 'ann' }),
      );
      const [told = ''] = toldBefore(world, run, 1);
      expect(JSON.parse(told)).toMatchObject({ status: 'rejected', note });
    });
  });

  const CALL = { callId: 's0.c0' };
  it.each<[string, string, unknown, string]>([
    ['of an unknown call', 'approve', { callId: 's9.c9' }, 'CALL_NOT_FOUND'],
    ['of a call id that is none', 'approve', { callId: 'invoice' }, 'CALL_NOT_FOUND'],
    ['on other arguments', 'approve', { ...CALL, argsHash: 'sha256:00' }, 'ARGS_HASH_MISMATCH'],
    ['that is text', 'approve', 's0.c0', 'INPUT_INVALID'],
    ['that is a number', 'approve', 5, 'INPUT_INVALID'],
    ['that is true', 'approve', true, 'INPUT_INVALID'],
    ['that is a list', 'reject', ['s0.c0'], 'INPUT_INVALID'],
    ['with a number as call id', 'approve', { callId: 0 }, 'INPUT_INVALID'],
    ['with an object as note', 'reject', { ...CALL, note: { text: 'no' } }, 'INPUT_INVALID'],
    ['with a list as name', 'approve', { ...CALL, by: ['ann'] }, 'INPUT_INVALID'],
    ['that is neither yes nor no', 'decide', { ...CALL, decision: 'maybe' }, 'INPUT_INVALID'],
    ['that says nothing', 'decide', CALL, 'INPUT_INVALID'],
    ['with a list as arguments', 'decide', edited([TO_ANN]), 'ARGS_INVALID'],
    ['with arguments that do not fit the tool', 'decide', edited({ to: 5 }), 'ARGS_INVALID'],
    ['that edits and rejects', 'decide', { ...edited(TO_ANN), decision: 'reject' }, 'ARGS_INVALID'],
    ['in the guise of a report', 'report', { ...CALL, decision: 'approve' }, 'INPUT_INVALID'],
  ])('are refused by an event when they come as a signal %s', async (_what, name, input, code) => {
    const run = await startWaiting(ONE);
    await signal(run, name, input);
    await expectRefused(run, code);
    await expectToEnd(run, ['s0.c0']);
  });

  it.each<[string, unknown, string]>([
    ['of an unknown call', { callId: 's9.c9', decision: 'approve' }, 'CALL_NOT_FOUND'],
    ['on other arguments', { decision: 'approve', argsHash: 'sha256:00' }, 'ARGS_HASH_MISMATCH'],
    ['that is text', 'approve', 'INPUT_INVALID'],
    ['with an object as note', { decision: 'reject', note: {} }, 'INPUT_INVALID'],
    ['that says nothing', CALL, 'INPUT_INVALID'],
    ['with arguments that do not fit the tool', edited({ to: 5 }), 'ARGS_INVALID'],
  ])('are refused by a typed error when they come as an update %s', async (_what, input, code) => {
    const run = await startWaiting(ONE);
    await expect(update(run, input)).rejects.toThrow(`type: ${code}`);
    await expectStillWaiting(run, ['s0.c0']);
    await expectToEnd(run, ['s0.c0']);
  });

  it('put the arguments of an update in the place of those of the model, and tell it so', async () => {
    const run = await startWaiting(ONE);
    const invoice = { ...TO_ANN, amountUsd: 95 };
    expect(await update(run, { ...edited(invoice), by: 'ann' })).toMatch(/accepted/);
    const { events } = await expectUnharmed(world, run);
    expect(world.sentBy(run)).toEqual([{ callId: 's0.c0', invoice }]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'decision_made', editedArgs: invoice, by: 'ann' }),
    );
    expect(toldBefore(world, run, 1)).toEqual([expect.stringContaining(JSON.stringify(invoice))]);
  });

  it('cannot be brought by what looks like the report of a sub-agent', async () => {
    const run = await startWaiting(ONE);
    const decided = [{ callId: 's0.c0', tool: 'send_invoice', decision: 'approve' }];
    const result = { outcome: 'done', answer: 'Billed.' };
    await signal(run, 'report', { key: 's0.c0', n: 1, pending: [], decided, result });
    await expectStillWaiting(run, ['s0.c0']);
    await expectToEnd(run, ['s0.c0']);
  });

  it('have to name a call where two wait', async () => {
    const run = await startWaiting(TWO);
    await signal(run, 'approve');
    await expectRefused(run, 'CALL_NOT_PENDING', BOTH);
    await expect(update(run, { decision: 'reject' })).rejects.toThrow('type: CALL_NOT_PENDING');
    await expectToEnd(run, BOTH);
  });

  it('stand once they are made', async () => {
    const run = await startWaiting(TWO);
    await signal(run, 'approve', { callId: 's0.c0' });
    await signal(run, 'reject', { callId: 's0.c0' });
    expect(await untilEvent(run, 'control_rejected')).toMatchObject({ code: 'ALREADY_DECIDED' });
    await expect(update(run, { callId: 's0.c0', decision: 'reject' })).rejects.toThrow(
      'type: ALREADY_DECIDED',
    );
    expect(await pendingOf(run)).toEqual(['s0.c1']);
    await expectToEnd(run, ['s0.c1'], BOTH);
  });

  it('come too late when the run has ended', async () => {
    const run = await startWaiting(ONE);
    await signal(run, 'approve');
    await expectUnharmed(world, run);
    await expect(signal(run, 'approve')).rejects.toThrow(/already completed/);
    await expect(update(run, { decision: 'approve' })).rejects.toThrow(/already completed/);
    expect(await queried(run)).toMatchObject({ status: 'closed', result: { outcome: 'done' } });
    expect(world.sentBy(run)).toHaveLength(1);
  });

  it('are refused by the run when their note is as large as the server lets through', async () => {
    const run = await startWaiting(ONE);
    const note = 'n'.repeat(1.9 * MEBIBYTE);
    await signal(run, 'reject', { note });
    await expectRefused(run, 'MESSAGE_TOO_LARGE');
    await expect(update(run, { decision: 'reject', note })).rejects.toThrow('type: MESSAGE_TOO_LARGE');
    await expectToEnd(run, ['s0.c0']);
  });

  it('are refused by the run when they have a note of 3 MiB', async () => {
    const run = await startWaiting(ONE);
    const note = 'n'.repeat(3 * MEBIBYTE);
    await expect(update(run, { decision: 'reject', note })).rejects.toThrow('type: MESSAGE_TOO_LARGE');
    await signal(run, 'reject', { note });
    await expectRefused(run, 'MESSAGE_TOO_LARGE');
    await expectStillWaiting(run, ['s0.c0']);
    await expectToEnd(run, ['s0.c0']);
  });
});

function useWorldOn(useServer: () => TestServer): void {
  // Hooks run in the order in which they are set, and the worker ends before its server.
  afterAll(() => world.close());
  const server = useServer();
  beforeAll(async () => {
    world = await openInvoiceWorld(server);
  }, 60_000);
}

async function startWaiting(goal: string): Promise<RunHandle> {
  const id = uniqueName('raw');
  const named = ['--type', AGENT_RUN, '--task-queue', world.taskQueue, '--workflow-id', id];
  await temporalCli(world.address, ['workflow', 'start', ...named, '--input', JSON.stringify({ goal })]);
  const run = world.client.run(id);
  await untilEvent(run, 'decision_requested', ({ callId }) => goal !== TWO || callId === 's0.c1');
  return run;
}

async function signal(run: RunHandle, name: string, input?: unknown): Promise<void> {
  const named = ['--workflow-id', run.runId, '--name', name];
  await temporalCli(world.address, ['workflow', 'signal', ...named, ...(await inputArgs(input))]);
}

async function update(run: RunHandle, input: unknown): Promise<string> {
  const named = ['--workflow-id', run.runId, '--name', 'decide'];
  return temporalCli(world.address, ['workflow', 'update', 'execute', ...named, ...(await inputArgs(input))]);
}

/** From a file where the system would not take it as an argument. */
async function inputArgs(input: unknown): Promise<string[]> {
  if (input === undefined) return [];
  const text = JSON.stringify(input);
  if (text.length < 100_000) return ['--input', text];
  const file = join(world.dir, `${uniqueName('input')}.json`);
  await writeFile(file, text);
  return ['--input-file', file];
}

function edited(args: unknown): { callId: string; decision: string; args: unknown } {
  return { callId: 's0.c0', decision: 'approve', args };
}

async function queried(run: RunHandle): Promise<Progress> {
  const asked = ['--workflow-id', run.runId, '--type', 'progress', '--output', 'json'];
  return JSON.parse(await temporalCli(world.address, ['workflow', 'query', ...asked])).queryResult[0];
}

async function pendingOf(run: RunHandle): Promise<string[]> {
  return (await queried(run)).pending.map(({ callId }) => callId);
}

async function expectRefused(run: RunHandle, code: string, callIds = ['s0.c0']): Promise<void> {
  expect(await untilEvent(run, 'control_rejected')).toMatchObject({ code });
  await expectStillWaiting(run, callIds);
}

async function expectStillWaiting(run: RunHandle, callIds: string[]): Promise<void> {
  expect(await queried(run)).toMatchObject({
    status: 'waiting',
    pending: callIds.map((callId) => ({ kind: 'decision', callId, tool: 'send_invoice' })),
  });
  expect(world.sentBy(run)).toEqual([]);
}

/** Approves what still waits, and holds the run to have come to no harm. */
async function expectToEnd(run: RunHandle, callIds: string[], sent = callIds): Promise<void> {
  for (const callId of callIds) await signal(run, 'approve', { callId });
  await expectUnharmed(world, run);
  expect(world.sentBy(run).map(({ callId }) => callId)).toEqual(sent);
  expect(await failedTasksOf(world, run)).toBe(0);
}

async function expectApproved(run: RunHandle, { by }: { by: string | null }): Promise<void> {
  const { events } = await expectUnharmed(world, run);
  expect(events.filter(({ type }) => type === 'decision_made')).toMatchObject([
    { callId: 's0.c0', decision: 'approve', by },
  ]);
  expect(world.sentBy(run)).toEqual([{ callId: 's0.c0', invoice: TO_ANN }]);
}
