import type { JsonValue } from './json.js';

/** A tool call as the model wrote it. `args` is the JSON text of one object: always parsable, whatever the model sent. */
export interface TranscriptCall {
  /** The provider's tool call id, repaired to be present and unique within its message. */
  id: string;
  name: string;
  args: string;
}

/** One message that the model sees. Wire formats are the adapters' business. */
export type TranscriptItem =
  | { role: 'system' | 'user'; content: string }
  | {
      role: 'assistant';
      content: string;
      calls?: TranscriptCall[];
      /** Provider reasoning details, sent back unmodified and in order. */
      reasoning?: JsonValue[];
      /** What the responses API said of the message, sent back with it. */
      phase?: string;
      /** The model that wrote it, present where `reasoning` is: another family rejects its details. */
      model?: string;
    }
  | { role: 'tool'; callId: string; content: string };

/** The hash of an empty transcript. */
export const EMPTY_HASH = '0';

const PRIME_A = 2_654_435_761;
const PRIME_B = 1_597_334_677;

/**
 * A hash over texts, one after the other: 53 bits, base 36. It tells two transcripts or arguments apart so that a
 * cache is never believed wrongly; it is no protection against an attacker.
 */
export function rollHash(previous: string, text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (const part of [previous, '\n', text]) {
    for (let i = 0; i < part.length; i++) {
      const unit = part.charCodeAt(i);
      a = Math.imul(a ^ unit, PRIME_A);
      b = Math.imul(b ^ unit, PRIME_B);
    }
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return (4_294_967_296 * (2_097_151 & b) + (a >>> 0)).toString(36);
}

/** The rolling hash after `items` were appended. */
export function hashItems(previous: string, items: readonly TranscriptItem[]): string {
  return items.reduce((hash, item) => rollHash(hash, JSON.stringify(item)), previous);
}
