import { randomBytes } from 'node:crypto';
import type { ModelPort } from '../src/ports/model.js';

/** Random base64: what real text cannot be, so that no compression makes a history look small. */
export function noise(sizeBytes: number): string {
  return randomBytes(sizeBytes).toString('base64').slice(0, sizeBytes);
}

/** A model without network or thought: each step but the last calls the tool `noise`. */
export function scriptedModel({ steps, textBytes }: { steps: number; textBytes: number }): ModelPort {
  return {
    async call({ items }) {
      const step = items.filter(({ role }) => role === 'assistant').length;
      const isLast = step === steps - 1;
      return {
        text: noise(textBytes),
        calls: isLast ? [] : [{ id: `call_${noise(18).replace(/\W/g, '0')}`, name: 'noise', args: '{}' }],
        reasoning: [],
        model: 'bench/model',
        finishReason: isLast ? 'stop' : 'tool_calls',
        usage: { promptTokens: 1_000, completionTokens: 100, cachedTokens: 0 },
        cost: { kind: 'reported', nanoUsd: 140_000 },
        generationId: 'gen-1763157299-abcdefghijkl',
        cached: false,
        cacheSourceId: null,
      };
    },
    describe: async () => undefined,
    checkKey: async () => ({ limitRemainingUsd: null }),
    generation: async () => null,
  };
}
