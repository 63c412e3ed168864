import type { ArtifactNote, RunResult } from '../core/progress.js';
import { formatCount, formatSize, indented, oneLine, plural, printable } from './format.js';
import { costOf, spendLines } from './render-spend.js';
import type { Style } from './style.js';

/** Artifacts shown; more are counted. */
const MAX_ARTIFACTS = 10;

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
  lines.push(...reviewLines(result, style), ...outputLines(result, style));
  return [...lines, ...artifactLines(result).map((line) => style.dim(line))];
}

/** Gaps in full: whoever reads the answer has to know them. */
function reviewLines({ review, runId }: RunResult, { green, yellow, dim }: Style): string[] {
  if (review === null) return [];
  const { rounds, passed, gaps, problem } = review;
  if (rounds === 0) return [`  review: ${yellow('none')}, the run ended before it`];
  if (passed) return [`  review: ${green('passed')} in round ${rounds}`];
  const title = `  review: ${yellow('not passed')} after ${plural(rounds, 'round')}`;
  return [
    problem === null ? title : `${title}: ${oneLine(problem, 300)}`,
    ...(gaps === null ? [] : indented(gaps.trim(), '    ')),
    ...(problem === null ? [dim(`  Have it mended further: longhaul fork ${runId} --say "TEXT"`)] : []),
  ];
}

/** The answer of a run with a schema, as programs get it. */
function outputLines({ output }: RunResult, { dim }: Style): string[] {
  return output === null ? [] : [dim(`  output: ${oneLine(JSON.stringify(output), 200)}`)];
}

function artifactLines({ artifacts, runId }: RunResult): string[] {
  if (artifacts.length === 0) return [];
  const more = artifacts.length - MAX_ARTIFACTS;
  return [
    `  ${plural(artifacts.length, 'artifact')}, kept in full:`,
    ...artifacts.slice(0, MAX_ARTIFACTS).map((note) => `    longhaul artifact ${note.id}  ${wordsFor(note)}`),
    ...(more > 0 ? [`    and ${more} more: longhaul show ${runId} --json`] : []),
  ];
}

function wordsFor({ callId, name, sizeBytes }: ArtifactNote): string {
  const title = name === undefined ? '' : `${oneLine(name, 60)}, `;
  return `${title}${formatSize(sizeBytes)}, from ${callId}`;
}
