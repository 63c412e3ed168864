import type { Progress } from '../core/progress.js';
import {
  formatCount,
  formatDuration,
  formatLimits,
  formatUsd,
  indented,
  oneLine,
  plural,
  printable,
} from './format.js';
import { renderPendingItem } from './render-pending.js';
import { renderResult } from './render-result.js';
import { costOf, spendLines } from './render-spend.js';
import type { Style } from './style.js';

type Row = [name: string, value: string];

/** How a run stands. */
export function renderProgress(progress: Progress, style: Style): string[] {
  const { limits, result, pending, runId, idle } = progress;
  const rows = [
    ...moneyRows(progress),
    ...guardRows(progress),
    ...selfCareRows(progress),
    ...stateRows(progress),
  ];
  const lines = [
    style.bold(runId),
    ...rows.map(([name, value]) => `  ${style.dim(name.padEnd(9))} ${value}`),
  ];
  for (const item of pending) lines.push('', ...renderPendingItem({ runId, ...item }, style));
  const answer = (result ?? idle)?.answer.trim() ?? '';
  if (answer !== '') lines.push('', ...indented(answer, '  '));
  return result === null ? lines : [...lines, '', ...renderResult(result, style, limits.maxCostUsd)];
}

function moneyRows(progress: Progress): Row[] {
  const { spend, limits, result, budget } = progress;
  const limitWords = formatLimits(limits);
  const cached = spend.cachedTokens > 0 ? ` (${formatCount(spend.cachedTokens)} cached)` : '';
  const tokens = `${formatCount(spend.promptTokens)} in${cached} · ${formatCount(spend.completionTokens)} out · ${plural(spend.modelCalls, 'model call')}`;
  return [
    ['status', statusOf(progress)],
    ...waitingRows(progress),
    ['goal', oneLine(progress.goal, 300)],
    ['model', printable(progress.model)],
    ['step', String(progress.step)],
    ['cost', costOf(spend, limits.maxCostUsd)],
    // Of a run that has ended the last lines say it.
    ...(result === null ? spendLines(spend).map((line): Row => ['', line]) : []),
    ['tokens', tokens],
    ['limits', limitWords.length === 0 ? 'none' : limitWords.join(', ')],
    ...(budget === null ? [] : [['budget', budgetOf(budget)] satisfies Row]),
  ];
}

function waitingRows({ waiting, runId }: Progress): Row[] {
  if (!waiting) return [];
  const { code, message, until } = waiting;
  const words = code === null ? message : `${code} ${message}`;
  const hint = code === null ? '' : ` (to try now: longhaul resume ${runId})`;
  return [['waits', `${until === null ? '' : `until ${until}${hint}: `}${oneLine(words, 300)}`]];
}

/** What needs a decision, and what does not any more. */
function guardRows({ taint, standing }: Progress): Row[] {
  const approved = standing.map(
    ({ tool, by }) => `${printable(tool)}${by === null ? '' : ` (by ${oneLine(by, 60)})`}`,
  );
  return [
    ['taint', taintOf(taint)],
    ...(approved.length === 0
      ? []
      : [['approved', `for the rest of the run: ${approved.join(', ')}`] satisfies Row]),
  ];
}

function taintOf({ policy, by }: Progress['taint']): string {
  const source = by && `${by.callId} ${printable(by.tool)}`;
  if (policy === 'off') return source === null ? 'off' : `off; ${source} has brought in text from outside`;
  return source === null
    ? 'ask: side effects will need a decision once text from outside was read'
    : `ask: side effects need a decision, as ${source} has brought in text from outside`;
}

const STAGES = {
  checks: 'its checks run',
  verdict: 'the reviewer reads the answer',
  human: 'a human is asked whether the answer shall stand',
};

/** What the run does about its own work. */
function selfCareRows({ review, compactions, repeats, result, runId }: Progress): Row[] {
  const rows: Row[] = [];
  // Of a run that has ended the last lines say it.
  if (review !== null && result === null) rows.push(['review', reviewOf(review)]);
  if (compactions > 0)
    rows.push([
      'shortened',
      `${plural(compactions, 'time')}; the whole conversation: longhaul transcript ${runId} --full`,
    ]);
  // To look a second time is nothing to tell of.
  if (repeats > 1) rows.push(['repeats', `the last ${repeats} steps brought nothing new`]);
  return rows;
}

function reviewOf({ round, rounds, stage, passed, gaps }: NonNullable<Progress['review']>): string {
  if (round === 0) return `of the answer, up to ${plural(rounds, 'round')}`;
  const now = stage ? STAGES[stage] : passed ? 'passed' : 'the answer is being mended';
  return `round ${round} of ${rounds}: ${now}${gaps === null || passed ? '' : `; found: ${oneLine(gaps, 300)}`}`;
}

function stateRows(progress: Progress): Row[] {
  const { agents, idle, shared, runId, startedAt, closedAt, queuedMessages, lastRefused } = progress;
  const took =
    closedAt === null ? '' : `, took ${formatDuration(Date.parse(closedAt) - Date.parse(startedAt))}`;
  const rows: Row[] = [['started', `${startedAt}${took}`]];
  if (idle) rows.push(['session', `waits for a message until ${idle.until}: longhaul say ${runId} "TEXT"`]);
  if (queuedMessages > 0) rows.push(['messages', `${queuedMessages} not read yet`]);
  if (lastRefused) {
    const { at, control, code, message } = lastRefused;
    rows.push(['refused', `${control} at ${at}: ${code} ${oneLine(message, 300)}`]);
  }
  for (const [index, agent] of agents.entries()) {
    const share = agent.maxCostUsd === null ? '' : `up to ${formatUsd(agent.maxCostUsd)}, `;
    rows.push([index === 0 ? 'agents' : '', `${agent.runId}  ${share}${oneLine(agent.goal, 100)}`]);
  }
  if (Object.keys(shared).length > 0) rows.push(['shared', oneLine(JSON.stringify(shared), 200)]);
  return rows;
}

function statusOf({ status, settling, result }: Progress): string {
  if (result !== null) return `closed: ${outcomeOf(result)}`;
  return settling ? `${status}: settling costs` : status;
}

/** `done`, `limit (cost)`. */
export function outcomeOf({ outcome, limit }: { outcome: string; limit: string | null }): string {
  return limit === null ? outcome : `${outcome} (${limit})`;
}

function budgetOf(name: string): string {
  return `${printable(name)}, shared with other runs: longhaul budget show ${printable(name)}`;
}
