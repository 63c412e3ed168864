import { AgentError } from '../core/errors.js';
import { statementOf, type Choice } from '../core/statement.js';
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
