import type { JsonValue } from '../core/json.js';
import type { Limits } from '../core/run-input.js';

/**
 * Text of models and tools as a terminal may show it: control characters, which could move the cursor, set the title or hide text,
 * become visible. Line feeds and tabs stay.
 */
export function printable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
      (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
}

/** One printable line of at most `maxChars`. */
export function oneLine(text: string, maxChars: number): string {
  const line = printable(text).replace(/\s+/g, ' ').trim();
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`;
}

/** Printable lines, each with `indent` in front. */
export function indented(text: string, indent: string): string[] {
  return printable(text)
    .split('\n')
    .map((line) => (line === '' ? '' : indent + line));
}

/** Dollars to read: cents for large amounts, enough digits to tell small ones apart. */
export function formatUsd(usd: number): string {
  if (usd === 0) return '$0';
  return `$${usd.toFixed(usd >= 1 ? 2 : usd >= 0.01 ? 4 : 6)}`;
}

/** `95 s`, `12 min`, `3 h 20 min`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
}

/** `1,203`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** `812 bytes`, `12.3 KB`, `4.0 MB`. */
export function formatSize(sizeBytes: number): string {
  if (sizeBytes < 1_000) return plural(sizeBytes, 'byte');
  return sizeBytes < 999_950 ? `${(sizeBytes / 1e3).toFixed(1)} KB` : `${(sizeBytes / 1e6).toFixed(1)} MB`;
}

/** `3 steps`, `1 step`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The ceilings that there are, in words; an empty list when there are none. */
export function formatLimits({ maxCostUsd, maxSteps, maxTokens, maxDurationMs }: Limits): string[] {
  const parts: string[] = [];
  if (maxCostUsd !== null) parts.push(formatUsd(maxCostUsd));
  if (maxSteps !== null) parts.push(plural(maxSteps, 'step'));
  if (maxTokens !== null) parts.push(plural(maxTokens, 'token'));
  if (maxDurationMs !== null) parts.push(formatDuration(maxDurationMs));
  return parts;
}

/** Arguments of a call on one line: `path="a.txt" limit=5`. */
export function formatArgs(args: JsonValue, maxChars: number): string {
  if (args === null || typeof args !== 'object' || Array.isArray(args))
    return oneLine(JSON.stringify(args), maxChars);
  const pairs = Object.entries(args).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return oneLine(pairs.join(' '), maxChars);
}

/** Arguments of a call in full, one field a paragraph, texts as they are: what a human decides on. */
export function argLines(args: JsonValue, indent: string): string[] {
  if (args === null || typeof args !== 'object' || Array.isArray(args))
    return indented(JSON.stringify(args), indent);
  const fields = Object.entries(args);
  if (fields.length === 0) return [`${indent}(no arguments)`];
  return fields.flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const isShort = text.length <= 90 && !text.includes('\n');
    return isShort
      ? indented(`${name}: ${text}`, indent)
      : [
          `${indent}${printable(name)}:`,
          ...printable(text)
            .split('\n')
            .map((line) => `${indent}  | ${line}`.trimEnd()),
        ];
  });
}

/** Columns as wide as their widest cell; the last one is left as it is. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
