import { toIso } from './draft.js';
import type { CallState, RunState, SignedDecision } from './state.js';
import { statementOf, type CheckDecisionInput, type Choice } from './statement.js';

/** The signature of a decision must be checked. */
export interface SignedWork {
  kind: 'judge';
  key: string;
  input: CheckDecisionInput;
  summary: string;
}

/** The signatures that are to be checked. The statement is made of what the run knows itself, as it was shown. */
export function signedWork(state: RunState): SignedWork[] {
  return state.signedDecisions.flatMap((signed) => {
    const call = state.calls.find(({ id }) => id === signed.callId);
    return call ? [judge(state, call, signed)] : [];
  });
}

function judge({ parent, runId }: RunState, call: CallState, signed: SignedDecision): SignedWork {
  const { key, control, requestedAtMs } = signed;
  const choice = choiceOf(control);
  const item = {
    // A human sees the calls of a sub-agent at the run that was started.
    callId: parent ? `${parent.path}/${call.id}` : call.id,
    argsHash: call.plan.gate?.argsHash ?? null,
    requestedAt: toIso(requestedAtMs),
  };
  return {
    kind: 'judge',
    key,
    input: {
      name: call.plan.name,
      statement: statementOf(parent?.rootId ?? runId, item, choice),
      signature: control.signature ?? '',
      ...(choice.args !== undefined && { args: choice.args }),
    },
    summary: `check the signature for ${call.id}`,
  };
}

function choiceOf(control: SignedDecision['control']): Choice {
  if (control.kind === 'answer') return { decision: 'answer', text: control.text };
  const { decision, args, scope, note } = control;
  return {
    decision,
    ...(args !== undefined && { args }),
    ...(scope !== undefined && { scope }),
    ...(note !== undefined && { text: note }),
  };
}
