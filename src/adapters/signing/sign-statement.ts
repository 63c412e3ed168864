import type { PendingItem } from '../../core/progress.js';
import { statementOf, statementText, type Choice, type Statement } from '../../core/human/statement.js';
import { signBytes } from './ed25519.js';

/**
 * Signs a statement.
 * @param privateKeyPem an Ed25519 key, PKCS#8 in PEM.
 * @returns 64 bytes in base64.
 * @throws AgentError `INPUT_INVALID` when it is no such key
 */
export function signStatement(statement: Statement, privateKeyPem: string): string {
  return signBytes(Buffer.from(statementText(statement)), privateKeyPem);
}

/** A choice about one pending item of a run. */
export interface DecisionToSign extends Choice {
  /** The run that shows the item, and that is told of the decision. */
  runId: string;
  /** As `run.pending()` gives it. */
  item: PendingItem;
}

/**
 * Signs a decision, for `run.approve`, `run.reject` and `run.answer`. The signature holds for exactly this decision: `text` is the note
 * or the answer, and what is signed here must be what is sent.
 * @param privateKeyPem an Ed25519 key as `longhaul keys` makes it, PKCS#8 in PEM.
 * @returns 64 bytes in base64.
 * @throws AgentError `INPUT_INVALID` when it is no such key
 */
export function signDecision({ runId, item, ...choice }: DecisionToSign, privateKeyPem: string): string {
  return signStatement(statementOf(runId, item, choice), privateKeyPem);
}
