import type { TranscriptItem } from '../core/transcript.js';
import type { RunComparison, RunFigures } from './compare-runs.js';
import { formatCount, formatDuration, formatUsd, oneLine, plural, printable } from './format.js';
import type { Style } from './style.js';

/** All lines fit into 100 columns: a label, two columns, and two blanks before each. */
const LABEL_CHARS = 12;
const COLUMN_CHARS = 40;
const LINE_CHARS = 98;
const GAP = '  ';
/** How much of each answer is shown. */
const ANSWER_LINES = 6;

type Cell = (run: RunFigures) => string;

const CELLS: [string, Cell][] = [
  ['model', ({ models }) => models.join(', ')],
  ['ended', endOf],
  ['steps', ({ steps, inheritedSteps }) => withInherited(formatCount(steps), inheritedSteps, formatCount)],
  ['cost', costOf],
  [
    'tokens',
    ({ promptTokens, completionTokens }) =>
      `${formatCount(promptTokens)} in · ${formatCount(completionTokens)} out`,
  ],
  ['model calls', ({ modelCalls }) => formatCount(modelCalls)],
  [
    'duration',
    ({ durationMs, outcome }) => `${formatDuration(durationMs)}${outcome === null ? ' so far' : ''}`,
  ],
  ['decisions', decisionsOf],
  [
    'unknown',
    ({ unknownOutcomes }) => listed(unknownOutcomes.map(({ callId, tool }) => `${tool} (${callId})`)),
  ],
];

/** Two runs side by side. Rows that are the same in both are dim. */
export function renderDiff(comparison: RunComparison, style: Style): string[] {
  const { left, right } = comparison;
  const rows = CELLS.map(([label, cell]): [string, string, string] => [label, cell(left), cell(right)]);
  return [
    ...row(['', left.runId, right.runId], style.bold),
    ...goalRows(left, right, style),
    ...[...rows, ...toolRows(left, right)].flatMap((cells) =>
      row(cells, cells[1] === cells[2] ? style.dim : plain),
    ),
    ...inheritanceNote(left, right).map(style.dim),
    '',
    ...partingLines(comparison, style),
    ...answerLines(left, right, style),
  ];
}

const plain = (text: string): string => text;

function row([label, left, right]: [string, string, string], paint: (text: string) => string): string[] {
  const [a, b] = [wrap(left, COLUMN_CHARS), wrap(right, COLUMN_CHARS)];
  return Array.from({ length: Math.max(a.length, b.length) }, (_, index) => {
    const name = (index === 0 ? label : '').padEnd(LABEL_CHARS);
    const cells = `${(a[index] ?? '').padEnd(COLUMN_CHARS)}${GAP}${b[index] ?? ''}`;
    return `${GAP}${name}${GAP}${paint(cells.trimEnd())}`.trimEnd();
  });
}

/** One goal is said once. */
function goalRows(left: RunFigures, right: RunFigures, style: Style): string[] {
  if (left.goal !== right.goal)
    return row(['goal', oneLine(left.goal, 200), oneLine(right.goal, 200)], plain);
  const [line = ''] = wrap(oneLine(left.goal, LINE_CHARS - LABEL_CHARS - 4), LINE_CHARS);
  return [`${GAP}${'goal'.padEnd(LABEL_CHARS)}${GAP}${style.dim(line)}`];
}

function endOf({ outcome, limit, status, error }: RunFigures): string {
  if (outcome === null) return `not yet: ${status}`;
  const reason = error?.code ?? limit;
  return reason === null ? outcome : `${outcome} (${reason})`;
}

function costOf({ costNanoUsd, estimatedNanoUsd, inheritedNanoUsd }: RunFigures): string {
  const usd = (nanoUsd: number) => formatUsd(nanoUsd / 1e9);
  const unsure = estimatedNanoUsd === 0 ? '' : `, ${usd(estimatedNanoUsd)} of it not confirmed`;
  return `${withInherited(usd(costNanoUsd + estimatedNanoUsd), inheritedNanoUsd, usd)}${unsure}`;
}

function withInherited(total: string, inherited: number, format: (value: number) => string): string {
  return inherited === 0 ? total : `${total}, ${format(inherited)} of it taken over`;
}

function decisionsOf({ decisions }: RunFigures): string {
  const { approve, reject, answer, expired } = decisions;
  const words: [number, string][] = [
    [approve, 'approved'],
    [reject, 'rejected'],
    [answer, 'answered'],
    [expired, 'expired'],
  ];
  return listed(words.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`));
}

function toolRows(left: RunFigures, right: RunFigures): [string, string, string][] {
  const names = [...new Set([...Object.keys(left.toolCalls), ...Object.keys(right.toolCalls)])].sort();
  const cell = ({ toolCalls }: RunFigures, name: string) =>
    `${printable(name)} × ${formatCount(toolCalls[name] ?? 0)}`;
  return names.map((name, index) => [index === 0 ? 'tool calls' : '', cell(left, name), cell(right, name)]);
}

function listed(parts: readonly string[]): string {
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function inheritanceNote(left: RunFigures, right: RunFigures): string[] {
  if (left.forkOf === null && right.forkOf === null) return [];
  return [`${GAP}Duration and decisions of a fork are its own; the rest includes what it took over.`];
}

function partingLines(
  { left, right, sameUntilStep, sameItems, parting }: RunComparison,
  style: Style,
): string[] {
  if (parting === null || sameUntilStep === null)
    return [`Their transcripts are the same, ${plural(sameItems, 'message')}.`];
  const names = [left, right].map(({ runId }) => oneLine(runId, COLUMN_CHARS));
  const width = Math.max(...names.map((name) => name.length));
  const line = (index: number, item: TranscriptItem | null, { outcome }: RunFigures) =>
    `${GAP}${style.dim((names[index] ?? '').padEnd(width))}${GAP}${messageOf(item, outcome !== null, LINE_CHARS - width - 4)}`;
  return [
    `They part at step ${sameUntilStep}, after ${plural(sameItems, 'message')} that are the same:`,
    line(0, parting.left, left),
    line(1, parting.right, right),
  ];
}

function messageOf(item: TranscriptItem | null, isOver: boolean, maxChars: number): string {
  if (item === null) return isOver ? '(ends here)' : '(no more so far)';
  const calls = item.role === 'assistant' ? (item.calls ?? []) : [];
  const words = [item.content, ...calls.map(({ name, args }) => `→ ${name} ${args}`)];
  return oneLine(`${item.role}: ${words.join(' ').trim()}`, maxChars);
}

function answerLines(left: RunFigures, right: RunFigures, style: Style): string[] {
  if (left.answer === right.answer)
    return left.answer.trim() === '' ? [] : ['', 'Both answered:', ...firstLines(left.answer)];
  return [left, right].flatMap(({ runId, answer, outcome }) => [
    '',
    `${style.bold(oneLine(runId, LINE_CHARS - 22))} ${answer.trim() === '' ? (outcome === null ? 'has not answered yet.' : 'gave no answer.') : 'answered:'}`,
    ...firstLines(answer),
  ]);
}

function firstLines(answer: string): string[] {
  const lines = printable(answer.trim())
    .split('\n')
    .flatMap((line) => wrap(line, LINE_CHARS - GAP.length));
  const shown = lines.slice(0, ANSWER_LINES).map((line) => `${GAP}${line}`.trimEnd());
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, `${GAP}… ${plural(more, 'more line')}`] : shown;
}

/** Lines of at most `width` characters, broken at blanks where there are some. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = printable(text);
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const end = blank > 0 ? blank : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}
