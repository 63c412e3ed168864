import type { Generation } from './billing-server.js';
import type { Dice } from './dice.js';

/** One attempt at a model call, as both sides know it. */
export interface Attempt {
  key: string;
  /** What the run held for it. */
  reservedNanoUsd: number | null;
  /** In force when it started. */
  ceilingNanoUsd: number | null;
  /** What came about at the server; `null`: nothing. */
  generation: Generation | null;
  /** What the run learned: that it was free, what it cost, what it may have cost, or nothing. */
  told: 'free' | 'exact' | 'estimate' | 'lost' | 'nothing';
  /** What the run goes on to charge for it unless the server tells more. */
  chargedNanoUsd: number | null;
}

/** What happened in a life, kept by the world for itself. */
export class Notes {
  /** How often each thing has happened. */
  readonly seen = new Map<string, number>();
  readonly tokens = { prompt: 0, completion: 0 };
  /** The dearest price that any attempt could meet was known to the run when it reserved for it. */
  pricesKnown = true;
  /** A cached answer named one of several lost calls for which different amounts were held. */
  ambiguous = false;
  /** A lost generation whose name the run was told, and did not take down. */
  forgotten: string | null = null;
  answers = 0;
  lostCalls = 0;

  note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  countTokens({ promptTokens, completionTokens }: { promptTokens: number; completionTokens: number }): void {
    this.tokens.prompt += promptTokens;
    this.tokens.completion += completionTokens;
  }
}

/** Text of one to four bytes a character, among it what is no character at all. */
export function someText(dice: Dice, maxBytes: number): string {
  const word = dice.pick(['tidy ', 'x', 'grün ', '片付け', '🧹', '\ud800'] as const);
  return word.repeat(1 + dice.roll(Math.max(1, Math.floor(maxBytes / 8))));
}
