import type { SettledCall } from '../../../src/core/money/ledger.js';

/** When the server is asked first. */
export const AT_MS = 1_000;

/** A call that ended with an answer. */
export function answer(fields: Partial<SettledCall> = {}): SettledCall {
  const cost = { nanoUsd: 7, estimated: false };
  return {
    id: 's0.m0',
    purpose: 'step',
    model: 'm',
    cost,
    promptTokens: 10,
    completionTokens: 5,
    askAtMs: AT_MS,
    ...fields,
  };
}

/** What the server says that a call cost. */
export const generation = (costNanoUsd: number) => ({ costNanoUsd, promptTokens: 3, completionTokens: 4 });
