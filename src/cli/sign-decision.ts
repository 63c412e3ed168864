import { createHash } from 'node:crypto';
import { AgentError } from '../core/errors.js';
import { canonicalJson, type JsonValue } from '../core/json.js';
import { statementOf, type Choice } from '../core/human/statement.js';
import { given } from './command.js';
import type { CliContext, Run } from './context.js';
import { readKeyFile } from './key-file.js';

/** What says who decides: a name, or a signature, and what it was made for. */
export interface SignedParts {
  by?: string;
  signature?: string;
  argsHash?: string;
}

/** Signs choices about pending calls, or puts the user's name to them. */
export interface Signer {
  /** Looks the call up as it is pending now. @throws AgentError `CALL_NOT_PENDING`, `RUN_CLOSED`, `INPUT_INVALID` */
  sign(run: Run, callId: string | undefined, choice: Choice): Promise<SignedParts>;
}

/**
 * Reads the key, so that a wrong one is known before anything is asked of the run.
 * @param keyFile `undefined`: decisions are not signed.
 * @throws AgentError `INPUT_INVALID` when the key cannot be read
 */
export function openSigner(context: CliContext, keyFile: string | undefined): Signer {
  const { userName: by } = context;
  if (keyFile === undefined) return { sign: async () => given<SignedParts>({ by }) };
  const pem = readKeyFile(keyFile, (text) => void context.stderr.write(`warning: ${text}\n`));
  return {
    async sign(run, callId, choice) {
      const { runId, pending, status } = await run.progress();
      const item = pending.find((one) => one.callId === callId);
      if (item) {
        const { argsHash } = item;
        // Somebody else may have told the run what a sub-agent asks; nobody signs for other arguments than those shown.
        if (argsHash !== null && argsHash !== hashOf(item.args))
          throw new AgentError(
            'ARGS_HASH_MISMATCH',
            `The arguments shown for ${item.callId} are not those that would run. Do not approve it; see what the sub-agent itself says: longhaul list --all`,
          );
        const signature = context.signing.sign(statementOf(runId, item, choice), pem);
        // Runs take answers to questions from anybody, signed or not, so the record needs a name too.
        const named = choice.decision === 'answer' && item.kind === 'question' && given<SignedParts>({ by });
        return { ...named, signature, ...(argsHash !== null && { argsHash }) };
      }
      // Sent without a signature it might be taken all the same, by a run that asks for none.
      if (status === 'closed')
        throw new AgentError('RUN_CLOSED', `The run ${runId} has ended. See how: longhaul show ${runId}`);
      throw new AgentError(
        'CALL_NOT_PENDING',
        `${callId ?? 'No call'} ${callId === undefined ? 'waits for this' : 'is not pending'}, so there is nothing to sign. See what is: longhaul pending ${runId}`,
      );
    },
  };
}

/** As the worker that judged the call has made it. */
function hashOf(args: JsonValue): string {
  return `sha256:${createHash('sha256').update(canonicalJson(args)).digest('hex')}`;
}
