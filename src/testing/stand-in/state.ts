import type { ResponseCache } from './cache.js';
import type { Ledger } from './ledger.js';
import type { StandInModel } from './models.js';
import type { RequestLog } from './request-log.js';
import type { FaultPlan, Script } from './script.js';

/** How many chat requests are taken in a second, and what the others are told. */
export interface RateLimit {
  perSecond: number;
  /** What `Retry-After` says; default 1. */
  retryAfterSeconds?: number;
}

/** Everything a running stand-in knows. */
export interface StandInState {
  script: Script;
  faults: FaultPlan | undefined;
  models: ReadonlyMap<string, StandInModel>;
  /** `null`: any key is accepted. */
  apiKeys: ReadonlySet<string> | null;
  latencyMs: number;
  creditLimitNanoUsd: number | null;
  /** `null`: none. */
  rateLimit: RateLimit | null;
  /** The second that the rate limit counts in. */
  window: { startedAtMs: number; count: number };
  /** How often each generation answers 404 before its data appear. */
  generationMisses: number;
  now(): number;
  ledger: Ledger;
  cache: ResponseCache;
  log: RequestLog;
  callCount: number;
  /** Requests so far, by run, step and purpose. */
  attempts: Map<string, number>;
  /** Look-ups so far, by generation. */
  lookups: Map<string, number>;
  /** Calls made by models that want their reasoning details back. */
  reasoningCallIds: Set<string>;
}
