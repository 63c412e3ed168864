/** Longest line of code that Temporal's Web UI shows whole, at a window of usual width. */
const LINE_CHARS = 64;

/** Below this nothing of a text is worth showing between its fences. */
const MIN_BYTES = 16;

/**
 * Text of models and people as it stands, in at most `maxBytes` with its fences. As markdown it could hide what is asked for, or load
 * something from elsewhere. Broken into lines, because the UI clips long ones of code.
 */
export function literal(text: string, maxBytes: number): string[] {
  // Fences and line breaks take their part, and how much depends on the text.
  let textBytes = maxBytes;
  while (textBytes >= MIN_BYTES) {
    const lines = fenced(shorten(text, textBytes));
    const tooMany = sizeOf(lines.join('\n')) - maxBytes;
    if (tooMany <= 0) return lines;
    textBytes = Math.max(textBytes - tooMany, Math.floor(textBytes * 0.8));
  }
  return [];
}

function fenced(text: string): string[] {
  const lines = text
    .split('\n')
    .flatMap((line) => line.match(new RegExp(`.{1,${LINE_CHARS}}(?=\\s|$)|.{1,${LINE_CHARS}}`, 'gu')) ?? [''])
    .map((line) => line.trimEnd());
  const longestRun = Math.max(
    2,
    ...lines.flatMap((line) => line.match(/`+/g) ?? []).map((run) => run.length),
  );
  const fence = '`'.repeat(longestRun + 1);
  return [fence, ...lines, fence];
}

/** A command that can be copied; broken with backslashes, because the UI clips long lines of code. */
export function signalCommand(name: string, input: string): string[] {
  return [
    '```',
    'temporal workflow signal \\',
    '  --workflow-id {workflowId} \\',
    `  --name ${name} \\`,
    `  --input '${input}'`,
    '```',
  ];
}

/** A name, which as markdown could mean something. */
export function code(name: string, maxBytes = 80): string {
  return `\`${shorten(name.replace(/[`\s]+/g, ' '), maxBytes)}\``;
}

/** An id of which the end tells it from others. */
export function codeOfId(id: string, maxChars = 80): string {
  return code(id.length <= maxChars ? id : `…${id.slice(1 - maxChars)}`, maxChars + 2);
}

/** Dollars to read. Without the sign: between two of them the UI sets a formula. */
export function usd(nanoUsd: number): string {
  return (nanoUsd / 1e9).toFixed(6);
}

function shorten(text: string, maxBytes: number): string {
  let shown = '';
  let bytes = 0;
  // Where the text is cut if it turns out to be too long.
  let end = 0;
  for (const char of text) {
    bytes += sizeOf(char);
    if (bytes > maxBytes) return `${shown.slice(0, end)}…`;
    shown += char;
    if (bytes + ELLIPSIS_BYTES <= maxBytes) end = shown.length;
  }
  return text;
}

const ELLIPSIS_BYTES = 3;

/** Bytes in UTF-8. Without a library: what workflows may use has none. */
export function sizeOf(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
