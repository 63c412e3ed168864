import type { ChatRequest, Reply, Script } from '../../src/testing/stand-in/script.js';
import { answerUnderReview, findingsIn } from '../../src/testing/review-request.js';
import { textOf } from '../../src/testing/transcript-rules.js';
import { auditOf, importPatterns, installersIn, installScriptLines, LOCK_FILE } from './audit.js';
import { exchangesOf, type Exchange } from './exchanges.js';
import { findingOf, OPEN_VERDICT, renderReport, verdictOf } from './report.js';

/** Streams a reply in at most this many pieces, so that a long one does not take longer than a person waits for. */
const MAX_PIECES = 70;
const MIN_PIECE_CHARS = 4;

/** Where a report goes, relative to the workspace. */
export function reportPathOf(runId: string): string {
  return `demo-reports/${runId}.md`;
}

/** What the run is asked to do; for the scripted model and for real ones. */
export function goalOf(runId: string): string {
  return [
    'Audit the dependencies of this repository.',
    'Read package.json, docs/dependencies.md and the beginning of package-lock.json (its first 60 lines); search src for imports of each package that is needed at run time.',
    `Write a report to \`${reportPathOf(runId)}\`: how many dependencies there are, which are documented, which are used where, and what does not fit.`,
    `Begin with the line "${OPEN_VERDICT}" and, once you have the whole report, replace that line with your verdict by edit_file.`,
    'Then read the report again and answer in a few sentences.',
  ].join('\n');
}

/**
 * The model of the demo when there is no real one. Its plan is fixed, all that it says of the repository is not: it reads it out of the
 * tool results in the request, as a model would, and knows nothing else.
 * @param options.pieceDelayMs wait before each streamed piece
 */
export function auditScript({ pieceDelayMs }: { pieceDelayMs: number }): Script {
  return (request, { stepIndex, metadata }) => {
    const reply = metadata['longhaul_purpose'] === 'review' ? review(request) : act(request, stepIndex);
    const sizeChars = JSON.stringify(reply).length;
    return {
      ...reply,
      chunkDelayMs: pieceDelayMs,
      chunkChars: Math.max(MIN_PIECE_CHARS, Math.ceil(sizeChars / MAX_PIECES)),
    };
  };
}

function act(request: ChatRequest, stepIndex: number): Reply {
  const findings = findingsIn(request);
  const seen: Seen = {
    exchanges: exchangesOf(request.messages),
    reportPath: reportPathIn(request),
    said: userTexts(request)
      .slice(1)
      .filter((text) => !findings.includes(text)),
  };
  if (request.tool_choice === 'none') return answer(seen);
  const places = installScriptLines(seen.exchanges);
  if (findings.length > 0 && places.length > 0 && installersIn(seen.exchanges).length === 0)
    return nameInstallers(places);
  const stage = STAGES[Math.min(stepIndex, STAGES.length - 1)] ?? answer;
  return stage(seen);
}

interface Seen {
  exchanges: Exchange[];
  reportPath: string;
  /** What people said to the agent beside the goal. */
  said: string[];
}

const readFile = (path: string, range: { offset?: number; limit?: number } = {}) => ({
  name: 'read_file',
  args: { path, ...range },
});

const STAGES: ((seen: Seen) => Reply)[] = [
  () => ({
    text: 'I begin with what the repository says about itself: the files at its top, and the manifest.',
    toolCalls: [{ name: 'list_files', args: { path: '.' } }, readFile('package.json')],
  }),
  ({ exchanges }) => ({
    text: `The manifest names ${auditOf(exchanges).dependencies.length} packages. Next: the reasons it gives for them, and what the lock file pins.`,
    toolCalls: [
      readFile('docs/dependencies.md'),
      readFile('package-lock.json', { limit: 60 }),
      { name: 'search_files', args: { pattern: '"hasInstallScript": true', path: 'package-lock.json' } },
    ],
  }),
  ({ exchanges }) => ({
    text: 'Are the packages that are needed at run time really used? One search for each, all at once.',
    toolCalls: importPatterns(exchanges).map((pattern) => ({
      name: 'search_files',
      args: { pattern, path: 'src', maxMatches: 300 },
    })),
  }),
  () => ({
    text: 'I have all I need. A pause of two seconds before I write: the run sleeps in Temporal, and no process has to stay alive for it.',
    toolCalls: [{ name: 'wait', args: { seconds: 2 } }],
  }),
  ({ exchanges, reportPath }) => ({
    text: `${findingOf(auditOf(exchanges))} I write that down, with the verdict left open.`,
    toolCalls: [
      {
        name: 'write_file',
        args: { path: reportPath, content: renderReport(auditOf(exchanges), runIdOf(reportPath)) },
      },
    ],
  }),
  ({ exchanges, reportPath }) => ({
    text: 'Now the verdict. It changes a file that exists, so a person is asked first.',
    toolCalls: [
      {
        name: 'edit_file',
        args: { path: reportPath, find: OPEN_VERDICT, replace: verdictOf(auditOf(exchanges)) },
      },
    ],
  }),
  ({ exchanges, reportPath }) => ({
    text: wasEdited(exchanges)
      ? 'Done. I read the report again, to be sure of what it says.'
      : 'The verdict stays open then. I look at the report as it is.',
    toolCalls: [readFile(reportPath)],
  }),
  answer,
];

/** How an answer begins to name the packages with install scripts. */
const INSTALLERS = 'Install scripts come with ';

/** Wants to know of what runs code on this machine before anything was started. */
function review(request: ChatRequest): Reply {
  const answer = answerUnderReview(request);
  if (answer.includes(INSTALLERS) || answer.includes('lock file: 0'))
    return { text: 'The packages with install scripts are named now, as the lock file has them.\n\n[DONE]' };
  return {
    text: '1. The answer counts the install scripts in the lock file and does not say which packages they come with. They run on the machine of whoever installs: look the packages up and name each.',
  };
}

function nameInstallers(places: readonly number[]): Reply {
  return {
    text: 'True: I only counted them. I look at each place in the lock file.',
    toolCalls: places.map((line) => readFile(LOCK_FILE, { offset: Math.max(1, line - 12), limit: 13 })),
  };
}

function answer({ exchanges, reportPath, said }: Seen): Reply {
  const written =
    exchanges.filter(({ tool, args }) => tool === 'read_file' && args['path'] === reportPath).at(-1)
      ?.result ?? '';
  const verdict = /^\*\*Verdict:\*\* (.*)$/m.exec(written)?.[1];
  const edit = exchanges.filter(({ tool }) => tool === 'edit_file').at(-1);
  const installers = installersIn(exchanges).map((name) => `\`${name}\``);
  const note = /"note":("(?:[^"\\]|\\.)*")/.exec(edit?.result ?? '')?.[1];
  return {
    text: [
      findingOf(auditOf(exchanges)),
      ...(installers.length === 0 ? [] : [`${INSTALLERS}${installers.join(', ')}.`]),
      verdict === undefined
        ? 'There is no report that I could read again.'
        : `The report is in ${reportPath}; its verdict: ${verdict}`,
      ...(edit && !wasEdited(exchanges)
        ? [`My edit did not go through${note === undefined ? '' : `; the reason I was given: ${note}`}.`]
        : []),
      ...said.map((text) => `You told me: ${text}`),
    ].join('\n\n'),
  };
}

function wasEdited(exchanges: readonly Exchange[]): boolean {
  return exchanges.some(
    ({ tool, result }) => tool === 'edit_file' && /Edited |this edit already/.test(result),
  );
}

function userTexts(request: ChatRequest): string[] {
  return request.messages.filter(({ role }) => role === 'user').map(textOf);
}

function reportPathIn(request: ChatRequest): string {
  return /`(demo-reports\/[^`]+\.md)`/.exec(userTexts(request)[0] ?? '')?.[1] ?? reportPathOf('report');
}

function runIdOf(reportPath: string): string {
  return reportPath.replace(/^.*\/|\.md$/g, '');
}
