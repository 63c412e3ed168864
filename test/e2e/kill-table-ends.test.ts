import type { RunHandle } from '../../src/client/run-handle.js';
import { untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import {
  allAtOnce,
  eventsOf,
  expectVisible,
  goalOf,
  holdAt,
  untilEnd,
  type Life,
  type Where,
} from './support/kill-batch.js';
import { openCrew, type CrewWorker, type KillCrew } from './support/kill-crew.js';
import type { Deed } from './support/kill-tools.js';

/** How far a call has come when its run is told to end. */
const PLACES = {
  'waits for a decision': {},
  'has not said yet that it begins': {
    word: { activity: 'runTool', kind: 'beat', acting: true, isAnswered: false },
  },
  'has not had its effect': { args: { hold: 'before' }, deed: 'held' },
  'has had its effect': { args: { hold: 'after' }, deed: 'effect' },
  'is verified, without effect': { args: { lose: 'before', hold: 'asked' }, deed: 'asked' },
  'is verified, after its effect': { args: { lose: 'after', hold: 'asked' }, deed: 'asked' },
} as const satisfies Record<string, { word?: Where; args?: object; deed?: Deed['kind'] }>;

/** Where the worker is killed after that. */
const CUTS = {
  'before its run has taken that in': { activity: null, kind: 'end', isAnswered: false },
  'after its run has taken that in': { activity: null, kind: 'end', isAnswered: true },
  'before it has told how it ended': { activity: 'runTool', kind: 'end', isAnswered: false },
  'after it has told how it ended': { activity: 'runTool', kind: 'end', isAnswered: true },
} as const satisfies Record<string, Where>;

interface Expected {
  effects: number;
  status: 'cancelled' | 'timed_out' | 'unknown_outcome' | 'ok';
  verdicts?: string[];
}

type Row = [
  how: 'cancel' | 'stop',
  tool: string,
  place: keyof typeof PLACES,
  cut: keyof typeof CUTS,
  expected: Expected,
];

const cancelled: Expected = { effects: 0, status: 'cancelled' };
/** All that the server can tell of a call whose worker is gone. */
const timedOut: Expected = { effects: 0, status: 'timed_out' };
const unknown = (effects: number): Expected => ({ effects, status: 'unknown_outcome' });

const heard = ['before its run has taken that in', 'after its run has taken that in'] as const;
const told = ['before it has told how it ended', 'after it has told how it ended'] as const;

const AGAIN: Row[] = [
  ['cancel', 'read', 'has not had its effect', 'before its run has taken that in', timedOut],
  ['cancel', 'idempotent', 'has not had its effect', 'before it has told how it ended', timedOut],
  ['cancel', 'idempotent', 'has not had its effect', 'after it has told how it ended', cancelled],
];

const ONCE: Row[] = heard
  .flatMap((cut): Row[] => [
    ['cancel', 'once_gated', 'waits for a decision', cut, cancelled],
    ['stop', 'once_gated', 'waits for a decision', cut, cancelled],
    ['cancel', 'once_ask', 'has not said yet that it begins', cut, cancelled],
    ['stop', 'once_ask', 'has not said yet that it begins', cut, cancelled],
    ['cancel', 'once_ask', 'has not had its effect', cut, unknown(0)],
    ['stop', 'once_ask', 'has not had its effect', cut, unknown(0)],
    ['cancel', 'once_ask', 'has had its effect', cut, unknown(1)],
    ['stop', 'once_ask', 'has had its effect', cut, unknown(1)],
    ['cancel', 'once_verify', 'has had its effect', cut, unknown(1)],
    ['stop', 'once_verify', 'has not had its effect', cut, { ...cancelled, verdicts: ['not_executed'] }],
    ['stop', 'once_verify', 'has had its effect', cut, { effects: 1, status: 'ok', verdicts: ['executed'] }],
    ['cancel', 'once_verify', 'is verified, without effect', cut, unknown(0)],
    ['cancel', 'once_verify', 'is verified, after its effect', cut, unknown(1)],
    ['stop', 'once_verify', 'is verified, without effect', cut, { ...cancelled, verdicts: ['not_executed'] }],
    [
      'stop',
      'once_verify',
      'is verified, after its effect',
      cut,
      { effects: 1, status: 'ok', verdicts: ['executed'] },
    ],
  ])
  .concat(
    told.flatMap((cut): Row[] => [
      ['cancel', 'once_ask', 'has not had its effect', cut, unknown(0)],
      ['cancel', 'once_ask', 'has had its effect', cut, unknown(1)],
      ['cancel', 'once_tell', 'has not had its effect', cut, unknown(0)],
      ['cancel', 'once_land', 'has had its effect', cut, unknown(1)],
      ['cancel', 'once_verify', 'has not had its effect', cut, unknown(0)],
    ]),
  );

const TABLE = [...AGAIN, ...ONCE];
// What is placed must not be given up before all are placed, also on a slow machine.
const HEARTBEAT_TIMEOUT_MS = 20_000;
const LONGEST_MS = 240_000;

const server = useTemporalServer();
const lives: Life[] = [];
let crew: KillCrew;

beforeAll(async () => {
  crew = await openCrew(server, {
    script: allAtOnce(TABLE.length),
    env: { LONGHAUL_HEARTBEAT_TIMEOUT_MS: String(HEARTBEAT_TIMEOUT_MS) },
  });
  const worker = await crew.startProcess();
  const runs = await Promise.all(TABLE.map((row) => startTowards(worker, row)));
  const startedMs = await Promise.race(runs.map(({ placed }) => placed.then(Date.now)));
  await Promise.all(runs.map(({ placed }) => placed));
  await Promise.all(TABLE.map(([how, , , cut], index) => end(worker, runs[index]?.run, { how, cut })));
  await worker.process.kill9();
  // A call that was given up before would not have been cut where the table says.
  expect(Date.now() - startedMs).toBeLessThan(HEARTBEAT_TIMEOUT_MS);
  await crew.startProcess();
  lives.push(...(await Promise.all(runs.map(({ run }) => untilEnd(crew, run)))));
}, LONGEST_MS);

afterAll(() => crew.close());

/** Starts a run whose call goes to its place; `placed` says when it is there. */
async function startTowards(
  { line }: CrewWorker,
  [, name, where]: Row,
): Promise<{ run: RunHandle; placed: Promise<unknown> }> {
  const runId = uniqueName('kill-ends');
  const place: { word?: Where; args?: object; deed?: Deed['kind'] } = PLACES[where];
  const isThere = (deed: Deed) => deed.runId === runId && deed.kind === place.deed;
  const held = place.word && holdAt(line, runId, place.word);
  const goal = goalOf({ name, args: { what: 'it', ...place.args } });
  const run = await crew.client.start({ goal, requireApproval: 'policy' }, { id: runId });
  const placed = held ?? (place.deed ? crew.deeds.until(isThere) : untilEvent(run, 'decision_requested'));
  return { run, placed };
}

/** Tells a run to end, and waits until its worker is where it is to be killed. */
async function end(
  { line }: CrewWorker,
  run: RunHandle | undefined,
  { how, cut }: { how: Row[0]; cut: Row[3] },
): Promise<void> {
  if (!run) throw new Error('All of them were started.');
  const reached = holdAt(line, run.runId, CUTS[cut]);
  // As a signal, because an update is answered only when the run has taken it in.
  if (how === 'cancel') await run.cancel();
  else await crew.temporal.workflow.getHandle(run.runId).signal('stop');
  await reached;
}

describe('when a run is told to end, and then its worker is killed', () => {
  it.each(
    TABLE.map(([how, tool, place, cut, expected], index) => ({ how, tool, place, cut, expected, index })),
  )('$how while $tool $place; killed $cut', ({ how, tool, expected, index }) => {
    const life = lives[index];
    if (!life) throw new Error('All of them have lived.');
    expect(crew.deeds.of(life.run.runId, 'effect')).toHaveLength(expected.effects);
    expect(eventsOf(life, 'tool_completed')).toMatchObject([{ callId: 's0.c0', status: expected.status }]);
    expectVisible(life, { tool, isUnknown: expected.status === 'unknown_outcome' });
    expect(eventsOf(life, 'outcome_verified').map(({ verdict }) => verdict)).toEqual(expected.verdicts ?? []);
    expect(eventsOf(life, 'decision_requested').map(({ kind }) => kind)).toEqual(
      tool === 'once_gated' ? ['decision'] : [],
    );
    expect(life.result.outcome).toBe(how === 'cancel' ? 'cancelled' : 'stopped');
  });
});
