import type { WatchedEvent } from '../client/run-handle.js';
import type { LimitName, PendingItem, RunResult } from '../core/progress.js';
import {
  argLines,
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
import { costOf, formatShare, spendLines } from './render-spend.js';
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
        ...indented(event.goal.trim().slice(0, 2_000), '  '),
        ...event.warnings.map((warning) => yellow(`! ${oneLine(warning, 400)}`)),
      ];
    case 'step_started':
      return [
        style.cyan(event.purpose === 'landing' ? 'closing answer' : `step ${event.step}`) +
          dim(`  ${printable(event.model)}`),
      ];
    case 'model_completed':
      return [dim(`  ${usageOf(event)}`)];
    case 'model_failed':
      return [red(`  ! ${oneLine(event.message, 300)}`), dim(`    ${attemptOf(event)}`)];
    case 'tool_started': {
      const args = formatArgs(event.args, MAX_LINE_CHARS);
      return [`  → ${dim(event.callId)} ${printable(event.tool)}${args === '' ? '' : ` ${dim(args)}`}`];
    }
    case 'tool_completed':
      return [renderToolEnd(event, style)];
    case 'decision_requested':
      return renderPending(event, style);
    case 'decision_made':
      return [renderDecision(event, style)];
    case 'run_completed':
      return renderResult(event.result, style);
    default:
      return renderControl(event, style);
  }
}

type ControlEvent = Exclude<
  WatchedEvent,
  {
    type:
      | 'run_started'
      | 'step_started'
      | 'model_completed'
      | 'model_failed'
      | 'tool_started'
      | 'tool_completed'
      | 'decision_requested'
      | 'decision_made'
      | 'run_completed';
  }
>;

function renderControl(event: ControlEvent, { dim, yellow }: Style): string[] {
  switch (event.type) {
    case 'message_accepted':
      return [`» message taken (${event.mode})${by(event.by)}`];
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
      return [
        yellow(`! ${event.code}: going on with ${printable(event.to)} instead of ${printable(event.from)}`),
      ];
    case 'run_paused':
      return [
        yellow(
          `» paused${event.reason === 'payment' ? ' for want of credit' : ''}${by(event.by)}${event.message === null ? '' : `: ${oneLine(event.message, 300)}`}`,
        ),
      ];
    case 'run_resumed':
      return [`» resumed${by(event.by)}`];
    default:
      // A worker of a later version may tell more than this one knows.
      return [dim(`» ${(event as { type: string }).type}`)];
  }
}

/** A step is begun only when the most that it can cost is left, so money ends before it is spent. */
function reasonOf(limit: LimitName): string {
  return limit === 'cost' ? 'the cost limit leaves too little for a step' : `the ${limit} limit is reached`;
}

/** What waits for a human, in full: nobody should decide on less. */
export function renderPending(
  item: Omit<PendingItem, 'requestedAt'> & { runId?: string },
  style: Style,
): string[] {
  const title = {
    decision: 'waits for a decision',
    question: 'asks',
    unknown_outcome: 'may or may not have run: nobody knows',
  }[item.kind];
  const expiry = item.expiresAt === null ? '' : style.dim(`  until ${item.expiresAt}`);
  return [
    `${style.yellow(`  ? ${item.callId} ${printable(item.tool)} ${title}`)}${expiry}`,
    ...argLines(item.args, '      '),
  ];
}

/** The commands that settle a pending item. */
export function howToSettle({ kind, callId }: Pick<PendingItem, 'kind' | 'callId'>, runId: string): string[] {
  const reject = `longhaul reject ${runId} ${callId} --note "WHY"`;
  const answer = `longhaul answer ${runId} ${callId} "TEXT"`;
  const approve = `longhaul approve ${runId} ${callId}`;
  if (kind === 'question') return [answer];
  if (kind === 'decision') return [approve, reject];
  return [`${approve}   (runs it again)`, `${answer}   (what came of it)`, `${reject}   (stays unknown)`];
}

/**
 * How a run ended, without its answer.
 * @param maxCostUsd the ceiling that the cost is held against, where it is known.
 */
export function renderResult(result: RunResult, style: Style, maxCostUsd: number | null = null): string[] {
  const { runId, outcome, limit, limitsReached, error, spend, steps, unknownOutcomes } = result;
  const paint = outcome === 'done' ? style.green : outcome === 'failed' ? style.red : style.yellow;
  const title = limit === null ? outcome : `${outcome} (${limit})`;
  const tokens = `${formatCount(spend.promptTokens + spend.completionTokens)} tokens`;
  const lines = [
    `${paint(`■ ${title}`)}  ${plural(steps, 'step')} · ${tokens} · ${costOf(spend, maxCostUsd)}`,
  ];
  if (limitsReached.length > 1) lines.push(`  limits reached: ${limitsReached.join(', ')}`);
  lines.push(...spendLines(spend).map((line) => style.dim(`  ${line}`)));
  if (limit === 'cost')
    lines.push(style.dim(`  Go on from here with more money: longhaul fork ${runId} --max-cost USD`));
  if (error !== null) lines.push(style.red(`  ${error.code}: ${oneLine(error.message, 1_000)}`));
  for (const { callId, tool } of unknownOutcomes)
    lines.push(style.yellow(`  ! ${callId} ${printable(tool)} may or may not have run`));
  return lines;
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
  return `  ${word} ${event.callId} ${printable(event.tool)}${edited}${by(event.by)}${note}`;
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
  return name === null ? '' : ` by ${oneLine(name, 60)}`;
}
