import type { WebhookBody, WebhookPendingItem } from '../contract/webhook.js';
import type { NotifyInput } from '../core/human/notices.js';
import type { PendingItem, Progress, RunResult } from '../core/progress.js';
import { settleCommands } from '../core/human/settle-commands.js';

/** Most JSON that a webhook is sent. */
const MAX_BODY_BYTES = 65_536;
const MAX_GOAL_CHARS = 500;
/** Below this nothing is left that could be cut. */
const MIN_TEXT_CHARS = 32;
/** Room for a pending call with its commands. */
const CHARS_PER_ITEM = 256;

/**
 * What a webhook is told.
 * @param notice.id the id of the message
 * @returns `null` when there is nothing to tell any more: none of the calls waits.
 */
export function noticeBody(notice: NotifyInput & { at: string }, progress: Progress): WebhookBody | null {
  const pending = progress.pending.filter(({ callId }) => notice.callIds?.includes(callId));
  if (notice.type !== 'run_completed' && pending.length === 0) return null;
  for (let maxChars = MAX_BODY_BYTES; ; maxChars = Math.floor(maxChars / 2)) {
    const body = shortened({ notice, progress, pending }, maxChars);
    if (maxChars < MIN_TEXT_CHARS || Buffer.byteLength(JSON.stringify(body)) <= MAX_BODY_BYTES) return body;
  }
}

/** With no text longer than `maxChars`, and lists of the length that goes with it. */
function shortened(
  source: { notice: NotifyInput & { at: string }; progress: Progress; pending: PendingItem[] },
  maxChars: number,
): WebhookBody {
  const { notice, progress } = source;
  const { runId, step, spend } = progress;
  const result = notice.type === 'run_completed' ? progress.result : null;
  const maxItems = Math.max(1, Math.floor(maxChars / CHARS_PER_ITEM));
  const pending = source.pending.slice(0, maxItems);
  return {
    type: notice.type,
    id: notice.id,
    runId,
    at: notice.at,
    goal: cut(progress.goal, MAX_GOAL_CHARS),
    // The last word is sent while the run closes its books; what it tells does not change any more.
    status: result ? 'closed' : progress.status,
    step,
    spend,
    pending: pending.map((item) => shortItem(item, maxChars)),
    commands: Object.fromEntries(pending.map((item) => [item.callId, settleCommands(item, runId)])),
    result: result && shortResult(result, { maxChars, maxItems }),
    isCut: maxChars < MAX_BODY_BYTES,
  };
}

function shortItem({ args, ...item }: PendingItem, maxChars: number): WebhookPendingItem {
  const text = JSON.stringify(args);
  const summary = cut(item.summary, maxChars);
  return text.length <= maxChars
    ? { ...item, summary, args }
    : { ...item, summary, args: null, argsText: cut(text, maxChars) };
}

function shortResult(
  result: RunResult,
  { maxChars, maxItems }: { maxChars: number; maxItems: number },
): RunResult {
  const { answer, error, shared } = result;
  return {
    ...result,
    answer: cut(answer, maxChars),
    error: error && { ...error, message: cut(error.message, maxChars) },
    unknownOutcomes: result.unknownOutcomes.slice(0, maxItems),
    artifacts: result.artifacts.slice(0, maxItems),
    shared: JSON.stringify(shared).length <= maxChars ? shared : {},
  };
}

/** Never between the halves of a character. */
function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '')}…`;
}
