import { ApplicationFailure } from '@temporalio/common';
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { CONTROL_NAMES, HANDLERS, QUERIES } from '../contract/names.js';
import type { RunSettings, TranscriptPage, TranscriptQuery } from '../contract/queries.js';
import { checkControl, readControl } from '../core/human/controls-check.js';
import type { ControlName } from '../core/human/controls.js';
import type { RunEvent } from '../core/events.js';
import type { Progress } from '../core/progress.js';
import { ERROR_CODES, isErrorCode } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import { receiptOf, type ControlReceipt } from '../core/human/receipt.js';
import { answerTo, errandOf } from '../core/human/relays.js';
import type { RunState } from '../core/state.js';
import { EMPTY_HASH, hashItems } from '../core/transcript.js';
import { view } from '../core/view.js';

/** What handlers may do to a run. */
export interface RunAccess {
  state(): RunState;
  /** @returns the durable events that it brought */
  control(name: ControlName, payload: unknown): RunEvent[];
}

/** Makes the run answer queries, signals and updates. Before the first await, so that none is missed. */
export function handleMessages(run: RunAccess): void {
  setHandler(defineQuery<Progress>(QUERIES.progress), () => view(run.state()), {
    description: 'The state of the run: spend, step, what is pending, the result.',
  });
  setHandler(
    defineQuery<TranscriptPage, [TranscriptQuery?]>(QUERIES.transcript),
    (query) => page(run.state(), query ?? {}),
    {
      description: 'The messages that the model sees, in pages: {"fromVersion":0,"maxBytes":1000000}.',
    },
  );
  setHandler(defineQuery<RunSettings>(QUERIES.settings), () => settings(run.state()), {
    description: 'For the activities of the run.',
  });
  setHandler(
    defineQuery<string | null, [string]>(QUERIES.call),
    (callId) => run.state().calls.find((call) => call.id === callId)?.args ?? null,
    { description: 'For the activities of the run: the arguments of an open call.' },
  );
  setHandler(defineQuery<JsonObject>(QUERIES.shared), () => run.state().shared, {
    description: 'The values that the tools of the run share.',
  });
  for (const name of CONTROL_NAMES) {
    const { description, kinds } = HANDLERS[name];
    setHandler(defineSignal<[unknown?]>(name), (payload) => void run.control(name, payload), { description });
    if (kinds === 'both') handleUpdate(run, name, description);
  }
}

/** An update answers with a typed error before anything is written, or once the control is carried out. */
function handleUpdate(run: RunAccess, name: ControlName, description: string): void {
  setHandler(
    defineUpdate<ControlReceipt, [unknown]>(name),
    async (payload) => {
      const before = run.state();
      const rejected = run.control(name, payload).find((event) => event.type === 'control_rejected');
      // A deadline that had passed by then came first.
      if (rejected) throw refusal(rejected);
      const underWay = carriedOut(run, before, { name, payload });
      // Even an await of nothing would move the update's completion behind other commands, which no recorded history fits.
      if (underWay) await underWay;
      return { accepted: true, ...receiptOf(before, run.state(), payload) };
    },
    {
      description,
      validator: (payload) => {
        const checked = checkControl(run.state(), name, payload);
        if ('refusal' in checked) throw refusal(checked.refusal);
      },
    },
  );
}

/** What a decision needs yet: a check of its arguments or of its signature, or the word of a sub-agent. `null`: nothing. */
function carriedOut(
  run: RunAccess,
  before: RunState,
  { name, payload }: { name: ControlName; payload: unknown },
): Promise<void> | null {
  const read = readControl(name, payload);
  if (!('control' in read) || (read.control.kind !== 'decide' && read.control.kind !== 'answer')) return null;
  const { callId = onlyPending(before) } = read.control;
  const call = () => run.state().calls.find((one) => one.id === callId);
  const now = call();
  if (now?.status === 'checking') return checkedArgs(run, now.id);
  const key = errandOf(before, run.state());
  return key === null ? null : errandDone(run, key);
}

async function errandDone(run: RunAccess, key: string): Promise<void> {
  await condition(() => answerTo(run.state(), key) !== null || isOver(run.state()));
  const answered = answerTo(run.state(), key);
  if (!answered) throw refusal({ code: 'RUN_CLOSED', message: 'The run ended before this was carried out.' });
  if (answered.refusal) throw refusal(answered.refusal);
}

function isOver({ phase }: RunState): boolean {
  return phase === 'settling' || phase === 'closed';
}

/** The call that is meant when none is named. */
function onlyPending(state: RunState): string | undefined {
  return state.calls.find((call) => call.status === 'gated')?.id;
}

/** Waits until edited arguments are checked; they fit when the call does not wait for a decision on them any more. */
async function checkedArgs(run: RunAccess, callId: string): Promise<void> {
  const call = () => run.state().calls.find(({ id }) => id === callId);
  await condition(() => call()?.status !== 'checking');
  const { status, editProblem } = call() ?? {};
  if (status === 'gated' && editProblem !== undefined)
    throw refusal({
      code: 'ARGS_INVALID',
      message: `The arguments do not fit the tool, so ${callId} waits on: ${editProblem}`,
    });
  if (status !== 'gated' && !run.state().decidedCallIds.includes(callId))
    throw refusal({
      code: 'CALL_NOT_PENDING',
      message: `${callId} ended before its edited arguments were checked.`,
    });
}

function refusal({ code, message }: { code: string; message: string }): ApplicationFailure {
  const failure = ApplicationFailure.create({ type: code, message, nonRetryable: true });
  // Temporal's Web UI shows the message and this; of a stack nobody who decides has any use.
  failure.stack = `${code}. ${isErrorCode(code) ? ERROR_CODES[code].hint : ''}`;
  return failure;
}

function settings(state: RunState): RunSettings {
  const { runId, firstRunId, input, prepared } = state;
  return { runId, firstRunId, input, prepared };
}

function page(state: RunState, query: TranscriptQuery): TranscriptPage {
  // A query may come from anywhere; what means nothing counts as left out.
  const { fromVersion: from, maxBytes: most } = query;
  const fromVersion = typeof from === 'number' && from > 0 ? Math.floor(from) : 0;
  const maxBytes = typeof most === 'number' && most > 0 ? most : 1_000_000;
  const { transcript } = state;
  let end = fromVersion;
  let bytes = 0;
  while (end < transcript.length && (end === fromVersion || bytes < maxBytes)) {
    bytes += JSON.stringify(transcript[end]).length;
    end += 1;
  }
  const hash =
    end === transcript.length ? state.transcriptHash : hashItems(EMPTY_HASH, transcript.slice(0, end));
  return { version: transcript.length, items: transcript.slice(fromVersion, end), hash };
}
