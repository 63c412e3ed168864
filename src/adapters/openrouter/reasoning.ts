import type { JsonObject, JsonValue } from '../../core/json.js';
import type { TranscriptItem } from '../../core/transcript.js';
import type { ModelRequest } from '../../ports/model.js';
import { isObject, listAt, textAt } from './json-read.js';
import { wellFormed } from './well-formed.js';

const TEXT = 'reasoning.text';
// Without a signature these are refused: "Invalid signature in thinking block", "Corrupted thought signature".
const SIGNED_FORMATS = new Set(['anthropic-claude-v1', 'google-gemini-v1']);
const DEFAULT_FORMAT = 'anthropic-claude-v1';
const NO_FORMAT = 'unknown';
const HIDDEN = '[REDACTED]';
/** The least that Anthropic's models are given to think with (OpenRouter, "Reasoning Tokens"). */
const LEAST_BUDGET_TOKENS = 1_024;

/** Gathers the `reasoning_details` of a streamed answer. */
export class ReasoningDetails {
  private readonly details: JsonValue[] = [];
  /** About how much is kept, as UTF-8. */
  sizeBytes = 0;

  /** Takes the details of one chunk. Consecutive texts are pieces of one; everything else is kept as it is. */
  add(pieces: readonly JsonValue[]): void {
    for (const piece of pieces) {
      const last = this.details.at(-1);
      if (isObject(last) && isObject(piece) && continues(last, piece)) {
        this.details[this.details.length - 1] = joined(last, piece);
        this.sizeBytes += Buffer.byteLength(textAt(piece, 'text') ?? '');
      } else {
        this.details.push(piece);
        this.sizeBytes += Buffer.byteLength(JSON.stringify(piece));
      }
    }
  }

  /** The details of the whole answer, in order. */
  list(): JsonValue[] {
    return this.details.map((detail) => {
      const text = textAt(detail, 'text');
      return isObject(detail) && text !== undefined ? { ...detail, text: wellFormed(text) } : detail;
    });
  }
}

// A text that follows a signed one under another index is the next block; joining them would break both signatures.
function continues(last: JsonObject, piece: JsonObject): boolean {
  if (last['type'] !== TEXT || piece['type'] !== TEXT) return false;
  const startsBlock = textAt(last, 'signature') !== undefined && textAt(piece, 'text') !== undefined;
  return !(startsBlock && last['index'] !== piece['index']);
}

function joined(last: JsonObject, piece: JsonObject): JsonObject {
  const signature = textAt(last, 'signature') ?? textAt(piece, 'signature');
  const format = textAt(last, 'format') ?? textAt(piece, 'format');
  return {
    ...piece,
    ...last,
    text: (textAt(last, 'text') ?? '') + (textAt(piece, 'text') ?? ''),
    ...(signature !== undefined && { signature }),
    ...(format !== undefined && { format }),
  };
}

/** The reasoning text of a chunk that a watcher may see. */
export function visibleReasoning(delta: JsonValue | undefined): string {
  const plain = textAt(delta, 'reasoning') ?? textAt(delta, 'reasoning_content');
  const texts =
    plain === undefined
      ? listAt(delta, 'reasoning_details').map(
          (detail) => textAt(detail, 'text') ?? textAt(detail, 'summary') ?? '',
        )
      : [plain];
  return texts.filter((text) => text.trim() !== HIDDEN).join('');
}

/**
 * `reasoning` of a request: an effort or a number of tokens, never both. An answer has to have room beside the thoughts, so a number
 * that is not below `max_tokens` becomes half of that; where not even the least that a provider thinks with leaves room, nothing is asked for.
 */
export function toReasoning({
  model,
  reasoning = {},
  maxOutputTokens,
}: Pick<ModelRequest, 'model' | 'reasoning' | 'maxOutputTokens'>): JsonObject | undefined {
  const { effort, maxTokens, exclude } = reasoning;
  const isCramped = maxOutputTokens <= LEAST_BUDGET_TOKENS;
  const field: JsonObject = { ...(exclude !== undefined && { exclude }) };
  if (maxTokens !== undefined) {
    const budget = maxTokens < maxOutputTokens ? maxTokens : Math.floor(maxOutputTokens / 2);
    if (!isCramped) field['max_tokens'] = budget;
  } else if (effort !== undefined && (effort === 'none' || !isCramped || !isAnthropic(model))) {
    field['effort'] = effort;
  }
  return Object.keys(field).length === 0 ? undefined : field;
}

/**
 * The fallbacks that a server may turn to by itself. It sends all of them the same messages, so only those stay that read the very
 * reasoning that the first model reads: another one would be sent what a stranger has sealed ("encrypted content could not be
 * verified"), or miss what it insists on getting back (Gemini). Plain text of no format binds nobody. The run falls back to the others
 * by itself, and then sends each what is its own.
 */
export function fallbacksFor({
  model,
  models = [],
  items,
}: Pick<ModelRequest, 'model' | 'models' | 'items'>): string[] {
  const authors = new Set(
    items.flatMap((item) =>
      item.role === 'assistant' && item.reasoning?.some(isSealed) ? (item.model ?? []) : [],
    ),
  );
  return models.filter((fallback) =>
    [...authors].every((author) => sameFamily(author, fallback) === sameFamily(author, model)),
  );
}

function isSealed(detail: JsonValue): boolean {
  const format = textAt(detail, 'format') ?? NO_FORMAT;
  const seals = ['signature', 'data', 'encrypted_content'].map((name) => textAt(detail, name));
  return format !== NO_FORMAT || seals.some((seal) => seal !== undefined);
}

/** Chooses what of earlier reasoning goes back to the model. One filter serves one request: it drops what it has let through before. */
export class ReasoningFilter {
  private readonly sent = new Set<string>();

  constructor(private readonly model: string) {}

  /** The `reasoning_details` to send with an assistant message; `undefined` for none. A list that was empty stays an empty list. */
  pick(item: Extract<TranscriptItem, { role: 'assistant' }>): JsonValue[] | undefined {
    const { reasoning, model } = item;
    if (reasoning === undefined || (model !== undefined && !sameFamily(model, this.model))) return undefined;
    const kept = reasoning.filter((detail) => !lacksSignature(detail) && this.isNew(detail));
    return kept.length > 0 || reasoning.length === 0 ? kept : undefined;
  }

  private isNew(detail: JsonValue): boolean {
    const key = identity(detail);
    if (key === undefined) return true;
    if (this.sent.has(key)) return false;
    this.sent.add(key);
    return true;
  }
}

function lacksSignature(detail: JsonValue): boolean {
  const format = textAt(detail, 'format') ?? DEFAULT_FORMAT;
  return (
    textAt(detail, 'type') === TEXT && SIGNED_FORMATS.has(format) && textAt(detail, 'signature') === undefined
  );
}

// Two blocks may say the same under two signatures; then both are needed. Summaries come in pieces of a word or two, which may
// repeat; servers complain of a repeated id only.
function identity(detail: JsonValue): string | undefined {
  const [type, id, signature] = [textAt(detail, 'type'), textAt(detail, 'id'), textAt(detail, 'signature')];
  const text = textAt(detail, 'text');
  if (type === 'reasoning.encrypted') return keyOf(type, id ?? textAt(detail, 'data'));
  if (type === 'reasoning.summary')
    return id === undefined ? undefined : keyOf(type, id, textAt(detail, 'summary'));
  return type === TEXT && (text ?? signature) !== undefined ? keyOf(type, text, signature) : undefined;
}

function keyOf(...parts: (string | undefined)[]): string {
  return JSON.stringify(parts);
}

/**
 * Whether two model names are of one maker, whose reasoning the other can read: the part before the slash, or, where one of them has
 * none, the leading word of the name. A router (`openrouter/auto`) may pick any maker, so nothing is held against it.
 */
export function sameFamily(one: string, other: string): boolean {
  const [a, b] = [split(one), split(other)];
  if (a.maker === 'openrouter' || b.maker === 'openrouter' || one.startsWith('@') || other.startsWith('@'))
    return true;
  return a.maker !== '' && b.maker !== '' ? a.maker === b.maker : a.word === b.word;
}

/** Whether a model is listed as one of Anthropic's. */
export function isAnthropic(model: string): boolean {
  return split(model).maker === 'anthropic';
}

/** Whether a model is listed as one of Google's. */
export function isGoogle(model: string): boolean {
  return split(model).maker === 'google';
}

function split(model: string): { maker: string; word: string } {
  const name = model.replace(/^~/, '').toLowerCase();
  const slash = name.indexOf('/');
  return {
    maker: slash < 0 ? '' : name.slice(0, slash),
    word: /^[a-z]*/.exec(name.slice(slash + 1))?.[0] ?? '',
  };
}
