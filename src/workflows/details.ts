import type { Progress } from '../core/progress.js';
import { factLines } from './details-facts.js';
import { idleLines, pendingLines } from './details-pending.js';
import { code, literal, sizeOf } from './details-text.js';

/** Temporal's Web UI sends the text in a URL, so it is kept below 4 KB. In UTF-8, of which a character may take four. */
const MAX_BYTES = 3_900;

/** Most that a part may take. What waits for a human comes first, and the goal gets what is left. */
const MOST = { pending: 2_400, answer: 1_500, goal: 600 } as const;

/** Least that is kept free for the goal. */
const GOAL_BYTES = 200;

/**
 * The run as Temporal's Web UI shows it: markdown of labels and lists, since the UI draws tables without cell padding. No dollar signs:
 * between two of them the UI sets a formula.
 */
export function renderDetails(progress: Progress): string {
  const { result, idle } = progress;
  const title = [`${statusOf(progress)} · ${code(progress.model || 'no model yet')}`, ''];
  const asks = [...pendingLines(progress.pending, MOST.pending), ...idleLines(idle)];
  const room = (...parts: string[][]) => MAX_BYTES - sizeOf(parts.flat().join('\n')) - parts.length;
  const facts = factLines(progress, room(title, asks) - GOAL_BYTES);
  const answer = answerLines(result ?? idle, room(title, facts, asks) - GOAL_BYTES);
  const goalTitle = ['', '**Goal**', ''];
  const goalBytes = room(title, facts, asks, answer, goalTitle);
  const goal = literal(progress.goal, Math.min(MOST.goal, goalBytes));
  return [title, facts, asks, answer, goalTitle, goal].flat().join('\n');
}

function statusOf({ status, settling, result }: Progress): string {
  if (settling) return `**${status}** · settling costs`;
  return `**${status}**${result ? ` · ${result.outcome}${result.limit ? ` (${result.limit})` : ''}` : ''}`;
}

/** The answer of a run that has ended, or the last one of a session. */
function answerLines(from: { answer: string } | null, maxBytes: number): string[] {
  if (!from) return [];
  const title = ['', '**Answer**', ''];
  const textBytes = maxBytes - sizeOf(title.join('\n')) - 1;
  return [...title, ...literal(from.answer, Math.min(MOST.answer, textBytes))];
}
