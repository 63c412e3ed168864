import { problemsOf, type Audit, type Dependency } from './audit.js';

/** The line that stands in the report until a person has agreed to the verdict. */
export const OPEN_VERDICT = '**Verdict:** open until a person has agreed to it.';

/** The line that takes its place. */
export function verdictOf(audit: Audit): string {
  const problems = problemsOf(audit);
  return `**Verdict:** ${problems.length === 0 ? 'in order, nothing to mend.' : `${problems.length} to mend, see below.`}`;
}

/** What was found, in one sentence. */
export function findingOf({ dependencies, installScripts }: Audit): string {
  const runtime = dependencies.filter(({ isRuntime }) => isRuntime).length;
  const documented = dependencies.filter(({ reason }) => reason !== null).length;
  const silent = dependencies.filter(({ usedBy }) => usedBy?.length === 0).map(({ name }) => `\`${name}\``);
  return (
    `${dependencies.length} dependencies, ${runtime} of them at run time; ${documented} have a reason in docs/dependencies.md; ` +
    `${silent.length === 0 ? 'all' : `all but ${silent.join(', ')}`} of those at run time are used in src; ` +
    `install scripts in the lock file: ${installScripts}.`
  );
}

/** The whole report, as markdown. */
export function renderReport(audit: Audit, runId: string): string {
  const problems = problemsOf(audit);
  const ranges = audit.dependencies
    .filter(({ range }) => !/^\d/.test(range))
    .map(({ name, range }) => `\`${name}\` ${range}`);
  return [
    `# The dependencies of ${audit.title}`,
    '',
    OPEN_VERDICT,
    '',
    findingOf(audit),
    `${ranges.length === 0 ? 'Each is pinned to one version' : `All are pinned to one version but ${ranges.join(', ')}`}.`,
    '',
    ...(problems.length === 0 ? [] : ['## To mend', '', ...problems.map((problem) => `- ${problem}`), '']),
    '## At run time',
    '',
    '| package | version | used by | reason |',
    '|---|---|---|---|',
    ...audit.dependencies.filter(({ isRuntime }) => isRuntime).map(row),
    '',
    '## For development',
    '',
    '| package | version | reason |',
    '|---|---|---|',
    ...audit.dependencies
      .filter(({ isRuntime }) => !isRuntime)
      .map(({ name, range, reason }) => `| \`${name}\` | ${range} | ${reason ?? '—'} |`),
    '',
    `Written by run \`${runId}\` from what its tools returned.`,
    '',
  ].join('\n');
}

function row({ name, range, reason, usedBy }: Dependency): string {
  return `| \`${name}\` | ${range} | ${users(usedBy)} | ${reason ?? '—'} |`;
}

function users(files: string[] | null): string {
  const [first] = files ?? [];
  if (files === null) return 'not searched for';
  if (first === undefined) return 'no file of src';
  return files.length === 1 ? first : `${first} and ${files.length - 1} more`;
}
