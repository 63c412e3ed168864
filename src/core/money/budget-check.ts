import type { DrawInput } from './budget-draw.js';
import { BUDGET_PERIODS, type BudgetLimit, type BudgetPeriod, type BudgetState } from './budget.js';
import { AgentError } from '../errors.js';
import { toNanoUsd } from './ledger.js';

/** Limit and period as people write them. */
export interface BudgetSettings {
  /** US dollars; 0 grants nothing more. */
  limitUsd: number;
  /** Default: `total`. */
  period?: BudgetPeriod;
}

/** Takes a run out of a budget that will never settle by itself. */
export interface BudgetRelease {
  runId: string;
  /** What it spent; the rest of its grant goes back. */
  spentNanoUsd: number;
}

/** One million dollars: sums of such amounts stay far within what a number can hold exactly. */
const MAX_NANO_USD = 1e15;
const MAX_RUN_ID_CHARS = 1_000;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Whether a text can name a budget. */
export function isBudgetName(text: unknown): text is string {
  return typeof text === 'string' && NAME.test(text);
}

/** @throws AgentError `INPUT_INVALID` */
export function checkBudgetName(name: unknown): string {
  if (isBudgetName(name)) return name;
  throw invalid(`The name of a budget has 1 to 64 of the characters A-Z a-z 0-9 . _ - and no others.`);
}

/**
 * Reads limit and period as they came over the wire.
 * @throws AgentError `INPUT_INVALID`
 */
export function readBudgetSettings(payload: unknown): BudgetLimit {
  const { limitUsd, period = 'total' } = fieldsOf(payload);
  if (typeof limitUsd !== 'number' || !(limitUsd >= 0 && limitUsd * 1e9 <= MAX_NANO_USD))
    throw invalid(
      'limitUsd must be an amount in US dollars from 0 to 1,000,000, as in {"limitUsd":50,"period":"day"}.',
    );
  const known = BUDGET_PERIODS.find((one) => one === period);
  if (known === undefined) throw invalid(`period must be one of ${BUDGET_PERIODS.join(', ')}.`);
  return { limitNanoUsd: toNanoUsd(limitUsd), period: known };
}

/**
 * Reads a draw as it came over the wire.
 * @throws AgentError `INPUT_INVALID`
 */
export function readDraw(state: BudgetState, payload: unknown): DrawInput {
  const { budget, runId, totalNanoUsd, final } = fieldsOf(payload);
  if (budget !== state.name) throw invalid(`This is the budget ${state.name}: name it in the field budget.`);
  if (final !== undefined && typeof final !== 'boolean') throw invalid('final must be true or left out.');
  return {
    budget: state.name,
    runId: readRunId(runId),
    totalNanoUsd: readAmount('totalNanoUsd', totalNanoUsd),
    ...(final && { final }),
  };
}

/**
 * Reads a release as it came over the wire.
 * @throws AgentError `INPUT_INVALID`
 */
export function readRelease(payload: unknown): BudgetRelease {
  const { runId, spentNanoUsd = 0 } = fieldsOf(payload);
  return { runId: readRunId(runId), spentNanoUsd: readAmount('spentNanoUsd', spentNanoUsd) };
}

function readRunId(value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_RUN_ID_CHARS) return value;
  throw invalid('runId must be the id of a run.');
}

function readAmount(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_NANO_USD)
    return value;
  throw invalid(`${name} must be a whole number of nano-dollars from 0 to ${MAX_NANO_USD}.`);
}

function fieldsOf(payload: unknown): Record<string, unknown> {
  // Bytes are objects too; by the tag they are told from what JSON calls one, in whichever realm they were made.
  if (Object.prototype.toString.call(payload) !== '[object Object]') throw invalid('Send one JSON object.');
  return { ...Object(payload) };
}

function invalid(message: string): AgentError {
  return new AgentError('INPUT_INVALID', message);
}
