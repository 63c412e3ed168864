import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import { signDecision } from '../../src/adapters/signing/sign-statement.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import type { PendingItem } from '../../src/core/progress.js';
import { untilEvent } from '../support/run-support.js';
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
}

const approve = { decision: 'approve' } as const;
const edit = { ...approve, args: EDITED };

const CHOICES = {
  approves: { decision: approve, done: ['it', 'that'] },
  rejects: { decision: { decision: 'reject' }, done: ['that'] },
  'approves for the run': { decision: { ...approve, scope: 'run' }, both: true, done: ['it', 'that'] },
  'approves with other arguments': { decision: edit, done: ['the other', 'that'] },
  'approves with a signature': { decision: approve, signed: true, done: ['it', 'that'] },
  'approves other arguments with a signature': { decision: edit, signed: true, done: ['the other', 'that'] },
  'lets a lost call run again': { decision: approve, lost: true, done: ['it', 'that'] },
} satisfies Record<string, Choice>;

/** Where the worker is killed. */
const ANY = {
  'before the decision comes': null,
  'before it takes the decision up': { activity: null, kind: 'task' },
  'before it has told what it made of it': { activity: null, kind: 'end', isAnswered: false },
  'after it has told what it made of it': { activity: null, kind: 'end', isAnswered: true },
} as const satisfies Record<string, Where | null>;
const OF_ARGS = {
  'before it checks the arguments': { activity: 'checkArgs', kind: 'task' },
  'before it has told how the arguments are': { activity: 'checkArgs', kind: 'end', isAnswered: false },
  'after it has told how the arguments are': { activity: 'checkArgs', kind: 'end', isAnswered: true },
} as const satisfies Record<string, Where>;
const OF_SIGNATURE = {
  'before it checks the signature': { activity: 'checkDecision', kind: 'task' },
  'before it has told how the signature is': { activity: 'checkDecision', kind: 'end', isAnswered: false },
  'after it has told how the signature is': { activity: 'checkDecision', kind: 'end', isAnswered: true },
} as const satisfies Record<string, Where>;

type Way = 'signal' | 'update';
type Row = [choice: keyof typeof CHOICES, way: Way, cut: string, where: Where | null];

const rows = (choice: Row[0], where: Record<string, Where | null>): Row[] =>
  (['signal', 'update'] as const).flatMap((way) =>
    Object.entries(where).map(([cut, at]): Row => [choice, way, cut, at]),
  );

const TABLE: Row[] = [
  ...rows('approves', ANY),
  ...rows('rejects', ANY),
  ...rows('approves for the run', ANY),
  ...rows('lets a lost call run again', ANY),
  ...rows('approves with other arguments', { ...ANY, ...OF_ARGS }),
  ...rows('approves with a signature', { ...ANY, ...OF_SIGNATURE }),
  ...rows('approves other arguments with a signature', OF_SIGNATURE),
];

/** Checks are given up by the server after a minute. */
const LONGEST_MS = 200_000;

const server = useTemporalServer();
const lives: Life[] = [];
const answers: unknown[] = [];
let crew: KillCrew;

beforeAll(async () => {
  crew = await openCrew(server, { script: allAtOnce(TABLE.length) });
  const worker = await crew.startProcess();
  const runs = await Promise.all(TABLE.map((row) => startWaiting(row)));
  const sent = await Promise.all(TABLE.map((row, index) => sendTowards(worker, row, runs[index])));
  await worker.process.kill9();
  const accepted = Promise.all(sent.map(({ accepted }) => accepted()));
  await crew.startProcess();
  answers.push(...(await accepted));
  lives.push(...(await Promise.all(runs.map(({ run }) => untilEnd(crew, run, null)))));
}, LONGEST_MS);

afterAll(() => crew.close());

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
  [choice, way, , where]: Row,
  waiting: Waiting | undefined,
): Promise<{ accepted: () => Promise<unknown> }> {
  if (!waiting) throw new Error('All of them were started.');
  if (!where) return { accepted: () => send(waiting, { choice, way }) };
  const reached = holdAt(line, waiting.run.runId, where);
  const sending = send(waiting, { choice, way });
  // Heard below, but not at once.
  sending.catch(() => undefined);
  await reached;
  return { accepted: () => sending };
}

function send({ run, item }: Waiting, { choice, way }: { choice: Row[0]; way: Way }): Promise<unknown> {
  const { signed, decision }: Choice = CHOICES[choice];
  const by = signed
    ? { signature: signDecision({ runId: run.runId, item, ...decision }, ada.privateKeyPem) }
    : { by: 'ann' };
  const args: [object] = [{ callId: 's0.c0', ...decision, ...by }];
  const handle = crew.temporal.workflow.getHandle(run.runId);
  return way === 'signal' ? handle.signal('decide', ...args) : handle.executeUpdate('decide', { args });
}

describe('a human decides, and the worker is killed', () => {
  it.each(TABLE.map(([choice, way, cut], index) => ({ choice, way, cut, index })))(
    '$cut: by $way, $choice',
    ({ choice, way, index }) => {
      const life = lives[index];
      if (!life) throw new Error('All of them have lived.');
      const { decision, done, signed, lost, both }: Choice = CHOICES[choice];
      const effects = crew.deeds.of(life.run.runId, 'effect').map(({ what }) => what);
      expect(effects.sort()).toEqual([...done].sort());
      const made = eventsOf(life, 'decision_made');
      expect(made).toHaveLength(both ? 2 : 1);
      expect(made[0]).toMatchObject({
        callId: 's0.c0',
        decision: decision.decision,
        by: expect.stringContaining(signed ? 'Ada' : 'ann'),
        editedArgs: decision.args ?? null,
      });
      const started = eventsOf(life, 'tool_started').filter(({ callId }) => callId === 's0.c0');
      expect(started).toHaveLength(decision.decision === 'reject' ? 0 : lost ? 2 : 1);
      expect(eventsOf(life, 'control_rejected')).toEqual([]);
      if (way === 'update') expect(answers[index]).toMatchObject({ accepted: true });
      expect(life.result).toMatchObject({ outcome: 'done', unknownOutcomes: [] });
    },
  );
});
