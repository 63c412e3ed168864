import { types } from 'node:util';
import type { ArtifactPort } from '../../ports/tools.js';

/** The longest tool result that enters the transcript, in characters (UTF-16 units). */
export const TRANSCRIPT_LIMIT_CHARS = 16_000;

const NOTE_RESERVE_CHARS = 400;
const HEAD_SHARE = 0.7;
const MAX_VALUES = 1_000_000;

/** Text for whatever a tool returned. Never throws; half surrogate pairs become U+FFFD, so that the text survives UTF-8. */
export function toResultText(value: unknown): string {
  return plainText(value).replace(/\p{Surrogate}/gu, '\uFFFD');
}

/**
 * Keeps head and tail of a text that is too long for the transcript, and the whole as an artifact.
 * @param options.limitChars at least 1,000. @defaultValue {@link TRANSCRIPT_LIMIT_CHARS}
 */
export async function cutForTranscript(options: {
  text: string;
  limitChars?: number;
  artifacts: Pick<ArtifactPort, 'put'>;
}): Promise<{ text: string; artifact?: { id: string; sizeBytes: number } }> {
  const { text, limitChars = TRANSCRIPT_LIMIT_CHARS, artifacts } = options;
  if (text.length <= limitChars) return { text };
  const artifact = await artifacts.put(text);
  const keptChars = limitChars - NOTE_RESERVE_CHARS;
  const headEnd = boundary(text, Math.floor(keptChars * HEAD_SHARE));
  const tailStart = boundary(text, text.length - Math.floor(keptChars * (1 - HEAD_SHARE)));
  const note =
    `[${tailStart - headEnd} of ${text.length} characters are left out here. ` +
    `Read them with read_artifact: id ${artifact.id}, offset ${headEnd}.]`;
  return { text: `${text.slice(0, headEnd)}\n\n${note}\n\n${text.slice(tailStart)}`, artifact };
}

/** The offset itself, or one before it when it would split a surrogate pair. */
function boundary(text: string, offset: number): number {
  return /[\uD800-\uDBFF]/.test(text.charAt(offset - 1)) && /[\uDC00-\uDFFF]/.test(text.charAt(offset))
    ? offset - 1
    : offset;
}

function plainText(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (value === undefined) return '(no output)';
    const simple = simplify(value);
    return typeof simple === 'string' ? simple : (JSON.stringify(simple, replacer()) ?? '(no output)');
  } catch {
    return '(the tool returned a value that cannot be written as text)';
  }
}

/** Values that JSON has no good form for become text or plain objects; others come back as they are. */
function simplify(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return `(function ${value.name || 'without a name'})`;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    default:
  }
  if (types.isNativeError(value)) return `${value.name}: ${value.message}`;
  if (types.isAnyArrayBuffer(value)) return bytesToText(new Uint8Array(value));
  if (ArrayBuffer.isView(value))
    return bytesToText(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (types.isMap(value) || types.isSet(value)) return [...value];
  return value;
}

function bytesToText(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Not UTF-8: said below.
  }
  return `(${bytes.byteLength} bytes of binary data)`;
}

/** Replaces cycles, and gives up on graphs that would take minutes to write out. */
function replacer(): (this: unknown, key: string, value: unknown) => unknown {
  const ancestors: unknown[] = [];
  let values = 0;
  return function replace(key, value) {
    values += 1;
    if (values > MAX_VALUES) throw new RangeError('too many values');
    // `value` went through toJSON already, which turns a Buffer into an array of numbers; `this` still holds the original.
    const original = (this as Record<string, unknown>)[key]; // JSON.stringify calls it with the holder as `this`.
    const simple = simplify(ArrayBuffer.isView(original) ? original : value);
    if (typeof simple !== 'object' || simple === null) return simple;
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(simple)) return '(circular)';
    ancestors.push(simple);
    return simple;
  };
}
