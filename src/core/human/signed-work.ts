import { toIso } from '../draft.js';
import type { RunState, SignedDecision } from '../state.js';
import { statementOf, type CheckDecisionInput, type Choice } from './statement.js';

/** The signature of a decision must be checked. */
export interface SignedWork {
  kind: 'judge';
  key: string;
  input: CheckDecisionInput;
  summary: string;
}

/** The signatures that are to be checked. The statement is made of what the run knew itself, as it was shown. */
export function signedWork(state: RunState): SignedWork[] {
  return state.signedDecisions.map((signed) => judge(state, signed));
}

function judge({ parent, runId }: RunState, signed: SignedDecision): SignedWork {
  const { key, callId, tool, argsHash, control, requestedAtMs } = signed;
  const choice = choiceOf(control);
  const item = {
    // A human sees the calls of a sub-agent at the run that was started.
    callId: parent ? `${parent.path}/${callId}` : callId,
    argsHash,
    requestedAt: toIso(requestedAtMs),
  };
  return {
    kind: 'judge',
    key,
    input: {
      name: tool,
      statement: statementOf(parent?.rootId ?? runId, item, choice),
      signature: control.signature ?? '',
      ...(choice.args !== undefined && { args: choice.args }),
    },
    summary: `check the signature for ${callId}`,
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
