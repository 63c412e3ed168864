import type { RunHandle } from '../../../src/client/run-handle.js';
import type { RunEvent } from '../../../src/core/events.js';
import { expectFoldEqualsProgress } from '../../support/fold-equality.js';
import { eventsOf } from './kill-batch.js';
import type { KillCrew } from './kill-crew.js';
import type { Sent } from './kill-life.js';
import type { Deed } from './kill-tools.js';
import { readToolWorks, type ToolWork } from './tool-works.js';

/** What happened in a life, counted. */
export interface Tally {
  onceStarts: number;
  onceEffects: number;
  unknown: number;
  /** Started again without a word to anybody, because it had not begun. */
  begunAgain: number;
  verifications: number;
  asked: number;
  decisions: number;
  executions: number;
}

interface Story {
  events: RunEvent[];
  works: ToolWork[];
  deeds: Deed[];
  sent: Sent[];
}

/** Holds against each other what the tools did, what the server recorded, and what the run knows and has told. */
export async function audit(crew: KillCrew, run: RunHandle, sent: Sent[]): Promise<Tally> {
  const { events, temporalRunIds } = await expectFoldEqualsProgress(crew.temporal, run.runId);
  const works = await readToolWorks(crew.temporal, run.runId);
  const story: Story = { events, works, deeds: crew.deeds.of(run.runId), sent };
  const { unknownOutcomes } = await run.result();
  const told = (await run.transcript()).filter(
    (item) => item.role === 'tool' && item.content.startsWith('{"status":"unknown_outcome"'),
  );
  const completed = eventsOf(story, 'tool_completed');
  const unknownCalls = completed
    .filter(({ status }) => status === 'unknown_outcome')
    .map(({ callId }) => callId);
  expect(unknownOutcomes.map(({ callId }) => callId).sort()).toEqual(unknownCalls.sort());
  expect(told).toHaveLength(unknownCalls.length);
  expect(new Set(completed.map(({ callId }) => callId)).size).toBe(completed.length);
  for (const { callId, tool } of completed) auditCall(story, callId, tool);
  auditDecisions(story);
  return tally(story, temporalRunIds.length);
}

function auditCall({ events, works: all, deeds }: Story, callId: string, tool: string): void {
  const about = events.filter((event) => 'callId' in event && event.callId === callId);
  const of = <T extends RunEvent['type']>(type: T) => eventsOf({ events: about }, type);
  const works = all.filter((work) => work.callId === callId);
  const own = deeds.filter((deed) => deed.callId === callId);
  const started = of('tool_started');
  const [completed] = of('tool_completed');
  const isOnce = tool.startsWith('once');
  expect(new Set(own.map(({ key }) => key)).size).toBeLessThanOrEqual(1);
  // What was called off in the very task that started it has never reached the server.
  const mayLackOne = completed?.status === 'cancelled' || completed?.status === 'unknown_outcome';
  const reached = mayLackOne ? started.slice(0, Math.max(works.length, started.length - 1)) : started;
  expect(works.map(({ key }) => key)).toEqual(reached.map((_, index) => keyOf(callId, index)));
  // What ran is what was shown, or what a human has put in its place.
  for (const { kind, work, what } of own) {
    if (kind !== 'effect') continue;
    const { args } = started.find((_, index) => keyOf(callId, index) === work) ?? {};
    expect({ callId, what }).toEqual({ callId, what: Object(args).what });
  }
  for (const { editedArgs } of of('decision_made'))
    if (editedArgs && works.length > 0) expect(started.map(({ args }) => args)).toContainEqual(editedArgs);
  if (tool === 'once_gated' && works.length > 0) expect(approvals(about, 'decision')).toBe(1);
  if (!isOnce) return;

  const count = (kind: Deed['kind'], key: string) =>
    own.filter((deed) => deed.kind === kind && deed.work === key).length;
  for (const { key, end } of works) {
    const begun = { key, begins: count('begin', key), effects: count('effect', key) };
    expect(begun.begins).toBeLessThanOrEqual(end === 'not begun' ? 0 : 1);
    expect(begun.effects).toBeLessThanOrEqual(begun.begins);
    if (end === 'ok') expect(begun).toEqual({ key, begins: 1, effects: 1 });
  }
  const verdicts = of('outcome_verified').map(({ verdict }) => verdict);
  const asked = of('decision_requested').filter(({ kind }) => kind === 'unknown_outcome').length;
  const listed = of('tool_completed').filter(({ status }) => status === 'unknown_outcome').length;
  const ended = (end: ToolWork['end']) => works.filter((work) => work.end === end).length;
  const reruns = approvals(about, 'unknown_outcome');
  const effects = own.filter(({ kind }) => kind === 'effect').length;
  const notExecuted = verdicts.filter((verdict) => verdict === 'not_executed').length;
  // Never twice unasked, each start has its reason, and nothing unknown goes unseen.
  expect(effects).toBeLessThanOrEqual(1 + reruns);
  expect(works.length).toBeLessThanOrEqual(1 + reruns + ended('not begun') + notExecuted);
  expect(verdicts.length + asked + listed).toBeGreaterThanOrEqual(ended('unknown') + ended('open'));
  if (verdicts.includes('executed')) expect(effects).toBeGreaterThan(0);
}

/** The activity that carries a call out for the n-th time. */
function keyOf(callId: string, index: number): string {
  return index === 0 ? callId : `${callId}.r${index}`;
}

/** How often a call was approved when it waited for a decision of this kind. Standing approvals ask nobody. */
function approvals(about: readonly RunEvent[], kind: 'decision' | 'unknown_outcome'): number {
  let waitsFor = 'decision';
  let sum = 0;
  for (const event of about) {
    if (event.type === 'decision_requested') waitsFor = event.kind;
    if (event.type === 'decision_made' && event.decision === 'approve' && waitsFor === kind) sum += 1;
  }
  return sum;
}

/** What was taken is there once, or the run tells why not; what was refused is not there. */
function auditDecisions({ events, sent }: Story): void {
  const endedAtMs = Date.parse(events.at(-1)?.at ?? '');
  for (const { callId, by, way, answer, answeredAtMs } of sent) {
    const made = eventsOf({ events }, 'decision_made').filter(
      (event) => event.callId === callId && event.by === by,
    );
    // Whoever sends a signal is not told that it comes too late or to nothing; an event says so, as long as the run lasts.
    const isToldOf = eventsOf({ events }, 'control_rejected').some((event) => event.callId === callId);
    const mayBeMissing =
      answer === 'unheard' || (way === 'signal' && (isToldOf || answeredAtMs >= endedAtMs));
    const what = { callId, by, way, answer };
    if (answer === 'refused') expect({ ...what, made: made.length }).toEqual({ ...what, made: 0 });
    else if (mayBeMissing) expect(made.length).toBeLessThanOrEqual(1);
    else expect({ ...what, made: made.length }).toEqual({ ...what, made: 1 });
  }
}

function tally({ events, works, deeds }: Story, executions: number): Tally {
  const tools = new Map(eventsOf({ events }, 'tool_started').map(({ callId, tool }) => [callId, tool]));
  const isOnce = (callId: string) => tools.get(callId)?.startsWith('once') === true;
  const once = works.filter(({ callId }) => isOnce(callId));
  const isLast = (work: ToolWork) => once.filter(({ callId }) => callId === work.callId).at(-1) === work;
  return {
    onceStarts: once.length,
    onceEffects: deeds.filter(({ kind, callId }) => kind === 'effect' && isOnce(callId)).length,
    unknown: once.filter(({ end }) => end === 'unknown' || end === 'open').length,
    begunAgain: once.filter((work) => work.end === 'not begun' && !isLast(work)).length,
    verifications: eventsOf({ events }, 'outcome_verified').length,
    asked: eventsOf({ events }, 'decision_requested').filter(({ kind }) => kind === 'unknown_outcome').length,
    decisions: eventsOf({ events }, 'decision_made').length,
    executions,
  };
}
