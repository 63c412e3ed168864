/** How a call that was let through went. `limited`: the server refused it for the rate; it may have said when to come back. */
export type PermitEnd = { kind: 'ok' } | { kind: 'failed' } | { kind: 'limited'; retryAfterMs?: number };

/** Leave to make one call. Exactly one `end` belongs to each. */
export interface Permit {
  end(how: PermitEnd): void;
}

/** Shares what one key may ask of one model among all runs, so that they neither stampede nor starve. */
export interface Governor {
  /**
   * Waits for leave to make a call, first come first served.
   * @throws the reason of `signal` when it aborts while waiting
   */
  admit(model: string, signal: AbortSignal): Promise<Permit>;
}
