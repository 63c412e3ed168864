import { InvalidArgumentError } from 'commander';
import { isApprover } from '../core/human/approvers.js';
import type { JsonObject, JsonValue } from '../core/json.js';

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** `3h`, `90m`, `45s`, `2d`, `1h30m` in milliseconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/gi)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text.trim();
  const durationMs = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[String(unit).toLowerCase()] ?? 0),
    0,
  );
  if (!isWhole || durationMs < 1 || !Number.isSafeInteger(Math.round(durationMs)))
    throw new InvalidArgumentError('Write a time such as 3h, 90m, 45s, 2d or 1h30m.');
  return Math.round(durationMs);
}

/** `2.50` or `$2.50`. @throws InvalidArgumentError */
export function parseUsd(text: string): number {
  const usd = /^\$?\d+(\.\d+)?$/.test(text.trim()) ? Number(text.trim().replace('$', '')) : Number.NaN;
  if (!(usd > 0)) throw new InvalidArgumentError('Write an amount in US dollars above 0, such as 2.50.');
  return usd;
}

/** A whole number from 1. @throws InvalidArgumentError */
export function parseCount(text: string): number {
  const count = /^\d{1,15}$/.test(text.trim()) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return count;
}

/** How many rounds of a review. @throws InvalidArgumentError */
export function parseRounds(text: string): number {
  // A goal that stands behind the flag would be taken for it.
  if (!/^\d{1,15}$/.test(text.trim()))
    throw new InvalidArgumentError('Write how many rounds, or the goal before --review.');
  return parseCount(text);
}

/** A whole number from 0. @throws InvalidArgumentError */
export function parseIndex(text: string): number {
  if (!/^\d{1,15}$/.test(text.trim())) throw new InvalidArgumentError('Write a whole number from 0.');
  return Number(text);
}

/** A number. @throws InvalidArgumentError */
export function parseNumber(text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text.trim())) throw new InvalidArgumentError('Write a number.');
  return Number(text);
}

/** A TCP port. @throws InvalidArgumentError */
export function parsePort(text: string): number {
  const port = parseCount(text);
  if (port > 65_535) throw new InvalidArgumentError('Write a port from 1 to 65535.');
  return port;
}

/** `a,b`, also over several uses of the flag. @throws InvalidArgumentError */
export function parseNames(text: string, before: string[] = []): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length === 0)
    throw new InvalidArgumentError('Write one or more names, with commas between them.');
  return [...before, ...names];
}

/** A text, one more with each use of the flag. */
export function parseTexts(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** A line that names an approver, also over several uses of the flag. @throws InvalidArgumentError */
export function parseApproverLine(text: string, before: string[] = []): string[] {
  const line = text.trim();
  if (!isApprover(line))
    throw new InvalidArgumentError('Write a line "ed25519:… name", as longhaul keys prints it.');
  return [...before, line];
}

/** Such lines with commas or line breaks between them. @throws InvalidArgumentError */
export function parseApproverLines(text: string, before: string[] = []): string[] {
  const lines = text.split(/[,\n]/).filter((line) => line.trim() !== '');
  // A file that is empty by mistake must not mean a run that listens to everybody.
  if (lines.length === 0) return parseApproverLine(text, before);
  return lines.reduce((found, line) => parseApproverLine(line, found), before);
}

/** `none`, or what `parse` makes of it. Not `null`, which commander takes for a flag without a value. */
export function orNone<T>(parse: (text: string) => T): (text: string) => T | 'none' {
  return (text) => (text.trim().toLowerCase() === 'none' ? 'none' : parse(text));
}

/** A JSON object. @throws InvalidArgumentError */
export function parseJsonObject(text: string): JsonObject {
  const value = parseJson(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new InvalidArgumentError('Write a JSON object, such as \'{"path":"a.txt"}\'.');
  return value;
}

function parseJson(text: string): JsonValue {
  try {
    // JSON.parse yields nothing but JSON values.
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new InvalidArgumentError(
      `It is no JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
