import type { JsonObject, JsonValue } from '../../../core/json.js';
import type { TranscriptItem } from '../../../core/transcript.js';
import { isObject, textAt } from '../json-read.js';
import { sameFamily } from '../reasoning.js';
import { isMark, toReasoningItems } from './reasoning-bridge.js';

// These makers take thoughts back only under their own seal: Anthropic and Google signed, the others encrypted.
const SIGNED = /^(anthropic|google)-/;
const SEALED = /-responses-v\d+$/;

/** Chooses what of earlier reasoning goes back to the model. One filter serves one request: it drops what it has let through before. */
export class ReasoningItemFilter {
  private readonly sent = new Set<string>();

  constructor(private readonly model: string) {}

  /** The `reasoning` items to send with an assistant's turn, in order, with the marks of where its message and its calls stood among them. */
  pick({ reasoning = [], model }: Extract<TranscriptItem, { role: 'assistant' }>): JsonObject[] {
    if (model !== undefined && !sameFamily(model, this.model)) return [];
    return piecesOf(reasoning).flatMap((piece) =>
      Array.isArray(piece) ? toReasoningItems(piece).filter((item) => this.isWanted(item)) : [piece],
    );
  }

  private isWanted(item: JsonObject): boolean {
    const format = textAt(item, 'format') ?? '';
    const sealed = textAt(item, 'encrypted_content');
    const signature = textAt(item, 'signature');
    if (SEALED.test(format) && sealed === undefined) return false;
    if (SIGNED.test(format) && sealed === undefined && signature === undefined) return false;
    const key = textAt(item, 'id') ?? sealed ?? signature;
    if (key === undefined) return true;
    if (this.sent.has(key)) return false;
    this.sent.add(key);
    return true;
  }
}

/** Runs of reasoning, and the marks between them. */
function piecesOf(reasoning: readonly JsonValue[]): (JsonValue[] | JsonObject)[] {
  const pieces: (JsonValue[] | JsonObject)[] = [];
  for (const entry of reasoning) {
    const last = pieces.at(-1);
    if (isObject(entry) && isMark(entry)) pieces.push(entry);
    else if (Array.isArray(last)) last.push(entry);
    else pieces.push([entry]);
  }
  return pieces;
}
