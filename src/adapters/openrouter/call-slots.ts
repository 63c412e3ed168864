import type { JsonValue } from '../../core/json.js';
import type { TranscriptCall } from '../../core/transcript.js';
import { at, parseJson, textAt } from './json-read.js';
import { PairJoiner, wellFormed } from './well-formed.js';

/** The longest arguments of one call, 256 KiB as UTF-8. */
export const MAX_CALL_ARGS_BYTES = 262_144;

interface Slot {
  position: number;
  /** The server's index, else the position. */
  order: number;
  id: string;
  name: string;
  args: string;
  sizeBytes: number;
  joiner: PairJoiner;
}

/** A piece of a call, as a watcher hears it. `index` is the place in order of appearance; `name` comes with the first piece that has it. */
export interface CallPiece {
  index: number;
  name: string | null;
  text: string;
}

/** Gathers the tool calls of a streamed answer out of fragments that servers number, name and identify in many ways. */
export class CallSlots {
  private readonly slots: Slot[] = [];
  private readonly byIndex = new Map<number, Slot>();

  /** How many calls there are so far. */
  get count(): number {
    return this.slots.length;
  }

  /** Whether the arguments of some call are beyond {@link MAX_CALL_ARGS_BYTES}. */
  get tooLarge(): boolean {
    return this.slots.some((slot) => slot.sizeBytes > MAX_CALL_ARGS_BYTES);
  }

  /** Takes one entry of `delta.tool_calls`. */
  add(fragment: JsonValue): CallPiece {
    const slot = this.find(fragment);
    const name = textAt(fragment, 'function', 'name');
    const text = argumentsText(at(fragment, 'function', 'arguments'));
    const isNamed = slot.name === '' && name !== undefined;
    if (isNamed) slot.name = name;
    if (slot.id === '') slot.id = textAt(fragment, 'id') ?? '';
    slot.args += text;
    slot.sizeBytes += Buffer.byteLength(text);
    return { index: slot.position, name: isNamed ? name : null, text: slot.joiner.push(text) };
  }

  /**
   * The calls in the server's order. An id that is missing, or was seen before in the conversation, is replaced by `idPrefix` and
   * the place of the call: some models count from zero in each message, and Anthropic refuses an id that comes twice.
   */
  list(idPrefix: string, taken: Iterable<string> = []): TranscriptCall[] {
    const given = new Set(this.slots.map(({ id }) => id));
    const used = new Set(['', ...taken]);
    return [...this.slots]
      .sort((a, b) => a.order - b.order)
      .map((slot, place) => {
        let id = slot.id;
        if (used.has(id)) for (id = `${idPrefix}_${place}`; given.has(id) || used.has(id);) id += '_';
        used.add(id);
        return { id, name: wellFormed(slot.name), args: wellFormed(slot.args) };
      });
  }

  private find(fragment: JsonValue): Slot {
    const index = at(fragment, 'index');
    const id = textAt(fragment, 'id') ?? '';
    const name = textAt(fragment, 'function', 'name') ?? '';
    if (typeof index === 'number') return this.findByIndex(index, { id, name });
    const known = id === '' ? undefined : [...this.slots].reverse().find((slot) => slot.id === id);
    if (known !== undefined) return name !== '' && isWhole(known) ? this.open() : known;
    const last = this.slots.at(-1);
    return id === '' && name === '' && last !== undefined ? last : this.open();
  }

  // Some servers give every parallel call the index 0: another id together with a name is another call.
  private findByIndex(index: number, { id, name }: { id: string; name: string }): Slot {
    const known = this.byIndex.get(index);
    const isOther = known !== undefined && id !== '' && known.id !== '' && id !== known.id && name !== '';
    if (known !== undefined && !isOther) return known;
    const slot = this.open(index);
    this.byIndex.set(index, slot);
    return slot;
  }

  private open(order = this.slots.length): Slot {
    const slot = {
      position: this.slots.length,
      order,
      id: '',
      name: '',
      args: '',
      sizeBytes: 0,
      joiner: new PairJoiner(),
    };
    this.slots.push(slot);
    return slot;
  }
}

function isWhole(slot: Slot): boolean {
  return slot.name !== '' && parseJson(slot.args) !== undefined;
}

// A few servers send the arguments as an object instead of its text.
function argumentsText(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
