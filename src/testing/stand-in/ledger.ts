/** What one generation cost in truth, whatever the client was told. */
export interface LedgerEntry {
  /** Generation id, the one of `X-Generation-Id`. */
  id: string;
  /** When the request came in, ISO. */
  at: string;
  /** SHA-256 of the request body without insignificant whitespace, in hex. */
  bodyHash: string;
  model: string;
  metadata: Record<string, string>;
  promptTokens: number;
  /** Tokens written so far; final when `open` is false. */
  completionTokens: number;
  /** What the account pays, a BYOK bill upstream included. */
  costNanoUsd: number;
  /** The generation is still under way. */
  open: boolean;
  /** The whole answer went out. */
  completed: boolean;
  /** The client hung up first. */
  cancelled: boolean;
  /** Replayed from the response cache, for nothing. */
  cached: boolean;
  /** The generation that a cached answer comes from. */
  cacheSourceId: string | null;
  /** Which request of its run, step and purpose this was, from 1. */
  attempt: number;
  streamed: boolean;
  finishReason: string | null;
}

/** What is known of a generation when it begins. */
export type LedgerOpening = Pick<
  LedgerEntry,
  | 'id'
  | 'at'
  | 'bodyHash'
  | 'model'
  | 'metadata'
  | 'promptTokens'
  | 'costNanoUsd'
  | 'cached'
  | 'cacheSourceId'
  | 'attempt'
  | 'streamed'
>;

/** The bills of all generations, in the order in which they began. Never forgets while the server runs. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #owners = new Map<string, string>();

  /** Begins a bill for the holder of a key. The entry returned is live: change it as the generation goes on. */
  open(apiKey: string, opening: LedgerOpening): LedgerEntry {
    const entry: LedgerEntry = {
      ...opening,
      completionTokens: 0,
      open: true,
      completed: false,
      cancelled: false,
      finishReason: null,
    };
    this.#entries.set(entry.id, entry);
    this.#owners.set(entry.id, apiKey);
    return entry;
  }

  get(id: string): LedgerEntry | undefined {
    return this.#entries.get(id);
  }

  /** A copy of all entries. */
  list(): LedgerEntry[] {
    return [...this.#entries.values()].map((entry) => ({ ...entry, metadata: { ...entry.metadata } }));
  }

  /** What all generations of a key cost so far. */
  spentNanoUsd(apiKey: string): number {
    return [...this.#entries.values()].reduce(
      (sum, entry) => (this.#owners.get(entry.id) === apiKey ? sum + entry.costNanoUsd : sum),
      0,
    );
  }
}
