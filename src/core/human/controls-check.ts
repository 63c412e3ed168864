import type { Control, ControlName } from './controls.js';
import type { JsonObject } from '../json.js';
import { refuseAnswer, refuseDecision } from './refuse-decision.js';
import type { Refusal } from './refusal.js';
import { isLimit, LIMIT_KEYS } from '../money/limits.js';
import { modelsOf } from '../model/models.js';
import { readReport } from '../agents/read-report.js';
import { MAX_EDITED_ARGS_CHARS, MAX_MESSAGE_CHARS, MAX_NAME_CHARS, type LimitsInput } from '../run-input.js';
import type { RunState } from '../state.js';
import { refuseSay } from './steering.js';

/** A control that a run can take, or why it cannot. */
export type CheckedControl = { control: Control } | { refusal: Refusal };

const refuse = (code: Refusal['code'], message: string): CheckedControl => ({ refusal: { code, message } });

/** Reads a control as it came over the wire, where anything may come, and tells whether the run can take it now. */
export function checkControl(state: RunState, name: ControlName, payload: unknown): CheckedControl {
  if (state.phase === 'closed') return refuse('RUN_CLOSED', 'The run has ended.');
  // A sub-agent need not know how far the run is; its report finds no call any more.
  if (state.phase === 'settling' && name !== 'report')
    return refuse('RUN_CLOSED', 'The run has ended; only its last costs are awaited.');
  const read = readControl(name, payload);
  if ('refusal' in read) return read;
  const refusal = refuseNow(state, read.control);
  return refusal ? { refusal } : read;
}

function refuseNow(state: RunState, control: Control): Refusal | null {
  const isDecision = control.kind === 'decide' || control.kind === 'answer';
  if (state.cancelRequested && isDecision)
    return { code: 'RUN_CLOSED', message: 'The run is being cancelled.' };
  switch (control.kind) {
    case 'decide':
      return refuseDecision(state, control);
    case 'answer':
      return refuseAnswer(state, control);
    case 'say':
      return refuseSay(state, control);
    case 'setLimits':
      return refuseLimits(state, control);
    default:
      return null;
  }
}

function refuseLimits(state: RunState, limits: LimitsInput): Refusal | null {
  return refuseBeyondShare(state, limits) ?? refuseUnpriced(state, limits);
}

/** What a sub-agent may spend is held by the run that has delegated, and no more than that. */
function refuseBeyondShare({ parent, input }: RunState, limits: LimitsInput): Refusal | null {
  if (!parent) return null;
  const share: LimitsInput = Object(input.limits);
  const beyond = (['maxCostUsd', 'maxTokens'] as const).filter((key) => {
    const [held, asked] = [share[key], limits[key]];
    return typeof held === 'number' && asked !== undefined && (asked === null || asked > held);
  });
  if (beyond.length === 0) return null;
  return {
    code: 'INPUT_INVALID',
    message: `${beyond.join(' and ')} of a sub-agent can only be lowered: the rest is not held for it. Raise the limits of ${parent.rootId}.`,
  };
}

/** A ceiling on cost that could not be kept is not taken. */
function refuseUnpriced(state: RunState, { maxCostUsd }: LimitsInput): Refusal | null {
  const { unpricedModels, modelFacts = {} } = state.prepared ?? {};
  if (typeof maxCostUsd !== 'number' || unpricedModels !== 'refuse') return null;
  const unpriced = modelsOf(state).filter((model) => modelFacts[model]?.price === null);
  if (unpriced.length === 0) return null;
  return {
    code: 'PRICE_UNKNOWN',
    message: `Nobody knows what ${unpriced.join(', ')} costs, so no ceiling on cost can be kept. Start such runs with unpricedModels "estimate".`,
  };
}

/** The fields that are text, and how long they may be. */
const TEXT_FIELDS = [
  ['note', MAX_MESSAGE_CHARS],
  ['text', MAX_MESSAGE_CHARS],
  ['by', MAX_NAME_CHARS],
  ['callId', MAX_NAME_CHARS],
  ['messageId', MAX_NAME_CHARS],
  ['argsHash', MAX_NAME_CHARS],
  ['signature', MAX_NAME_CHARS],
] as const;

/** The control that a payload stands for. Fields that mean nothing are passed over. */
export function readControl(name: ControlName, payload: unknown): CheckedControl {
  const given = payload ?? {};
  // Bytes are objects too; by the tag they are told from what JSON calls one, in whichever realm they were made.
  if (Object.prototype.toString.call(given) !== '[object Object]')
    return refuse('INPUT_INVALID', `${name} takes one JSON object.`);
  const fields: Record<string, unknown> = { ...given };
  for (const [key, maxChars] of TEXT_FIELDS) {
    const value = fields[key];
    if (value === null) delete fields[key];
    else if (value !== undefined && typeof value !== 'string')
      return refuse('INPUT_INVALID', `${name}: ${key} must be text.`);
    else if (typeof value === 'string' && value.length > maxChars)
      return refuse(
        'MESSAGE_TOO_LARGE',
        `${name}: ${key} has ${value.length} characters; ${maxChars} are allowed.`,
      );
  }
  switch (name) {
    case 'approve':
    case 'reject':
      return readDecision({ ...fields, decision: name });
    case 'decide':
      return readDecision(fields);
    case 'answer':
      return readText(fields, (text) => ({
        kind: 'answer',
        text,
        ...optional(fields, ['callId', 'by', 'signature']),
      }));
    case 'say':
      return readSay(fields);
    case 'setLimits':
      return readLimits(fields);
    case 'report':
      return toReport(fields);
    default:
      return { control: { kind: name, ...optional(fields, ['by', 'note']) } };
  }
}

/** The named fields that are there; all of them are known to be text. */
function optional<K extends string>(
  fields: Record<string, unknown>,
  keys: readonly K[],
): { [key in K]?: string } {
  const picked: { [key in K]?: string } = {};
  for (const key of keys) {
    const value = fields[key];
    if (typeof value === 'string') picked[key] = value;
  }
  return picked;
}

function readDecision(fields: Record<string, unknown>): CheckedControl {
  const { decision, args, scope } = fields;
  if (decision !== 'approve' && decision !== 'reject')
    return refuse('INPUT_INVALID', 'decide: decision must be "approve" or "reject".');
  if (args !== undefined && !isJsonObject(args))
    return refuse('ARGS_INVALID', 'decide: args must be a JSON object.');
  if (isJsonObject(args) && JSON.stringify(args).length > MAX_EDITED_ARGS_CHARS)
    return refuse('MESSAGE_TOO_LARGE', `decide: args may have ${MAX_EDITED_ARGS_CHARS} characters.`);
  if (scope !== undefined && scope !== null && scope !== 'call' && scope !== 'run')
    return refuse('INPUT_INVALID', 'decide: scope must be "call" or "run".');
  const named = optional(fields, ['callId', 'note', 'by', 'argsHash', 'signature']);
  return {
    control: {
      kind: 'decide',
      decision,
      ...named,
      ...(isJsonObject(args) && { args }),
      ...(scope === 'run' && { scope }),
    },
  };
}

function toReport(fields: Record<string, unknown>): CheckedControl {
  const report = readReport(fields);
  if (report) return { control: { kind: 'report', ...report } };
  return refuse('INPUT_INVALID', 'report is what sub-agents send. Use say to speak to the agent.');
}

/** Controls arrive as JSON, so an object is a JSON object. */
function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(fields: Record<string, unknown>, make: (text: string) => Control): CheckedControl {
  const { text } = fields;
  if (typeof text !== 'string' || text.trim() === '')
    return refuse('INPUT_INVALID', 'text must not be empty.');
  return { control: make(text) };
}

function readSay(fields: Record<string, unknown>): CheckedControl {
  const { mode } = fields;
  if (fields['messageId'] === '') delete fields['messageId'];
  if (mode !== undefined && mode !== 'queue' && mode !== 'steer' && mode !== 'interrupt')
    return refuse('INPUT_INVALID', 'say: mode must be "queue", "steer" or "interrupt".');
  return readText(fields, (text) => ({
    kind: 'say',
    text,
    ...(mode !== undefined && { mode }),
    ...optional(fields, ['messageId', 'by']),
  }));
}

function readLimits(fields: Record<string, unknown>): CheckedControl {
  const limits: LimitsInput = {};
  for (const key of LIMIT_KEYS) {
    const value = fields[key];
    if (value === undefined) continue;
    if (value !== null && !isLimit(key, value))
      return refuse(
        'INPUT_INVALID',
        `setLimits: ${key} must be a positive ${key === 'maxCostUsd' ? '' : 'whole '}number or null.`,
      );
    limits[key] = value;
  }
  if (Object.keys(limits).length === 0)
    return refuse('INPUT_INVALID', `setLimits takes one of ${LIMIT_KEYS.join(', ')}.`);
  return { control: { kind: 'setLimits', ...limits, ...optional(fields, ['by']) } };
}
