import { attemptOf, currentModel } from './models.js';
import { ceilingNanoUsd } from '../money/quote.js';
import { isLastRound } from '../review/review-rounds.js';
import type { Allowance, ModelPurpose, RunState } from '../state.js';
import { asksBecauseOfTaint } from '../calls/taint.js';

/** What the model activity is told. The transcript is not in it: the worker has it, or asks for it. */
export interface CallModelInput {
  step: number;
  purpose: ModelPurpose;
  /** Number of transcript items to send. */
  version: number;
  /** Rolling hash over them. */
  hash: string;
  model: string;
  /** Which attempt this is, from 1. Absent before behaviour 2, where Temporal counts. */
  attempt?: number;
  maxOutputTokens?: number;
  /** The most that the call may cost. Absent: there is nothing to hold it against. */
  reservedNanoUsd?: number;
  /** `tool_choice: none` was refused, so no tools are named at all. */
  noTools?: true;
  /** No calls are wanted: the answer is asked for again, as it did not fit the schema. */
  answerOnly?: true;
  /** Calls that a human is asked about when they come again, see `fingerprint`. */
  asks?: string[];
  /** A reviewer that is not content now is the last one: a human is asked. */
  lastRound?: true;
  /** The transcript holds what comes from outside, where anybody may have written it. */
  tainted?: true;
}

/** A model call, or that the one under way is no longer wanted. */
export type ModelWork =
  | { kind: 'model'; key: string; input: CallModelInput; summary: string }
  | { kind: 'cancel'; key: string; of: 'model' };

const TITLES: Record<Exclude<ModelPurpose, 'step'>, string> = {
  landing: 'closing answer',
  review: 'review',
  compaction: 'summary of the conversation',
};

function asksWhenLast(state: RunState): boolean {
  const asks = state.prepared?.review?.onDisagreement === 'ask' && state.input.requireApproval !== 'never';
  return asks && isLastRound(state);
}

/** Whether an answer that did not fit its schema is asked for again. */
function asksForAnswerOnly({ input, repairedStep }: RunState, purpose: ModelPurpose): boolean {
  return purpose === 'step' && input.schema !== undefined && repairedStep !== null;
}

/** The model call that must be under way now, or that is not wanted any more. */
export function modelWork(state: RunState): ModelWork | null {
  const { call } = state.model;
  if (!call) return null;
  if (call.status === 'cancelling') return { kind: 'cancel', key: call.key, of: 'model' };
  const model = currentModel(state, call.purpose);
  const { step, transcript, transcriptHash } = state;
  const { version, hash } = call.upTo ?? { version: transcript.length, hash: transcriptHash };
  const title = call.purpose === 'step' ? `step ${step}` : TITLES[call.purpose];
  const attempt = attemptOf(state);
  const again = call.allowance && attempt > 1 ? ` · attempt ${attempt}` : '';
  return {
    kind: 'model',
    key: call.key,
    input: {
      step,
      purpose: call.purpose,
      version,
      hash,
      model,
      ...(asksBecauseOfTaint(state) && { tainted: true as const }),
      ...(call.allowance && allowanceInput(state, call.allowance, attempt)),
      ...(state.model.toolsOmitted && { noTools: true as const }),
      ...(asksForAnswerOnly(state, call.purpose) && { answerOnly: true as const }),
      ...(call.purpose === 'step' && state.loop.asks.length > 0 && { asks: state.loop.asks }),
      ...(call.purpose === 'review' && asksWhenLast(state) && { lastRound: true as const }),
    },
    summary: `${title} · ${model}${again}`,
  };
}

function allowanceInput(
  state: RunState,
  { maxOutputTokens, reservedNanoUsd }: Allowance,
  attempt: number,
): Pick<CallModelInput, 'attempt' | 'maxOutputTokens' | 'reservedNanoUsd'> {
  const isBound = reservedNanoUsd !== null && ceilingNanoUsd(state) !== null;
  return { attempt, maxOutputTokens, ...(isBound && { reservedNanoUsd }) };
}
