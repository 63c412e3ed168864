import type { RunHandle } from '../../src/client/run-handle.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import {
  allAtOnce,
  eventsOf,
  goalOf,
  holdAt,
  untilEnd,
  type Life,
  type Where,
} from './support/kill-batch.js';
import { openCrew, type CrewWorker, type KillCrew } from './support/kill-crew.js';

const TEST_MS = 90_000;
const BEAT: Where = { activity: 'runTool', kind: 'beat' };

const server = useTemporalServer();
let crew: KillCrew;
let sleeper: CrewWorker;

beforeEach(async () => {
  const env = { LONGHAUL_HEARTBEAT_TIMEOUT_MS: '1500' };
  crew = await openCrew(server, { script: allAtOnce(1), env });
  sleeper = await crew.startProcess();
}, TEST_MS);
afterEach(() => crew.close(), TEST_MS);

/** Starts a run with one call; `runId` is chosen before, so that its words can be waited for. */
function start(runId: string, args: object = {}): Promise<RunHandle> {
  const goal = goalOf({ name: 'once_ask', args: { what: 'it', ...args } });
  return crew.client.start({ goal, requireApproval: 'never' }, { id: runId });
}

/** What comes from then on goes to others, as if it were cut off too. */
function fallAsleep({ process, line }: CrewWorker): void {
  process.freeze();
  line.takeNoMore();
}

/** Lives the run to its end on another worker; a human lets what is unknown run again. */
async function goOnElsewhere(run: RunHandle): Promise<Life> {
  await crew.startProcess();
  return untilEnd(crew, run, ({ callId }) => run.approve(callId, { by: 'ann' }));
}

/** Waits until a worker has done all that it ever will. */
async function untilDrained({ process }: CrewWorker): Promise<void> {
  expect(await process.stop()).toBe(0);
}

/** What the tool did, in order: `+` on the worker that went on, `-` on the one that had slept. */
function deedsOf(run: RunHandle): string[] {
  return crew.deeds
    .of(run.runId)
    .map(({ kind, pid }) => `${pid === sleeper.process.pid ? '-' : '+'} ${kind}`);
}

it.each<[string, Where]>([
  ['before it says that it begins', { ...BEAT, acting: false, isAnswered: true }],
  ['while it says that it begins', { ...BEAT, acting: true, isAnswered: false }],
])(
  'a worker that falls asleep %s does not act when it wakes up after the call was begun elsewhere',
  async (_when, where) => {
    const runId = uniqueName('zombie');
    const asleep = holdAt(sleeper.line, runId, where);
    const run = await start(runId);
    const held = await asleep;
    fallAsleep(sleeper);
    const life = await goOnElsewhere(run);
    const refused = holdAt(sleeper.line, runId, { ...BEAT, acting: true, isAnswered: true });
    held.release();
    sleeper.process.thaw();
    // 5: the server knows no such attempt any more.
    const { status, release } = await refused;
    release();
    expect(status).toBe(5);
    await untilDrained(sleeper);
    expect(deedsOf(run)).toEqual(['+ begin', '+ effect', '+ end']);
    expect(eventsOf(life, 'decision_requested')).toEqual([]);
    expect(eventsOf(life, 'tool_started')).toHaveLength(2);
    expect(life.result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
  },
  TEST_MS,
);

it(
  'a worker that falls asleep before it hears that it may begin asks again when it wakes up, and does not act',
  async () => {
    const runId = uniqueName('zombie');
    const asleep = holdAt(sleeper.line, runId, { ...BEAT, acting: true, isAnswered: true });
    const run = await start(runId);
    const { release, status } = await asleep;
    expect(status).toBe(0);
    fallAsleep(sleeper);
    const life = await goOnElsewhere(run);
    release();
    sleeper.process.thaw();
    await untilDrained(sleeper);
    expect(deedsOf(run)).toEqual(['+ begin', '+ effect', '+ end']);
    expect(eventsOf(life, 'decision_requested')).toMatchObject([{ kind: 'unknown_outcome' }]);
    expect(eventsOf(life, 'decision_made')).toMatchObject([{ decision: 'approve', by: 'ann' }]);
  },
  TEST_MS,
);

it(
  'a worker that falls asleep in the middle of a call hears when it wakes up that the call is not its own any more',
  async () => {
    const run = await start(uniqueName('zombie'), { hold: 'before' });
    await crew.deeds.until(({ runId, kind }) => runId === run.runId && kind === 'held');
    fallAsleep(sleeper);
    const life = await goOnElsewhere(run);
    sleeper.process.thaw();
    await crew.deeds.until(({ runId, kind }) => runId === run.runId && kind === 'called off');
    await untilDrained(sleeper);
    expect(deedsOf(run)).toEqual(['- begin', '- held', '+ begin', '+ effect', '+ end', '- called off']);
    expect(eventsOf(life, 'decision_requested')).toMatchObject([{ kind: 'unknown_outcome' }]);
    expect(life.result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
  },
  TEST_MS,
);

it(
  'a worker that is told to end while it gets a call ready begins it, once, ends it, and is gone',
  async () => {
    const runId = uniqueName('drain');
    const before = holdAt(sleeper.line, runId, { ...BEAT, acting: true, isAnswered: false });
    const run = await start(runId);
    const held = await before;
    const stopping = sleeper.process.stop();
    held.release();
    expect(await stopping).toBe(0);
    expect(deedsOf(run)).toEqual(['- begin', '- effect', '- end']);
    const life = await goOnElsewhere(run);
    expect(deedsOf(run)).toEqual(['- begin', '- effect', '- end']);
    expect(eventsOf(life, 'tool_started')).toHaveLength(1);
    expect(life.result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
  },
  TEST_MS,
);
