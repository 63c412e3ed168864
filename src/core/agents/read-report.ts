import type { ChildReport } from './child-run.js';
import type { JsonObject } from '../json.js';

/** Whether one value of a report is what it should be. */
type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const amount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const flag: Check = (value) => typeof value === 'boolean';
const anything: Check = (value) => value !== undefined;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const oneOf =
  (...names: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && names.includes(value);
const nullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const valuesOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
/** At least these fields; a later version may send more. */
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([key, check]) => check(value[key]));
/** What becomes the body of an event must not take the place of what the event itself says. */
const absent: Check = (value) => value === undefined;
const EVENT_FRAME = { seq: absent, at: absent, runId: absent, type: absent, step: absent };
const time: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const account = shape({ calls: amount, costNanoUsd: amount, estimatedNanoUsd: amount });
const call = { callId: text, tool: text };

const pendingItem = shape({
  ...EVENT_FRAME,
  ...call,
  kind: oneOf('decision', 'question', 'unknown_outcome'),
  args: anything,
  argsHash: nullOr(text),
  summary: text,
  requestedAt: time,
  expiresAt: nullOr(time),
  approvals: optional(shape({ by: listOf(text), needed: amount })),
  separate: optional(flag),
  reason: optional(oneOf('taint', 'changed', 'loop', 'review')),
});

const decidedNote = shape({
  ...EVENT_FRAME,
  ...call,
  decision: oneOf('approve', 'reject', 'answer', 'expired'),
  note: nullOr(text),
  by: nullOr(text),
  editedArgs: anything,
  scope: optional(oneOf('run')),
  signed: optional(flag),
  approvedBy: optional(listOf(text)),
});

const spend = shape({
  costUsd: amount,
  costNanoUsd: amount,
  reservedNanoUsd: amount,
  estimatedNanoUsd: amount,
  lostNanoUsd: amount,
  inheritedNanoUsd: amount,
  promptTokens: amount,
  completionTokens: amount,
  cachedTokens: optional(amount),
  modelCalls: amount,
  lostModelCalls: amount,
  unknownCostCalls: amount,
  byPurpose: valuesOf(account),
  byModel: valuesOf(account),
});

const limit = oneOf('cost', 'steps', 'tokens', 'duration', 'tool', 'loop');

const runResult = shape({
  runId: text,
  outcome: oneOf('done', 'limit', 'stopped', 'cancelled', 'failed'),
  limit: nullOr(limit),
  limitsReached: listOf(limit),
  answer: text,
  steps: amount,
  spend,
  unknownOutcomes: listOf(shape(call)),
  artifacts: listOf(shape({ callId: text, id: text, sizeBytes: amount, name: optional(text) })),
  shared: isObject,
  taintedBy: nullOr(shape(call)),
  review: anything,
  output: optional(anything),
  error: nullOr(shape({ code: text, message: text })),
});

const report = shape({
  key: text,
  n: (value) => Number.isSafeInteger(value) && Number(value) > 0,
  pending: listOf(pendingItem),
  decided: listOf(decidedNote),
  reminded: optional(listOf(text)),
  result: optional(runResult),
});

/** What a sub-agent tells, or `null`: anybody who may signal a run may send a report, so nothing in it is taken on trust. */
export function readReport(value: unknown): ChildReport | null {
  // Every field was looked at.
  return report(value) ? (value as ChildReport) : null;
}

/** How a sub-agent ended, as its workflow says; `null` when that says something else. */
export function readResult(value: unknown): NonNullable<ChildReport['result']> | null {
  return runResult(value) ? (value as NonNullable<ChildReport['result']>) : null;
}
