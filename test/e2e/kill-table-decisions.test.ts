import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import { signDecision } from '../../src/adapters/signing/sign-statement.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { PendingItem } from '../../src/core/progress.js';
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

const ada = generateApproverKey('Ada');
const EDITED = { what: 'the other' };

/** A decision, and what must come of it. */
interface Choice {
  decision: { decision: 'approve' | 'reject'; args?: typeof EDITED; scope?: 'run' };
  signed?: true;
  /** The call is lost before its effect, and the decision is about that. */
  lost?: true;
  /** It is about both calls of the step. */
  both?: true;
  /** What is done. */
  done: string[];
  /** How many calls of effect `once` it starts. */
  starts: number;
}

const approve = { decision: 'approve' } as const;
const edit = { ...approve, args: EDITED };

const CHOICES = {
  approves: { decision: approve, done: ['it', 'that'], starts: 1 },
  rejects: { decision: { decision: 'reject' }, done: ['that'], starts: 0 },
  'approves for the run': {
    decision: { ...approve, scope: 'run' },
    both: true,
    done: ['it', 'that'],
    starts: 2,
  },
  'approves with other arguments': { decision: edit, done: ['the other', 'that'], starts: 1 },
  'approves with a signature': { decision: approve, signed: true, done: ['it', 'that'], starts: 1 },
  'approves other arguments with a signature': {
    decision: edit,
    signed: true,
    done: ['the other', 'that'],
    starts: 1,
  },
  'lets a lost call run again': { decision: approve, lost: true, done: ['it', 'that'], starts: 1 },
} satisfies Record<string, Choice>;

/** Where the worker is killed: when it is at a word, or when that has passed, and the first word of `nextAt` is there. */
interface Cut {
  at?: Where;
  nextAt?: readonly [Where, ...Where[]];
}

const TASK: Where = { activity: null, kind: 'task' };
const END: Where = { activity: null, kind: 'end', isAnswered: false };
const HEARD: Where = { ...END, isAnswered: true };
/** The run has taken the decision, but the call that it starts then is lost on its way: nobody hears whether it began. */
const TOLD = 'after it has told what it made of it';

const ANY: Record<string, Cut> = {
  'before the decision comes': {},
  'before it takes the decision up': { at: TASK },
  'before it has told what it made of it': { at: END },
  [TOLD]: {
    at: END,
    nextAt: [HEARD, { activity: 'runTool', kind: 'task' }, { activity: 'runTool', kind: 'task' }],
  },
};
const whileChecking = (activity: string, what: string): Record<string, Cut> => ({
  [`before it checks the ${what}`]: { at: { activity, kind: 'task' } },
  [`before it has told how the ${what} is`]: { at: { activity, kind: 'end', isAnswered: false } },
  [`after it has told how the ${what} is`]: {
    at: { activity, kind: 'end', isAnswered: false },
    nextAt: [TASK],
  },
});
const EDIT = whileChecking('checkArgs', 'edit');
const SIGNATURE = whileChecking('checkDecision', 'signature');

type Way = 'signal' | 'update';
type Row = [choice: keyof typeof CHOICES, way: Way, name: string, cut: Cut];

const rows = (choice: Row[0], cuts: Record<string, Cut>): Row[] =>
  (['signal', 'update'] as const).flatMap((way) =>
    Object.entries(cuts).map(([name, cut]): Row => [choice, way, name, cut]),
  );

const TABLE: Row[] = [
  ...rows('approves', ANY),
  ...rows('rejects', ANY),
  ...rows('approves for the run', ANY),
  ...rows('lets a lost call run again', ANY),
  ...rows('approves with other arguments', { ...ANY, ...EDIT }),
  ...rows('approves with a signature', { ...ANY, ...SIGNATURE }),
  ...rows('approves other arguments with a signature', SIGNATURE),
];

/** Checks are given up by the server after a minute. */
const PHASE_MS = 90_000;
const LONGEST_MS = 4 * PHASE_MS;

const server = useTemporalServer();
const lives: Life[] = [];
const answers: unknown[] = [];
let crew: KillCrew;

beforeAll(async () => {
  crew = await openCrew(server, { script: allAtOnce(TABLE.length) });
  const worker = await crew.startProcess();
  const each = <T>(promises: Promise<T>[]) =>
    allWithin(
      PHASE_MS,
      promises.map((promise, index) => [nameOf(TABLE[index]), promise] as const),
    );
  const waiting = await each(TABLE.map(startWaiting));
  const sent = await each(TABLE.map((row, index) => sendTowards(worker, row, waiting[index])));
  await worker.process.kill9();
  const accepted = each(sent.map(({ accepted }) => accepted()));
  await crew.startProcess();
  answers.push(...(await accepted));
  lives.push(...(await each(waiting.map(({ run }, index) => settled(run, TABLE[index])))));
}, LONGEST_MS);

afterAll(() => crew.close());

function nameOf(row: Row | undefined): string {
  return row ? `${row[2]}: by ${row[1]}, ${row[0]}` : '';
}

/** Lives a run to its end; what was lost is allowed to run again. */
function settled(run: RunHandle, row: Row | undefined): Promise<Life> {
  const isSigned =
    row && ['approves with a signature', 'approves other arguments with a signature'].includes(row[0]);
  const choice = isSigned ? 'approves with a signature' : 'approves';
  return untilEnd(crew, run, (item) => send({ run, item }, { choice, way: 'update' }));
}

/** A run with two calls, of which the first waits for a decision; the second has ended, or waits for the same one. */
async function startWaiting([choice]: Row): Promise<Waiting> {
  const { lost, signed, both }: Choice = CHOICES[choice];
  const first = lost
    ? { name: 'once_ask', args: { what: 'it', lose: 'before' } }
    : { name: 'once_gated', args: { what: 'it' } };
  const second = { name: both ? 'once_gated' : 'read', args: { what: 'that' } };
  const run = await crew.client.start(
    { goal: goalOf(first, second), ...(signed && { approvers: [ada.approver] }) },
    { id: uniqueName('kill-decides') },
  );
  await Promise.all([
    untilEvent(run, 'decision_requested', ({ callId }) => callId === 's0.c0'),
    both ?? untilEvent(run, 'tool_completed', ({ callId }) => callId === 's0.c1'),
  ]);
  const [item] = await run.pending();
  if (!item) throw new Error('The call is pending.');
  return { run, item };
}

interface Waiting {
  run: RunHandle;
  item: PendingItem;
}

/** Sends the decision and waits until the worker is where it is to be killed; or does not send it yet. */
async function sendTowards(
  { line }: CrewWorker,
  [choice, way, , { at, nextAt }]: Row,
  waiting: Waiting | undefined,
): Promise<{ accepted: () => Promise<unknown> }> {
  if (!waiting) throw new Error('All of them were started.');
  if (!at) return { accepted: () => send(waiting, { choice, way }) };
  const { runId } = waiting.run;
  const first = holdAt(line, runId, at);
  const sending = send(waiting, { choice, way });
  // Heard below, but not at once.
  sending.catch(() => undefined);
  const held = await first;
  if (nextAt) {
    const [next] = nextAt.map((where) => holdAt(line, runId, where));
    held.release();
    await next;
  }
  return { accepted: () => sending };
}

function send({ run, item }: Waiting, { choice, way }: { choice: Row[0]; way: Way }): Promise<unknown> {
  const { signed, decision }: Choice = CHOICES[choice];
  const by = signed
    ? { signature: signDecision({ runId: run.runId, item, ...decision }, ada.privateKeyPem) }
    : { by: 'ann' };
  const args: [object] = [{ callId: item.callId, ...decision, ...by }];
  const handle = crew.temporal.workflow.getHandle(run.runId);
  return way === 'signal' ? handle.signal('decide', ...args) : handle.executeUpdate('decide', { args });
}

describe('a human decides, and the worker is killed', () => {
  it.each(TABLE.map((row, index) => [nameOf(row), row, index] as const))('%s', (_name, row, index) => {
    const [choice, way, cut] = row;
    const life = lives[index];
    if (!life) throw new Error('All of them have lived.');
    const { decision, done, starts, signed, lost, both }: Choice = CHOICES[choice];
    const effects = crew.deeds.of(life.run.runId, 'effect').map(({ what }) => what);
    expect(effects.sort()).toEqual([...done].sort());
    const startsAtOnce = !signed && decision.args === undefined;
    const lostNow = cut === TOLD && startsAtOnce ? starts : 0;
    const asked = eventsOf(life, 'decision_requested').filter(({ kind }) => kind === 'unknown_outcome');
    expect(asked).toHaveLength((lost ? 1 : 0) + lostNow);
    const made = eventsOf(life, 'decision_made');
    expect(made).toHaveLength((both ? 2 : 1) + lostNow);
    expect(made[0]).toMatchObject({
      callId: 's0.c0',
      decision: decision.decision,
      by: expect.stringContaining(signed ? 'Ada' : 'ann'),
      editedArgs: decision.args ?? null,
    });
    const started = eventsOf(life, 'tool_started').filter(({ tool }) => tool !== 'read');
    expect(started).toHaveLength((lost ? 1 : 0) + starts + lostNow);
    expect(eventsOf(life, 'control_rejected')).toEqual([]);
    if (way === 'update') expect(answers[index]).toMatchObject({ accepted: true });
    expect(life.result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
  });
});
