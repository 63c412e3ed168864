import type { TranscriptCall } from '../../core/transcript.js';
import { parseJson } from './json-read.js';
import { PairJoiner, wellFormed } from './well-formed.js';

/** The longest arguments of one call, 256 KiB as UTF-8. */
export const MAX_CALL_ARGS_BYTES = 262_144;

/**
 * What stands for arguments that are longer than {@link MAX_CALL_ARGS_BYTES}. No JSON, so that it is refused as all that is none; its
 * words are for the model, which reads them in the result.
 */
export const TOO_LONG_ARGS = `more than ${MAX_CALL_ARGS_BYTES} bytes, of which none were kept; make several calls with less in each`;

interface Slot {
  position: number;
  /** The server's index, else the position. */
  order: number;
  id: string;
  name: string;
  /** Empty from {@link MAX_CALL_ARGS_BYTES} on. */
  args: string;
  /** Of all that came, kept or not. */
  sizeBytes: number;
  joiner: PairJoiner;
}

/** A fragment of a call, as a wire tells it. What the server left out is empty. */
export interface CallFragment {
  index: number | undefined;
  id: string;
  name: string;
  text: string;
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
  private totalBytes = 0;

  /** How many calls there are so far. */
  get count(): number {
    return this.slots.length;
  }

  /** The arguments of all calls as they came, kept or not. */
  get sizeBytes(): number {
    return this.totalBytes;
  }

  /** Takes a fragment whose text goes on where the last one ended. */
  add(fragment: CallFragment): CallPiece {
    return this.extend(this.find(fragment), fragment);
  }

  /** Takes a fragment whose text is the whole of the arguments, of which some may have come before. */
  settle(fragment: CallFragment): CallPiece {
    const slot = this.findKnown(fragment) ?? this.find(fragment);
    const { text: whole } = fragment;
    const goesOn = !isTooLong(slot) && whole.startsWith(slot.args);
    const piece = this.extend(slot, { ...fragment, text: goesOn ? whole.slice(slot.args.length) : '' });
    // What the server says in the end counts, unless it says nothing.
    if (whole !== '' && slot.args !== whole) this.keep(slot, whole, Buffer.byteLength(whole));
    return piece;
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
        const args = isTooLong(slot) ? TOO_LONG_ARGS : wellFormed(slot.args);
        return { id, name: wellFormed(slot.name), args };
      });
  }

  private extend(slot: Slot, fragment: CallFragment): CallPiece {
    const isNamed = slot.name === '' && fragment.name !== '';
    if (isNamed) slot.name = fragment.name;
    if (slot.id === '') slot.id = fragment.id;
    this.keep(slot, slot.args + fragment.text, slot.sizeBytes + Buffer.byteLength(fragment.text));
    return {
      index: slot.position,
      name: isNamed ? fragment.name : null,
      text: isTooLong(slot) ? '' : slot.joiner.push(fragment.text),
    };
  }

  private keep(slot: Slot, args: string, sizeBytes: number): void {
    this.totalBytes += sizeBytes - slot.sizeBytes;
    slot.sizeBytes = sizeBytes;
    slot.args = isTooLong(slot) ? '' : args;
  }

  /** The slot that a whole call is about, if there is one. */
  private findKnown({ index, id }: CallFragment): Slot | undefined {
    const atIndex = this.byIndex.get(index ?? -1);
    if (atIndex === undefined && index !== undefined) return undefined;
    if (atIndex !== undefined && [id, ''].includes(atIndex.id)) return atIndex;
    return id === '' ? atIndex : this.slots.find((slot) => slot.id === id);
  }

  private find({ index, id, name }: CallFragment): Slot {
    if (index !== undefined) return this.findByIndex(index, { id, name });
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

function isTooLong({ sizeBytes }: Slot): boolean {
  return sizeBytes > MAX_CALL_ARGS_BYTES;
}

function isWhole(slot: Slot): boolean {
  return slot.name !== '' && parseJson(slot.args) !== undefined;
}
