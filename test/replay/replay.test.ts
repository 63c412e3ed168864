import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import { createFileBlobs } from '../../src/adapters/blobs/file-blobs.js';
import { createDataConverter } from '../../src/adapters/temporal/data-converter.js';
import { RunFold } from '../../src/client/fold.js';
import { view } from '../../src/core/view.js';
import type { RunHistory } from '../../src/testing/history.js';
import { workflowBundle } from '../support/run-support.js';
import { AGENT_LIVES } from './support/agent-lives.js';
import { LIVES } from './support/lives.js';
import { METERED_LIVES } from './support/metered-lives.js';
import { OTHER_LIVES } from './support/other-lives.js';
import { readRecording, recordedNames } from './support/recording.js';

const dir = mkdtempSync(join(tmpdir(), 'longhaul-replay-'));
const dataConverter = createDataConverter({ blobs: createFileBlobs(dir) });

afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('has a recording of each life', () => {
  expect(recordedNames()).toEqual(
    expect.arrayContaining(
      [...LIVES, ...METERED_LIVES, ...AGENT_LIVES, ...OTHER_LIVES].map(({ name }) => name),
    ),
  );
});

it.each(recordedNames())('replays what was recorded as %s', async (name) => {
  const { runId, histories } = readRecording(name);
  const replayed = Worker.runReplayHistories(
    { workflowBundle: await workflowBundle(), dataConverter },
    histories.map((history) => ({ workflowId: runId, history })),
  );
  const errors: unknown[] = [];
  for await (const { error } of replayed) errors.push(error);
  expect(errors).toEqual(histories.map(() => undefined));
});

it.each(recordedRuns())('reads out of the history of %s what the run came to', async (_name, recording) => {
  const { runId, progress, histories } = recording;
  for (const [index] of histories.entries())
    // What a later version shows beside it is no change.
    expect(await fold(runId, histories.slice(index))).toMatchObject(progress);
});

it('notices a history that the workflow would not have written', async () => {
  const { runId, histories } = readRecording('plain');
  const events = histories[0]?.events ?? [];
  const scheduled = events.find(
    (event) => event.activityTaskScheduledEventAttributes?.activityId === 's1.m0',
  );
  Object.assign(scheduled?.activityTaskScheduledEventAttributes ?? {}, { activityId: 's1.m7' });
  const replaying = Worker.runReplayHistory(
    { workflowBundle: await workflowBundle(), dataConverter },
    { events },
    runId,
  );
  await expect(replaying).rejects.toBeInstanceOf(DeterminismViolationError);
});

function recordedRuns() {
  return recordedNames().flatMap((name) => {
    const { progress, ...rest } = readRecording(name);
    return progress ? [[name, { ...rest, progress }] as const] : [];
  });
}

async function fold(runId: string, histories: readonly RunHistory[]) {
  const folded = new RunFold(runId, loadDataConverter(dataConverter));
  for (const [index, { events }] of histories.entries())
    await folded.take({ temporalRunId: String(index), events: events ?? [] });
  const state = folded.current();
  return state && view(state);
}
