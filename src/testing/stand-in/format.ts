import { usageOf, type Answer } from './answer.js';
import type { Fault } from './faults.js';
import type { Meter } from './meter.js';
import type { Outlet } from './wire.js';

/** A line of a stream that becomes text when its turn comes: an answer may have a million of them. */
export interface Line {
  text(): string;
  /** Characters of the answer that it brings. */
  chars: number;
}

/** How an API tells an answer. */
export interface Format {
  /** What stands behind `data:` in a stream. */
  lines(delivery: Delivery): Line[];
  /** The answer in one document. */
  whole(delivery: Delivery): Record<string, unknown>;
  /** The document of an answer that broke off with an error. */
  broken(delivery: Delivery, code: number | string): Record<string, unknown>;
  /** What tells in the middle of a stream that it has failed, as the line of this number. */
  failure(
    fault: Extract<Fault, { kind: 'mid-stream-error' }>,
    delivery: Delivery,
    index: number,
  ): Record<string, unknown>;
  /** What stands in a frame `event: error`. */
  errorFrame(code: number, index: number): Record<string, unknown>;
}

/** An answer on its way out. */
export interface Delivery {
  outlet: Outlet;
  /** How the API that was asked tells it. */
  format: Format;
  answer: Answer;
  meter: Meter;
  fault: Fault | undefined;
  /** Headers beside the content type. */
  headers: Record<string, string>;
  createdSeconds: number;
  delayMs: number;
  usageChunk: 'one-choice' | 'no-choices';
}

/** The usage that a client is told of, in the words of chat completions. */
export function reportedUsage({ answer, meter, fault }: Delivery): Record<string, unknown> | undefined {
  if (fault?.kind === 'no-usage' || (fault?.kind === 'unstreamed' && fault.withoutUsage)) return undefined;
  const usage = usageOf(answer, { cached: meter.entry.cached });
  if (fault?.kind !== 'cost') return usage;
  const { cost: _billed, ...rest } = usage;
  return fault.value === undefined ? rest : { ...rest, cost: fault.value };
}

/** JSON text; a cost that JSON cannot say is written bare, as sloppy servers do. */
export function asText(value: unknown, fault: Fault | undefined): string {
  const text = JSON.stringify(value);
  const cost = fault?.kind === 'cost' ? fault.value : undefined;
  return typeof cost === 'number' && !Number.isFinite(cost)
    ? text.replace('"cost":null', `"cost":${cost}`)
    : text;
}
