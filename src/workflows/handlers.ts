import { ApplicationFailure } from '@temporalio/common';
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { CONTROL_NAMES, HANDLERS, QUERIES } from '../contract/names.js';
import type { RunSettings, TranscriptPage, TranscriptQuery } from '../contract/queries.js';
import { checkControl } from '../core/controls-check.js';
import type { ControlName } from '../core/controls.js';
import type { Progress } from '../core/progress.js';
import type { RunState } from '../core/state.js';
import { EMPTY_HASH, hashItems } from '../core/transcript.js';
import { view } from '../core/view.js';

/** What handlers may do to a run. */
export interface RunAccess {
  state(): RunState;
  control(name: ControlName, payload: unknown): void;
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
  for (const name of CONTROL_NAMES) {
    const { description, kinds } = HANDLERS[name];
    setHandler(defineSignal<[unknown?]>(name), (payload) => run.control(name, payload), { description });
    if (kinds === 'both') handleUpdate(run, name, description);
  }
}

/** An update answers with a typed error before anything is written, or once the control is carried out. */
function handleUpdate(run: RunAccess, name: ControlName, description: string): void {
  setHandler(
    defineUpdate<{ accepted: true }, [unknown]>(name),
    async (payload) => {
      const { callId } = pendingCheck(run.state(), name, payload);
      run.control(name, payload);
      if (callId !== null) await checkedArgs(run, callId);
      return { accepted: true };
    },
    {
      description,
      validator: (payload) => {
        const checked = checkControl(run.state(), name, payload);
        if ('refusal' in checked) throw refusal(checked.refusal.code, checked.refusal.message);
      },
    },
  );
}

/** The call whose edited arguments a control asks to check. */
function pendingCheck(state: RunState, name: ControlName, payload: unknown): { callId: string | null } {
  const checked = checkControl(state, name, payload);
  if (!('control' in checked) || checked.control.kind !== 'decide' || checked.control.args === undefined)
    return { callId: null };
  const { callId } = checked.control;
  return { callId: callId ?? state.calls.find((call) => call.status === 'gated')?.id ?? null };
}

/** Waits until edited arguments are checked; they fit when the call does not wait for a decision any more. */
async function checkedArgs(run: RunAccess, callId: string): Promise<void> {
  const call = () => run.state().calls.find((one) => one.id === callId);
  await condition(() => call()?.status !== 'checking');
  const { status, editProblem } = call() ?? {};
  if (status === 'gated')
    throw refusal(
      'ARGS_INVALID',
      `The arguments do not fit the tool, so ${callId} waits on: ${editProblem ?? ''}`,
    );
}

function refusal(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
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
