import type { JsonObject } from './json.js';

/** What an error code means, whether trying again can help, and what a caller should do. `docs/errors.md` is made from this table. */
export interface ErrorInfo {
  retryable: boolean;
  meaning: string;
  hint: string;
}

const info = (retryable: boolean, meaning: string, hint: string): ErrorInfo => ({ retryable, meaning, hint });

/** Every stable error code. Contract §11. */
export const ERROR_CODES = {
  CONFIG_INVALID: info(
    false,
    'An environment variable or the configuration module has a bad value.',
    'Correct the value that the message names.',
  ),
  INPUT_INVALID: info(
    false,
    'The run input or a command argument does not fit.',
    'Correct the field that the message names.',
  ),
  RUN_NOT_FOUND: info(false, 'No run has this id.', 'Look it up with `longhaul list`.'),
  RUN_EXISTS: info(
    false,
    'A run with this id is already there.',
    'Choose another id, or watch the one that exists.',
  ),
  RUN_CLOSED: info(
    false,
    'The run has ended; it takes no more controls.',
    'See how it ended with `longhaul show`.',
  ),
  CALL_NOT_FOUND: info(
    false,
    'The run has no call with this id.',
    'See what is pending with `longhaul pending`.',
  ),
  CALL_NOT_PENDING: info(
    false,
    'The call waits for no decision, or it is not clear which call is meant.',
    'See what is pending with `longhaul pending`.',
  ),
  ALREADY_DECIDED: info(
    false,
    'The call was decided before; the first decision stands.',
    'See the decision with `longhaul watch`.',
  ),
  ARGS_INVALID: info(
    false,
    'Edited arguments do not fit the schema of the tool. The call stays pending.',
    'Send arguments that fit.',
  ),
  ARGS_HASH_MISMATCH: info(
    false,
    'The decision was made for other arguments than those pending.',
    'Look at the call again, then decide.',
  ),
  SIGNATURE_REQUIRED: info(false, 'The run takes signed decisions only.', 'Sign with `--sign KEYFILE`.'),
  SIGNATURE_INVALID: info(
    false,
    'The signature does not fit the decision.',
    'Sign this call with the right key.',
  ),
  NOT_AN_APPROVER: info(
    false,
    'The signer is not one of the approvers of the run.',
    'Let somebody decide who may: the message says who.',
  ),
  MESSAGE_TOO_LARGE: info(
    false,
    'A text is larger than a run may take in.',
    'Put it in a file of the workspace and name the file.',
  ),
  TEMPORAL_UNREACHABLE: info(
    true,
    'The Temporal server cannot be reached.',
    'Start one with `longhaul dev`, or set TEMPORAL_ADDRESS.',
  ),
  MODEL_UNREACHABLE: info(
    true,
    'The model API cannot be reached, or the connection broke.',
    'Check OPENROUTER_BASE_URL and the network; it is tried again.',
  ),
  MODEL_AUTH: info(
    false,
    'The model API refused the key.',
    'Set OPENROUTER_API_KEY of the worker to a valid key.',
  ),
  MODEL_PAYMENT: info(
    false,
    'The account or the key has no credit left for the call.',
    'Add credit, then `longhaul resume RUN`.',
  ),
  MODEL_BAD_REQUEST: info(
    false,
    'The model API refused the request as such.',
    'Check the model name and the options of the run.',
  ),
  MODEL_CONTEXT_LENGTH: info(
    false,
    'The transcript is longer than the model can read.',
    'Shortening it was not enough: use a model with a longer context.',
  ),
  MODEL_RATE_LIMITED: info(
    true,
    'The model API asks to slow down.',
    'It is tried again when the API says so.',
  ),
  MODEL_UNAVAILABLE: info(
    true,
    'The model or its provider is down.',
    'It is tried again; fallback models help.',
  ),
  MODEL_STREAM_TRUNCATED: info(true, 'The answer ended before it was complete.', 'It is tried again.'),
  MODEL_STALLED: info(
    true,
    'The answer stopped flowing.',
    'It is tried again; LONGHAUL_STALL_TIMEOUT_MS sets the patience.',
  ),
  ANSWER_INVALID: info(
    false,
    'The answer does not fit the schema of the run, was cut off, or is empty, also when it was asked for again.',
    'Read the answer in the result; make the schema simpler, give the answer more room, or use a stronger model.',
  ),
  PRICE_UNKNOWN: info(
    false,
    'Neither cost nor price of a call is known, so a cost ceiling cannot hold.',
    'Use a model with a price, name one under `prices` in the configuration, leave maxCostUsd out, or start with `--unpriced estimate`.',
  ),
  PRICE_CHANGED: info(
    true,
    'A model costs more than what was reserved for the call, so it was not sent.',
    'It is tried again with the new price, within the same ceiling.',
  ),
  BUDGET_UNKNOWN: info(
    false,
    'The run names a budget that nobody has set.',
    'Set it with `longhaul budget set NAME 50/day`, or start the run without it.',
  ),
  TOOL_UNKNOWN: info(
    false,
    'A tool is named that the worker does not have.',
    'See the tools with `longhaul doctor`.',
  ),
  TOOL_FAILED: info(false, 'A tool ended with an error.', 'The model is told; see the message.'),
  TOOL_TIMEOUT: info(false, 'A tool did not end in time.', 'Raise its timeoutMs.'),
  TOOL_OUTCOME_UNKNOWN: info(
    false,
    'Nobody knows whether a tool that must run once did run.',
    'Find out, then `approve`, `answer` or `reject` the call.',
  ),
  WEBHOOK_FAILED: info(
    true,
    'The webhook of a run did not take a message.',
    'Check webhookUrl and the server behind it.',
  ),
} as const satisfies Record<string, ErrorInfo>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

const MARK = '@longhaul/AgentError';

/** The one error of this package: a stable code, whether to try again, and JSON details. Its message says what to do next. */
export class AgentError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: JsonObject;
  /** Recognised by this mark, because `instanceof` fails across copies of the package and the workflow sandbox. */
  readonly mark = MARK;

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryable?: boolean; details?: JsonObject; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AgentError';
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.details = options.details ?? {};
  }

  /** What a caller should do about the code in general. */
  get hint(): string {
    return ERROR_CODES[this.code].hint;
  }
}

/** Whether a value is an {@link AgentError}, from whichever copy of this package. */
export function isAgentError(value: unknown): value is AgentError {
  return value instanceof Error && (value as { mark?: unknown }).mark === MARK; // Reading an unknown property of an Error.
}

/** Whether a text is one of the stable codes. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(ERROR_CODES, text);
}
