import type { RunHandle } from '../../src/client/run-handle.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import {
  allAtOnce,
  allWithin,
  eventsOf,
  goalOf,
  holdAt,
  untilEnd,
  type Life,
  type Where,
} from './support/kill-batch.js';
import { openCrew, type CrewWorker, type KillCrew } from './support/kill-crew.js';
import type { Held } from './support/line.js';

const END: Where = { activity: null, kind: 'end', isAnswered: false };
const CONTINUES: Where = { ...END, continuesAsNew: true };

/** The run is about to continue as new, with a call that waits for a decision. What happens then, before the worker is killed. */
const CUTS = {
  'a decision comes before the server knows of it': { decide: 'before' },
  'a decision comes after the server knows of it': { decide: 'after', answered: true },
  'a decision comes, and the server refuses to let it continue': { decide: 'before', refused: true },
  'nothing, and the server does not know of it': {},
  'nothing, and the server knows of it': { answered: true },
} as const satisfies Record<string, { decide?: 'before' | 'after'; answered?: true; refused?: true }>;

type Row = [cut: keyof typeof CUTS, way: 'signal' | 'update'];

const names = Object.keys(CUTS).filter((name): name is Row[0] => name in CUTS);
const TABLE: Row[] = names.flatMap((cut): Row[] => [
  [cut, 'signal'],
  [cut, 'update'],
]);
const PHASE_MS = 60_000;
const LONGEST_MS = 4 * PHASE_MS;

const server = useTemporalServer();
const lives: Life[] = [];
const answers: unknown[] = [];
let crew: KillCrew;

beforeAll(async () => {
  crew = await openCrew(server, {
    script: allAtOnce(TABLE.length),
    env: { LONGHAUL_CONTINUE_AS_NEW_EVENTS: '30' },
  });
  const worker = await crew.startProcess();
  const each = <T>(promises: Promise<T>[]) =>
    allWithin(
      PHASE_MS,
      promises.map((promise, index) => [TABLE[index]?.join(', ') ?? '', promise] as const),
    );
  const begun = await each(TABLE.map((row) => goTowards(worker, row)));
  await worker.process.kill9();
  const sent = each(begun.map(({ sent }) => sent()));
  await crew.startProcess();
  answers.push(...(await sent));
  lives.push(...(await each(begun.map(({ run }) => untilEnd(crew, run)))));
}, LONGEST_MS);

afterAll(() => crew.close());

/** Brings a run to where its worker is to be killed. `sent` tells what the sender of the decision was told, who may come after that. */
async function goTowards(
  { line }: CrewWorker,
  [cut, way]: Row,
): Promise<{ run: RunHandle; sent: () => Promise<unknown> }> {
  const { decide, answered, refused }: { decide?: string; answered?: true; refused?: true } = CUTS[cut];
  const runId = uniqueName('kill-continues');
  const goal = goalOf({ name: 'once_gated', args: { what: 'it' } });
  const run = await crew.client.start({ goal }, { id: runId });
  await untilEvent(run, 'decision_requested');
  let held = await growUntil(run, holdAt(line, runId, CONTINUES));
  const send = () => {
    const handle = crew.temporal.workflow.getHandle(runId);
    const args: [object] = [{ callId: 's0.c0', decision: 'approve', by: 'ann' }];
    return way === 'signal' ? handle.signal('decide', ...args) : handle.executeUpdate('decide', { args });
  };
  const early = decide === 'before' ? send() : null;
  // Heard later.
  early?.catch(() => undefined);
  // A signal is there when the server says so; for an update nobody can say before it is taken.
  if (way === 'signal') await early;
  if (answered) {
    // The worker does not get to go on with it.
    void holdAt(line, runId, { activity: null, kind: 'task' });
    held = await after(held, () => holdAt(line, runId, { ...CONTINUES, isAnswered: true }));
  }
  if (refused) await after(held, () => holdAt(line, runId, END));
  const late = decide === 'after' ? send() : null;
  late?.catch(() => undefined);
  if (way === 'signal') await late;
  return { run, sent: () => early ?? late ?? send() };
}

/** Makes a history longer, until something comes of it. */
async function growUntil(run: RunHandle, reached: Promise<Held>): Promise<Held> {
  for (;;) {
    // The last of them is answered when nobody waits for it any more.
    const said = run.say('And then?', { mode: 'queue' }).catch(() => undefined);
    const held = await Promise.race([reached, said.then(() => null)]);
    if (held) return held;
  }
}

/** Lets a word pass, and waits for the next. */
function after(held: Held, next: () => Promise<Held>): Promise<Held> {
  const coming = next();
  held.release();
  return coming;
}

describe('a worker that is killed while a run continues as new', () => {
  it.each(TABLE.map((row, index) => [...row, index] as const))('%s (by %s)', (_cut, way, index) => {
    const life = lives[index];
    if (!life) throw new Error('All of them have lived.');
    expect(crew.deeds.of(life.run.runId).map(({ kind }) => kind)).toEqual(['begin', 'effect', 'end']);
    expect(eventsOf(life, 'decision_requested')).toHaveLength(1);
    expect(eventsOf(life, 'decision_made')).toMatchObject([{ decision: 'approve', by: 'ann' }]);
    expect(eventsOf(life, 'tool_started')).toHaveLength(1);
    expect(eventsOf(life, 'control_rejected')).toEqual([]);
    if (way === 'update') expect(answers[index]).toMatchObject({ accepted: true });
    expect(life.result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
  });
});
