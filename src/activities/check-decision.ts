import { approverId } from '../core/human/approvers.js';
import { canonicalJson } from '../core/json.js';
import { statementText, type CheckDecisionInput, type DecisionVerdict } from '../core/human/statement.js';
import type { ToolRegistry } from '../ports/tools.js';
import { queryCurrentRun, reporting } from './activity-run.js';
import { checkEditedArgs } from './check-args.js';
import { isSignature, signerOf } from './verify-signature.js';

/** Makes the activity that checks a signed decision: who signed it, and whether edited arguments fit. */
export function createCheckDecision({
  tools,
}: {
  tools: ToolRegistry;
}): (input: CheckDecisionInput) => Promise<DecisionVerdict> {
  return (input) =>
    reporting(async () => {
      const { input: runInput, prepared } = await queryCurrentRun().settings();
      const { approvers = [] } = runInput;
      const { statement, signature, name, args } = input;
      if (!coversArgs(input)) return invalid('The signature was made for other arguments than those sent.');
      const signer = signerOf(Buffer.from(statementText(statement)), signature, approvers);
      if (!signer) return invalid(whyNobody(signature, approvers.length));
      const approver = approverId(signer);
      if (args === undefined) return { ok: true, approver };
      const check = checkEditedArgs(tools, { name, args }, prepared?.tools ?? []);
      if (!check.ok) return { ok: false, code: 'ARGS_INVALID', message: check.message };
      const { ok: _, ...edit } = check;
      return { ok: true, approver, edit };
    });
}

/** What would run is what was signed. */
function coversArgs({ statement, args }: CheckDecisionInput): boolean {
  if (args === undefined || statement.args === undefined) return args === statement.args;
  return canonicalJson(args) === canonicalJson(statement.args);
}

function invalid(message: string): DecisionVerdict {
  return { ok: false, code: 'SIGNATURE_INVALID', message };
}

function whyNobody(signature: string, approvers: number): string {
  if (approvers === 0)
    return 'This run has no approvers, so nobody can sign for it. Decide without a signature.';
  if (!isSignature(signature)) return 'The signature is not 64 bytes in base64. Sign with `--sign KEYFILE`.';
  return 'None of the approvers has signed this. Sign the decision as it is pending now, for this run, call, arguments and note, with the key of an approver.';
}
