import type { RunHandle } from '../../src/client/run-handle.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import {
  allAtOnce,
  allWithin,
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

/** A word between worker and server, or something that the tool does, with arguments that make it stop there. */
interface Point {
  word?: Where;
  args?: object;
  deed?: Deed['kind'];
}

/** Where the worker is killed that carries a call out. */
const CUTS = {
  'before it is given the call': { word: { activity: 'runTool', kind: 'task' } },
  'before it has said that it did not begin': {
    word: { activity: 'runTool', kind: 'beat', acting: false, isAnswered: false },
  },
  'before it has said that it begins': {
    word: { activity: 'runTool', kind: 'beat', acting: true, isAnswered: false },
  },
  'before it hears that it may begin': {
    word: { activity: 'runTool', kind: 'beat', acting: true, isAnswered: true },
  },
  'before the effect': { args: { hold: 'before' }, deed: 'held' },
  'after the effect': { args: { hold: 'after' }, deed: 'effect' },
  'before it has told the result': { word: { activity: 'runTool', kind: 'end', isAnswered: false } },
  'after it has told the result': { word: { activity: 'runTool', kind: 'end', isAnswered: true } },
  'before its tool is asked whether it acted': { word: { activity: 'verifyCall', kind: 'task' } },
  'while its tool finds out whether it acted': { args: { hold: 'asked' }, deed: 'asked' },
  'before it has told whether it acted': { word: { activity: 'verifyCall', kind: 'end', isAnswered: false } },
  'after it has told whether it acted': { word: { activity: 'verifyCall', kind: 'end', isAnswered: true } },
} as const satisfies Record<string, Point>;

type Cut = keyof typeof CUTS;
type Human = 'approves' | 'answers' | 'rejects';

/** What must have become of the call in the end. */
interface Expected {
  /** The tool loses the line to what it acts on, before or after the effect. */
  lose?: 'before' | 'after';
  /** How often its effect took place. */
  effects: number;
  /** How often the run had it started. */
  starts: number;
  /** What its tool found out. */
  verdicts?: string[];
  /** Whether a human was asked. */
  asked?: true;
  status: 'ok' | 'unknown_outcome';
  content?: string;
  outcome?: 'failed';
}

type Row = [tool: string, cut: Cut, expected: Expected, human?: Human];

const ok = (effects: number, starts = 1): Expected => ({ effects, starts, status: 'ok' });
const unknown = (effects: number): Expected => ({ effects, starts: 1, status: 'unknown_outcome' });
const landed = (effects: number): Expected => ({ ...unknown(effects), outcome: 'failed' });
const executed: Expected = { ...ok(1), verdicts: ['executed'], content: 'took effect' };
const notExecuted: Expected = { ...ok(1, 2), verdicts: ['not_executed'] };

/** What a human is asked about, and what comes of each thing that may be said. */
const asked = (tool: string, cut: Cut, effects: number): Row[] => {
  const found = { asked: true as const, verdicts: tool === 'once_unsure' ? ['unknown'] : [] };
  return [
    [tool, cut, { ...ok(effects + 1, 2), ...found }, 'approves'],
    [tool, cut, { ...ok(effects), ...found, content: 'found out by hand' }, 'answers'],
    [tool, cut, { ...unknown(effects), ...found }, 'rejects'],
  ];
};

/** One effect too many does no harm here, and the key is the same. */
const runAgain = (tool: string): Row[] => [
  [tool, 'before it is given the call', ok(1)],
  [tool, 'before the effect', ok(1)],
  [tool, 'after the effect', ok(2)],
  [tool, 'before it has told the result', ok(2)],
  [tool, 'after it has told the result', ok(1)],
];

const BEFORE_TOLD = [
  'before its tool is asked whether it acted',
  'while its tool finds out whether it acted',
  'before it has told whether it acted',
] as const;

const TABLE: Row[] = [
  ...runAgain('read'),
  ...runAgain('idempotent'),

  ...asked('once_ask', 'before it is given the call', 0),
  ...asked('once_ask', 'before it has said that it did not begin', 0),
  ['once_ask', 'before it has said that it begins', ok(1, 2)],
  ...asked('once_ask', 'before it hears that it may begin', 0),
  ...asked('once_ask', 'before the effect', 0),
  ...asked('once_ask', 'after the effect', 1),
  ...asked('once_ask', 'before it has told the result', 1),
  ['once_ask', 'after it has told the result', ok(1)],

  ['once_verify', 'before it is given the call', notExecuted],
  ['once_verify', 'before it has said that it did not begin', notExecuted],
  ['once_verify', 'before it has said that it begins', ok(1, 2)],
  ['once_verify', 'before it hears that it may begin', notExecuted],
  ['once_verify', 'before the effect', notExecuted],
  ['once_verify', 'after the effect', executed],
  ['once_verify', 'before it has told the result', executed],
  ['once_verify', 'after it has told the result', ok(1)],

  ...BEFORE_TOLD.map((cut): Row => ['once_verify', cut, { ...notExecuted, lose: 'before' }]),
  ...BEFORE_TOLD.map((cut): Row => ['once_verify', cut, { ...executed, lose: 'after' }]),
  ['once_verify', 'after it has told whether it acted', { ...executed, lose: 'after' }],

  ['once_unsure', 'before it has said that it begins', ok(1, 2)],
  ...asked('once_unsure', 'before the effect', 0),
  ...asked('once_unsure', 'after the effect', 1),

  ['once_tell', 'before it is given the call', unknown(0)],
  ['once_tell', 'before it has said that it did not begin', unknown(0)],
  ['once_tell', 'before it has said that it begins', ok(1, 2)],
  ['once_tell', 'before it hears that it may begin', unknown(0)],
  ['once_tell', 'before the effect', unknown(0)],
  ['once_tell', 'after the effect', unknown(1)],
  ['once_tell', 'before it has told the result', unknown(1)],
  ['once_tell', 'after it has told the result', ok(1)],

  ['once_land', 'before it is given the call', landed(0)],
  ['once_land', 'before it has said that it did not begin', landed(0)],
  ['once_land', 'before it has said that it begins', ok(1, 2)],
  ['once_land', 'before it hears that it may begin', landed(0)],
  ['once_land', 'before the effect', landed(0)],
  ['once_land', 'after the effect', landed(1)],
  ['once_land', 'before it has told the result', landed(1)],
  ['once_land', 'after it has told the result', ok(1)],
];

/** All calls are under way when the one worker is killed, so they must get there sooner than the server gives one of them up. */
const HEARTBEAT_TIMEOUT_MS = 12_000;
const PHASE_MS = 90_000;
const LONGEST_MS = 3 * PHASE_MS;

const server = useTemporalServer();
const lives: Life[] = [];
let crew: KillCrew;

beforeAll(async () => {
  crew = await openCrew(server, {
    script: allAtOnce(TABLE.length),
    env: { LONGHAUL_HEARTBEAT_TIMEOUT_MS: String(HEARTBEAT_TIMEOUT_MS) },
  });
  const worker = await crew.startProcess();
  const calls = await Promise.all(TABLE.map((row) => startTowards(worker, row)));
  const firstMs = await Promise.race(calls.map(({ reached }) => reached.then(Date.now)));
  const each = <T>(promises: Promise<T>[]) =>
    allWithin(
      PHASE_MS,
      promises.map((promise, index) => [nameOf(TABLE[index]), promise] as const),
    );
  await each(calls.map(({ reached }) => reached));
  await worker.process.kill9();
  // A call that was given up before would not have been cut where the table says.
  expect(Date.now() - firstMs).toBeLessThan(HEARTBEAT_TIMEOUT_MS);
  await crew.startProcess();
  lives.push(...(await each(calls.map(({ run }, index) => settled(run, TABLE[index]?.[3])))));
}, LONGEST_MS);

afterAll(() => crew.close());

async function startTowards(
  { line }: CrewWorker,
  [name, cut, { lose }]: Row,
): Promise<{ run: RunHandle; reached: Promise<unknown> }> {
  const runId = uniqueName('kill-table');
  const { word, deed, args }: Point = CUTS[cut];
  const reached = word
    ? holdAt(line, runId, word)
    : crew.deeds.until((one) => one.runId === runId && one.kind === deed);
  const goal = goalOf({ name, args: { what: 'it', ...args, ...(lose && { lose }) } });
  return { run: await crew.client.start({ goal, requireApproval: 'never' }, { id: runId }), reached };
}

/** Lives a run to its end, with a human who says what is to be said about an unknown outcome. */
function settled(run: RunHandle, human: Human = 'answers'): Promise<Life> {
  const by = 'ann';
  const ways = {
    approves: (callId: string) => run.approve(callId, { by }),
    answers: (callId: string) => run.answer(callId, 'It was found out by hand.', { by }),
    rejects: (callId: string) => run.reject(callId, { by }),
  };
  return untilEnd(crew, run, ({ callId }) => ways[human](callId));
}

function nameOf(row: Row | undefined): string {
  if (!row) return '';
  const [tool, cut, { lose }, human] = row;
  return `${cut}: ${tool}${lose ? `, lost ${lose} its effect` : ''}${human ? `, then a human ${human}` : ''}`;
}

describe('a worker that is killed', () => {
  it.each(TABLE.map((row, index) => [nameOf(row), row, index] as const))('%s', (_name, row, index) => {
    const [tool, , expected] = row;
    const life = lives[index];
    if (!life) throw new Error('All of them have lived.');
    const deeds = crew.deeds.of(life.run.runId);
    expect(deeds.filter(({ kind }) => kind === 'effect')).toHaveLength(expected.effects);
    expect(new Set(deeds.map(({ key }) => key)).size).toBeLessThanOrEqual(1);
    expect(eventsOf(life, 'tool_started')).toHaveLength(expected.starts);
    expect(eventsOf(life, 'outcome_verified').map(({ verdict }) => verdict)).toEqual(expected.verdicts ?? []);
    const kinds = eventsOf(life, 'decision_requested').map(({ kind }) => kind);
    expect(kinds).toEqual(expected.asked ? ['unknown_outcome'] : []);
    expect(eventsOf(life, 'decision_made')).toMatchObject(expected.asked ? [{ by: 'ann' }] : []);
    expect(eventsOf(life, 'tool_completed')).toMatchObject([{ callId: 's0.c0', status: expected.status }]);
    expectVisible(life, { tool, isUnknown: expected.status === 'unknown_outcome' });
    if (expected.status === 'ok') expect(life.toolMessage).toContain(expected.content ?? 'did it');
    expect(life.result.outcome).toBe(expected.outcome ?? 'done');
  });

  it('makes no run send what a provider refuses', () => crew.expectNoRefusals());
});
