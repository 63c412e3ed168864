import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../../core/json.js';
import { isObject, listAt, textAt } from '../json-read.js';

// The two wires tell the same thoughts in two shapes: chat completions in `reasoning.*` details, one for each piece, the responses
// API in `reasoning` items, which hold summary, text and sealed content together. A run may go from one wire to the other.
const SUMMARY = 'reasoning.summary';
const TEXT = 'reasoning.text';
const ENCRYPTED = 'reasoning.encrypted';

/** Reasoning as `reasoning` items. Items stay as they are; details of the chat wire become items; what is neither is left out. */
export function toReasoningItems(reasoning: readonly JsonValue[]): JsonObject[] {
  const items: JsonObject[] = [];
  let open: JsonObject[] = [];
  const close = (): void => {
    if (open.length > 0) items.push(itemOf(open));
    open = [];
  };
  for (const entry of reasoning) {
    if (!isObject(entry)) continue;
    if (isDetail(entry)) {
      if (!belongs(open, entry)) close();
      open.push(entry);
    } else if (entry['type'] === 'reasoning') {
      close();
      items.push(entry);
    }
  }
  close();
  return items;
}

/** Reasoning as details of the chat wire. Details stay as they are, `reasoning` items become details, and marks of place are left out. */
export function toChatDetails(reasoning: readonly JsonValue[]): JsonValue[] {
  const details: JsonValue[] = [];
  for (const [index, entry] of reasoning.entries()) {
    if (!isObject(entry) || isMark(entry)) continue;
    if (entry['type'] === 'reasoning') details.push(...detailsOf(entry, index));
    else details.push(entry);
  }
  return details;
}

/** Whether an entry only says that the message, or a call, stood at this place among the reasoning. */
export function isMark(entry: JsonValue): boolean {
  return isObject(entry) && (entry['type'] === 'message' || entry['type'] === 'function_call');
}

function isDetail(entry: JsonObject): boolean {
  return [SUMMARY, TEXT, ENCRYPTED].includes(textAt(entry, 'type') ?? '');
}

/** An item begins with summary or text, and may end with one sealed content. */
function belongs(open: readonly JsonObject[], detail: JsonObject): boolean {
  const last = open.at(-1);
  if (last === undefined) return true;
  const isOther = (key: string): boolean => (last[key] ?? null) !== (detail[key] ?? null);
  if (last['type'] === ENCRYPTED || isOther('format')) return false;
  // A signature ends a block of thought; what follows under another index is the next one.
  if (last['type'] === TEXT && textAt(last, 'signature') !== undefined) return false;
  const ids = [textAt(last, 'id'), textAt(detail, 'id')];
  if (ids[0] !== undefined && ids[1] !== undefined && ids[0] !== ids[1]) return false;
  return detail['type'] === ENCRYPTED || last['type'] === detail['type'];
}

function itemOf(details: readonly JsonObject[]): JsonObject {
  const texts = (type: string, key: string): string[] =>
    details.filter((detail) => detail['type'] === type).map((detail) => textAt(detail, key) ?? '');
  const first = (key: string): string | undefined =>
    details.map((detail) => textAt(detail, key)).find((text) => text !== undefined);
  const [content, sealed] = [texts(TEXT, 'text'), first('data')];
  const [signature, format] = [first('signature'), first('format')];
  return {
    type: 'reasoning',
    id: first('id') ?? madeUpId(details),
    summary: texts(SUMMARY, 'summary').map((text) => ({ type: 'summary_text', text })),
    ...(content.length > 0 && { content: content.map((text) => ({ type: 'reasoning_text', text })) }),
    ...(sealed !== undefined && { encrypted_content: sealed }),
    ...(signature !== undefined && { signature }),
    ...(format !== undefined && { format }),
  };
}

// An item must have an id, which no detail has to have. The same for the same thought, as requests must be equal byte by byte.
function madeUpId(details: readonly JsonObject[]): string {
  return `rs_${createHash('sha256').update(JSON.stringify(details)).digest('hex').slice(0, 24)}`;
}

function detailsOf(item: JsonObject, index: number): JsonObject[] {
  const [id, format] = [textAt(item, 'id'), textAt(item, 'format')];
  const [signature, sealed] = [textAt(item, 'signature'), textAt(item, 'encrypted_content')];
  const common = { ...(format !== undefined && { format }), index };
  const summaries = listAt(item, 'summary').map((part) => textAt(part, 'text'));
  const text = listAt(item, 'content')
    .map((part) => textAt(part, 'text') ?? '')
    .join('');
  const details: JsonObject[] = summaries
    .filter((summary) => summary !== undefined)
    .map((summary) => ({ type: SUMMARY, summary, ...common }));
  if (text !== '' || signature !== undefined)
    details.push({ type: TEXT, text, ...(signature !== undefined && { signature }), ...common });
  if (sealed !== undefined)
    details.push({ type: ENCRYPTED, data: sealed, ...(id !== undefined && { id }), ...common });
  return details;
}
