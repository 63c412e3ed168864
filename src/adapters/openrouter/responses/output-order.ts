import type { JsonObject, JsonValue } from '../../../core/json.js';
import { at, textAt } from '../json-read.js';
import { wellFormed } from '../well-formed.js';

/** The items of a response by their place: which they are, and those that hold reasoning. */
export class OutputOrder {
  private readonly types = new Map<number, string>();
  private readonly indexes = new Map<string, number>();
  private readonly reasoning = new Map<number, JsonObject>();
  private last = -1;
  /** The size of the reasoning that is kept, as UTF-8. */
  sizeBytes = 0;

  /** How many items there are so far. */
  get count(): number {
    return this.types.size;
  }

  /** The place that an event speaks of. Servers that leave the number out tell items apart by id. */
  placeOf(index: JsonValue | undefined, itemId: string | undefined): number {
    const known = itemId === undefined ? undefined : this.indexes.get(itemId);
    const { last } = this;
    const place = typeof index === 'number' ? index : (known ?? (itemId === undefined ? last : last + 1));
    if (itemId !== undefined) this.indexes.set(itemId, Math.max(0, place));
    return Math.max(0, place);
  }

  /** The place of an item in the list of a whole response, where it may have been heard of before. */
  placeInList(item: JsonValue, position: number): number {
    return this.indexes.get(textAt(item, 'id') ?? '') ?? position;
  }

  /** Notes which item stands at a place. */
  note(place: number, item: JsonValue): void {
    this.types.set(place, textAt(item, 'type') ?? '');
    this.last = Math.max(this.last, place);
  }

  /** Keeps a whole reasoning item; of two tellings the one that can be sent back. */
  keep(place: number, item: JsonObject): void {
    const kept = this.reasoning.get(place);
    if (kept !== undefined && (isSealed(kept) || !isSealed(item))) return;
    this.reasoning.set(place, item);
    this.sizeBytes += sizeOf(item) - sizeOf(kept);
  }

  /**
   * The reasoning items in order. Where the message or a call came before one of them, a mark holds its place, because providers want
   * each item of reasoning followed by what it led to.
   */
  list(): JsonValue[] {
    const places = [...this.types.keys()].sort((a, b) => a - b);
    const last = Math.max(-1, ...this.reasoning.keys());
    let messages = 0;
    return places
      .filter((place) => place <= last)
      .flatMap((place): JsonValue[] => {
        const item = this.reasoning.get(place);
        if (item !== undefined) return [wellFormedJson(item)];
        const type = this.types.get(place);
        // All of the text goes back as one message.
        if (type === 'message') return (messages += 1) === 1 ? [{ type }] : [];
        return type === 'function_call' ? [{ type }] : [];
      });
  }
}

function sizeOf(item: JsonObject | undefined): number {
  return item === undefined ? 0 : Buffer.byteLength(JSON.stringify(item));
}

function isSealed(item: JsonObject): boolean {
  return (at(item, 'encrypted_content') ?? at(item, 'signature') ?? null) !== null;
}

function wellFormedJson(value: JsonValue): JsonValue {
  if (typeof value === 'string') return wellFormed(value);
  if (Array.isArray(value)) return value.map(wellFormedJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, wellFormedJson(entry)]));
}
