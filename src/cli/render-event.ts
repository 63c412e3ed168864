import type { WatchedEvent } from '../client/run-handle.js';
import type { LimitName } from '../core/progress.js';
import {
  formatArgs,
  formatCount,
  formatDuration,
  formatLimits,
  formatUsd,
  indented,
  oneLine,
  plural,
  printable,
} from './format.js';
import { renderPending, renderReminder } from './render-pending.js';
import { renderResult } from './render-result.js';
import { renderSelfCare, type SelfCareEvent } from './render-self-care.js';
import { formatShare } from './render-spend.js';
import type { Style } from './style.js';

/** Longest one-line form of arguments and results. */
const MAX_LINE_CHARS = 100;

/** An event as lines, without the model's text, which {@link LiveView} shows as it comes. */
export function renderEvent(event: WatchedEvent, style: Style): string[] {
  const { dim, yellow, red } = style;
  switch (event.type) {
    case 'run_started':
      return [
        `${style.bold(event.runId)}  ${printable(event.model)}  ${dim(ceilings(formatLimits(event.limits)))}`,
        ...(event.forkOf === undefined ? [] : [dim(`goes on from ${printable(event.forkOf)}`)]),
        ...indented(event.goal.trim().slice(0, 2_000), '  '),
        ...event.warnings.map((warning) => yellow(`! ${oneLine(warning, 400)}`)),
      ];
    case 'step_started':
      return [
        style.cyan(event.purpose === 'landing' ? 'closing answer' : `step ${event.step}`) +
          dim(`  ${printable(event.model)}`),
      ];
    case 'model_completed':
      return [
        dim(`  ${event.purpose === 'compaction' ? 'summary of the conversation: ' : ''}${usageOf(event)}`),
      ];
    case 'model_failed':
      return [red(`  ! ${oneLine(event.message, 300)}`), dim(`    ${attemptOf(event)}`)];
    case 'tool_started':
      return renderToolStart(event, style);
    case 'tool_completed':
      return [renderToolEnd(event, style)];
    case 'run_completed':
      return renderResult(event.result, style);
    case 'decision_requested':
    case 'decision_reminder':
    case 'approval_counted':
    case 'decision_made':
    case 'outcome_verified':
      return renderHuman(event, style);
    case 'review_started':
    case 'review_completed':
    case 'answer_refused':
    case 'compacted':
    case 'loop_detected':
      return renderSelfCare(event, style);
    default:
      return renderControl(event, style);
  }
}

type HumanEvent = Extract<
  WatchedEvent,
  {
    type:
      | 'decision_requested'
      | 'decision_reminder'
      | 'approval_counted'
      | 'decision_made'
      | 'outcome_verified';
  }
>;

/** What a call waits for, and what becomes of that. */
function renderHuman(event: HumanEvent, style: Style): string[] {
  switch (event.type) {
    case 'decision_requested':
      return renderPending(event, style);
    case 'decision_reminder':
      return [renderReminder(event, style)];
    case 'approval_counted': {
      const { callId, tool, have, needed } = event;
      return [
        `  ${style.green('approved')} ${callId} ${printable(tool)}${by(event.by)}: ${have} of ${needed}`,
      ];
    }
    case 'decision_made':
      return [renderDecision(event, style)];
    case 'outcome_verified': {
      const verdict = {
        executed: 'it did run, says the tool itself',
        not_executed: 'it did not run, says the tool itself',
        unknown: 'the tool itself cannot tell whether it ran',
      }[event.verdict];
      return [style.yellow(`  ? ${event.callId} ${printable(event.tool)} ${verdict}`)];
    }
  }
}

type ControlEvent = Exclude<
  WatchedEvent,
  | HumanEvent
  | SelfCareEvent
  | {
      type:
        | 'run_started'
        | 'step_started'
        | 'model_completed'
        | 'model_failed'
        | 'tool_started'
        | 'tool_completed'
        | 'run_completed';
    }
>;

function renderControl(event: ControlEvent, { dim, yellow }: Style): string[] {
  switch (event.type) {
    case 'message_accepted':
      return [
        `» message ${oneLine(event.messageId, 60)} taken (${event.mode})${before(event.position)}${by(event.by)}`,
      ];
    case 'turn_completed':
      return [`» waits for the next message${dim(`  until ${event.idleUntil}`)}`];
    case 'context_tainted':
      return [
        yellow(`! ${event.callId} ${printable(event.tool)} has brought in text from outside`),
        dim('    from here on side effects wait for a decision, unless the run has --taint off'),
      ];
    case 'webhook_failed':
      return [
        yellow(`! the webhook was not told (${event.notice}): ${event.code} ${oneLine(event.message, 300)}`),
      ];
    case 'control_rejected':
      return [yellow(`! ${event.control} refused: ${event.code} ${oneLine(event.message, 300)}`)];
    case 'limit_warning':
      return [yellow(`! ${warningOf(event)}`)];
    case 'cost_reconciled':
      return [dim(`  ${reconciliationOf(event)}`)];
    case 'limits_changed':
      return [`» ${ceilings(formatLimits(event.limits))}${by(event.by)}`];
    case 'landing_started':
      return [yellow(`» landing: ${event.limit === null ? event.outcome : reasonOf(event.limit)}`)];
    case 'fallback_used':
      return [yellow(`! ${fallbackOf(event)}`)];
    case 'fallback_ended':
      return [`» asking ${printable(event.to)} again instead of ${printable(event.from)}`];
    case 'run_paused':
      return [yellow(`» ${pauseOf(event)}`)];
    case 'run_resumed':
      return [`» resumed${by(event.by)}`];
    default:
      // A worker of a later version may tell more than this one knows.
      return [dim(`» ${(event as { type: string }).type}`)];
  }
}

/** That a run is paused, by whom and why. */
export function pauseOf({
  reason,
  by: name,
  message,
}: Extract<WatchedEvent, { type: 'run_paused' }>): string {
  const why = message === null ? '' : `: ${oneLine(message, 300)}`;
  return `paused${reason === 'payment' ? ' for want of credit' : ''}${by(name)}${why}`;
}

/** A step is begun only when the most that it can cost is left, so money ends before it is spent. */
function reasonOf(limit: LimitName): string {
  if (limit === 'loop') return 'the run gets nowhere';
  return limit === 'cost' ? 'the cost limit leaves too little for a step' : `the ${limit} limit is reached`;
}

function fallbackOf({ code, from, to }: Extract<WatchedEvent, { type: 'fallback_used' }>): string {
  const models = `${printable(to)} instead of ${printable(from)}`;
  return code === 'LOOP' ? `asking ${models} for a step` : `${code}: going on with ${models}`;
}

function attemptOf(event: Extract<WatchedEvent, { type: 'model_failed' }>): string {
  const { at, attempt, code, model, retryAt } = event;
  const what = `${code}, attempt ${attempt} with ${printable(model)}`;
  if (retryAt === null) return what;
  const waitMs = Date.parse(retryAt) - Date.parse(at);
  return `${what}; the next one ${waitMs < 500 ? 'at once' : `in ${formatDuration(waitMs)}`}`;
}

function warningOf({ limit, used, ceiling }: Extract<WatchedEvent, { type: 'limit_warning' }>): string {
  const show =
    limit === 'cost'
      ? (nanoUsd: number) => formatUsd(nanoUsd / 1e9)
      : limit === 'duration'
        ? formatDuration
        : formatCount;
  return `near the ${limit} limit: ${show(used)} of ${show(ceiling)} (${formatShare(used, ceiling)}); the model is told to finish`;
}

function reconciliationOf(event: Extract<WatchedEvent, { type: 'cost_reconciled' }>): string {
  const { model, costNanoUsd, estimatedNanoUsd } = event;
  const before = estimatedNanoUsd === null ? 'unknown before' : `held: ${formatUsd(estimatedNanoUsd / 1e9)}`;
  return `$ the server says that a call to ${printable(model)} cost ${formatUsd(costNanoUsd / 1e9)} (${before})`;
}

function renderToolStart(
  { callId, tool, args, childRunId }: Extract<WatchedEvent, { type: 'tool_started' }>,
  { dim }: Style,
): string[] {
  const shown = formatArgs(args, MAX_LINE_CHARS);
  return [
    `  → ${dim(callId)} ${printable(tool)}${shown === '' ? '' : ` ${dim(shown)}`}`,
    ...(childRunId === undefined
      ? []
      : [dim(`      sub-agent ${printable(childRunId)}: longhaul watch ${printable(childRunId)}`)]),
  ];
}

function renderToolEnd(
  event: Extract<WatchedEvent, { type: 'tool_completed' }>,
  { dim, green, red }: Style,
): string {
  const name = `${dim(event.callId)} ${printable(event.tool)}`;
  if (event.status !== 'ok')
    return `  ${red('✗')} ${name} ${red(event.status)} ${dim(oneLine(reasonIn(event.content), MAX_LINE_CHARS))}`.trimEnd();
  const lines = event.content.trim().split('\n');
  const more = lines.length > 1 ? `  (${plural(lines.length, 'line')})` : '';
  return `  ${green('✓')} ${name} ${dim(`${oneLine(lines[0] ?? '', MAX_LINE_CHARS)}${more}`)}`;
}

/** Why a call did not run as asked, out of the JSON that the model sees (its beginning, if it is long). */
function reasonIn(content: string): string {
  try {
    const { note, message }: { note?: unknown; message?: unknown } = Object(JSON.parse(content));
    if (typeof note === 'string' && note !== '') return note;
    return typeof message === 'string' ? message : content;
  } catch {
    return content;
  }
}

function renderDecision(
  event: Extract<WatchedEvent, { type: 'decision_made' }>,
  { green, red, yellow, dim }: Style,
): string {
  const word = {
    approve: green('approved'),
    reject: red('rejected'),
    answer: green('answered'),
    expired: yellow('expired'),
  }[event.decision];
  const edited =
    event.editedArgs === null
      ? ''
      : ` with other arguments ${dim(formatArgs(event.editedArgs, MAX_LINE_CHARS))}`;
  const note = event.note === null || event.note === '' ? '' : `: ${oneLine(event.note, 300)}`;
  const scope = event.scope === undefined ? '' : ' for the rest of the run';
  const who = by(event.approvedBy?.join(', ') ?? event.by);
  const signed = event.signed ? ' (signed)' : '';
  return `  ${word} ${event.callId} ${printable(event.tool)}${scope}${edited}${who}${signed}${note}`;
}

function usageOf(event: Extract<WatchedEvent, { type: 'model_completed' }>): string {
  const cost =
    event.costNanoUsd === null
      ? 'cost unknown'
      : `${event.costEstimated ? 'about ' : ''}${formatUsd(event.costNanoUsd / 1e9)}`;
  const cached = event.cachedTokens > 0 ? ` (${formatCount(event.cachedTokens)} cached)` : '';
  return `${formatCount(event.promptTokens)} in${cached} · ${formatCount(event.completionTokens)} out · ${event.cached ? 'repeated for free' : cost}`;
}

function ceilings(parts: readonly string[]): string {
  return parts.length === 0 ? 'no limits' : `limits: ${parts.join(', ')}`;
}

function by(name: string | null): string {
  return name === null ? '' : ` by ${oneLine(name, 120)}`;
}

/** How many messages wait before one. */
export function before(position: number): string {
  return position === 0 ? '' : `, ${position} before it`;
}
