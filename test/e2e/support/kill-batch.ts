import type { RunHandle } from '../../../src/client/run-handle.js';
import type { RunEvent } from '../../../src/core/events.js';
import type { PendingItem, RunResult } from '../../../src/core/progress.js';
import type { Script } from '../../../src/testing/stand-in/script.js';
import { textOf } from '../../../src/testing/transcript-rules.js';
import { expectFoldEqualsProgress } from '../../support/fold-equality.js';
import type { KillCrew } from './kill-crew.js';
import type { Held, Line, Word } from './line.js';

/** Runs of this kind name in their goal, as JSON, the calls that their first step asks for. The second step answers. */
export function goalOf(...calls: { name: string; args?: object }[]): string {
  return JSON.stringify(calls);
}

/** A worker asks for no more than 64 answers at a time of a model that it does not know yet. */
const MOST_AT_ONCE = 48;

/**
 * The model of such runs. None gets its first step before so many of them have asked for it, so that all are under way when one worker
 * is killed, and none waits long for the kill.
 */
export function allAtOnce(runs: number): Script {
  let waiting = 0;
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  return async (request, { stepIndex }) => {
    if (stepIndex > 0 || request.tool_choice === 'none') return { text: 'Done.' };
    waiting += 1;
    if (waiting === Math.min(runs, MOST_AT_ONCE)) open();
    await gate;
    const goal = request.messages.find(({ role }) => role === 'user');
    return { toolCalls: JSON.parse(goal ? textOf(goal) : '') };
  };
}

/** Which word of a run is meant; `activity` is its type, `null` stands for workflow tasks. */
export type Where = Partial<Omit<Word, 'activity'>> & { activity: string | null };

/** Holds a word of a run on its way. */
export function holdAt(line: Line, runId: string, { activity, ...part }: Where): Promise<Held> {
  return line.hold(
    (word) =>
      word.runId === runId &&
      (word.activity?.type ?? null) === activity &&
      Object.entries(part).every(([key, value]) => Object(word)[key] === value),
  );
}

/** How a run went. */
export interface Life {
  run: RunHandle;
  result: RunResult;
  events: RunEvent[];
  /** What the model was told of the first call. */
  toolMessage: string;
}

/** Settles each unknown outcome that comes up, waits for the end, and holds history equal to what the workflow says. */
export async function untilEnd(
  crew: KillCrew,
  run: RunHandle,
  settle: (item: PendingItem) => Promise<unknown> = ({ callId }) => run.answer(callId, 'It is as it is.'),
): Promise<Life> {
  for await (const event of run.events())
    if (event.type === 'decision_requested' && event.kind === 'unknown_outcome')
      for (const item of await run.pending())
        if (item.kind === event.kind && item.callId === event.callId) await settle(item);
  const { events } = await expectFoldEqualsProgress(crew.temporal, run.runId);
  const toolMessage = (await run.transcript()).find(({ role }) => role === 'tool')?.content ?? '';
  return { run, result: await run.result(), events, toolMessage };
}

/** The events of one type. */
export function eventsOf<T extends RunEvent['type']>(
  { events }: Pick<Life, 'events'>,
  type: T,
): Extract<RunEvent, { type: T }>[] {
  return events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
}

/** Holds what must be true of a call whose outcome stayed unknown, or did not: result, event and transcript say the same. */
export function expectVisible(life: Life, { isUnknown, tool }: { isUnknown: boolean; tool: string }): void {
  expect(life.result.unknownOutcomes).toEqual(isUnknown ? [{ callId: 's0.c0', tool }] : []);
  const [completed, ...more] = eventsOf(life, 'tool_completed');
  expect(more).toEqual([]);
  expect(completed?.status === 'unknown_outcome').toBe(isUnknown);
  expect(life.toolMessage.startsWith('{"status":"unknown_outcome"')).toBe(isUnknown);
}

/** Waits for all; when some are not there in time, their names are the error. */
export async function allWithin<T>(
  waitMs: number,
  named: readonly (readonly [name: string, promise: Promise<T>])[],
): Promise<T[]> {
  const left = new Set(named.map(([name]) => name));
  const all = named.map(([name, promise]) => promise.finally(() => left.delete(name)));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not there in time:\n${[...left].join('\n')}`)), waitMs);
  });
  return Promise.race([Promise.all(all), late]).finally(() => clearTimeout(timer));
}
