/** What goes with a decision. */
export interface DecisionOptions {
  /** Kept with the decision; with a no, the model reads it. */
  note?: string;
  /** Who decides. Where decisions are signed, the signature says it. */
  by?: string;
  /** Of the arguments as they were shown: others are not decided on. */
  argsHash?: string;
  /** Ed25519, 64 bytes in base64, see `signDecision`. */
  signature?: string;
}
