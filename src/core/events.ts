import type { JsonValue } from './json.js';
import type { DecidedNote, LimitName, PendingItem, RunResult } from './progress.js';
import type { Limits } from './run-input.js';
import type { SayMode } from './human/controls.js';
import type { ModelPurpose } from './state.js';

/** What each durable event says beside `seq`, `at` and `runId`. Contract §7. */
export type EventBody =
  | {
      type: 'run_started';
      goal: string;
      model: string;
      limits: Limits;
      warnings: string[];
      /** The run that this one goes on from. */
      forkOf?: string;
    }
  | { type: 'step_started'; step: number; model: string; purpose: ModelPurpose }
  | {
      type: 'model_completed';
      step: number;
      attempt: number;
      purpose: ModelPurpose;
      model: string;
      text: string;
      calls: { callId: string; tool: string; args: JsonValue }[];
      promptTokens: number;
      completionTokens: number;
      cachedTokens: number;
      /** `null`: unknown. */
      costNanoUsd: number | null;
      costEstimated: boolean;
      cached: boolean;
      finishReason: string;
      /** What the run was charged so far, confirmed and estimated. */
      spentNanoUsd: number;
    }
  /** An attempt at a model call that failed; `retryAt` says when it is tried again, if it is. */
  | {
      type: 'model_failed';
      step: number;
      attempt: number;
      purpose: ModelPurpose;
      model: string;
      code: string;
      message: string;
      retryAt: string | null;
      spentNanoUsd: number;
    }
  | {
      type: 'tool_started';
      step: number;
      callId: string;
      tool: string;
      args: JsonValue;
      /** The run of the sub-agent that carries it out. */
      childRunId?: string;
    }
  | {
      type: 'tool_completed';
      step: number;
      attempt: number;
      callId: string;
      tool: string;
      /** `ok`, or the `status` that the model sees. */
      status: string;
      /** The beginning of what the model sees. */
      content: string;
      artifactId: string | null;
    }
  | ({ type: 'decision_requested'; step: number } & PendingItem)
  /** Nobody has decided yet. */
  | ({ type: 'decision_reminder'; step: number } & PendingItem)
  /** One of several approvals that a call needs. */
  | {
      type: 'approval_counted';
      step: number;
      callId: string;
      tool: string;
      by: string;
      have: number;
      needed: number;
    }
  | ({ type: 'decision_made'; step: number } & DecidedNote)
  /** A tool found out whether a call took effect whose outcome was unknown. */
  | {
      type: 'outcome_verified';
      step: number;
      callId: string;
      tool: string;
      verdict: 'executed' | 'not_executed' | 'unknown';
    }
  /** Content from outside has entered the context; see `taint` of the run's input. */
  | { type: 'context_tainted'; step: number; callId: string; tool: string }
  /** A session has answered and waits for the next message. */
  | { type: 'turn_completed'; step: number; answer: string; idleUntil: string }
  | { type: 'webhook_failed'; notice: string; code: string; message: string }
  | { type: 'message_accepted'; messageId: string; mode: SayMode; position: number; by: string | null }
  | { type: 'control_rejected'; control: string; code: string; message: string; callId: string | null }
  /** Most of a ceiling is used. Money in nano-dollars, time in milliseconds. */
  | { type: 'limit_warning'; step: number; limit: LimitName; used: number; ceiling: number }
  /** The server has said what a call cost that was only estimated so far. */
  | {
      type: 'cost_reconciled';
      step: number;
      model: string;
      generationId: string;
      costNanoUsd: number;
      estimatedNanoUsd: number | null;
      spentNanoUsd: number;
    }
  | { type: 'limits_changed'; limits: Limits; by: string | null }
  | {
      type: 'landing_started';
      step: number;
      outcome: 'limit' | 'stopped' | 'failed';
      limit: LimitName | null;
    }
  | { type: 'fallback_used'; step: number; from: string; to: string; code: string }
  /** The first model is asked again. */
  | { type: 'fallback_ended'; step: number; from: string; to: string }
  | { type: 'review_started'; step: number; round: number; rounds: number; model: string }
  /** `gaps`: what the reviewer found; `problem`: why there was no verdict. */
  | {
      type: 'review_completed';
      step: number;
      round: number;
      passed: boolean;
      gaps: string | null;
      problem: string | null;
    }
  /** The conversation was shortened: by a summary, or by leaving out what tools returned. In messages and expected tokens. */
  | {
      type: 'compacted';
      step: number;
      by: 'summary' | 'cut';
      messagesBefore: number;
      messagesAfter: number;
      tokensBefore: number;
      tokensAfter: number;
      summary: string | null;
    }
  /** An answer that does not fit the schema, was cut off, or is empty; it is asked for again. */
  | { type: 'answer_refused'; step: number; problem: string }
  /** The run goes in circles; `rung` is what is done about it. */
  | {
      type: 'loop_detected';
      step: number;
      rung: 'observe' | 'tell' | 'switch' | 'ask' | 'land';
      repeats: number;
      tools: string[];
    }
  | { type: 'run_paused'; reason: 'asked' | 'payment'; by: string | null; message: string | null }
  | { type: 'run_resumed'; by: string | null }
  | { type: 'run_completed'; result: RunResult };

/** A durable event: numbered without gaps over the whole run, continue-as-new included. */
export type RunEvent = { seq: number; at: string; runId: string } & EventBody;
