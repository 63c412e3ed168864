import { lstat } from 'node:fs/promises';
import { basename, dirname, sep } from 'node:path';
import { z } from 'zod';
import { isAgentError } from '../../../core/errors.js';
import type { Tool } from '../../../ports/tools.js';
import { defineTool } from '../define-tool.js';
import { pathMatcher } from '../path-match.js';
import { decodeText, readRegularFile, walk, type WalkEntry } from '../workspace-files.js';
import { checkAllowed, openDirectory, resolveInside, type Workspace } from '../workspace.js';

const MAX_SEARCHED_BYTES = 2 * 1024 * 1024;
const MAX_FILES = 20_000;
const MAX_LINE_CHARS = 300;

interface Query {
  pattern: string;
  ignoreCase: boolean;
}

/**
 * `search_files`: lines that contain a text. Literal text only: a regular expression that a model writes can take for ever,
 * and Node has no engine that is proof against that.
 */
export function searchFilesTool(workspace: Workspace): Tool {
  return defineTool({
    name: 'search_files',
    description:
      'Finds lines that contain a text in the files of the workspace; gives "path:line: text". ' +
      'The pattern is literal text, not a regular expression. Passes over .git, node_modules, binary files and files above 2 MB.',
    input: z.object({
      pattern: z.string().min(1).max(1_000).describe('Literal text to find within one line.'),
      path: z.string().default('.').describe('Directory or file to search, relative to the workspace.'),
      glob: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('Only files that fit, such as "*.ts" or "src/**/*.{ts,js}" (from the workspace).'),
      ignoreCase: z.boolean().default(false),
      maxMatches: z.int().min(1).max(1_000).default(100),
    }),
    effect: 'read',
    execute: async ({ pattern, path, glob, ignoreCase, maxMatches }, { signal }) => {
      const query = { pattern: ignoreCase ? pattern.toLowerCase() : pattern, ignoreCase };
      const fits = glob === undefined ? () => true : pathMatcher(glob);
      const lines: string[] = [];
      let files = 0;
      for await (const entry of filesAt(workspace, await resolveInside(workspace, path), signal)) {
        if (!fits(entry.place.split(sep).join('/'))) continue;
        files += 1;
        if (files > MAX_FILES) break;
        for (const line of await matchesIn(entry, query)) lines.push(line);
        if (lines.length > maxMatches) break;
      }
      if (lines.length > maxMatches)
        return [...lines.slice(0, maxMatches), `(there are more than these ${maxMatches} matches)`].join(
          '\n',
        );
      if (files > MAX_FILES) lines.push(`(stopped after ${MAX_FILES} files; search a directory below)`);
      if (lines.length > 0) return lines.join('\n');
      return /[\\|*+?[\]^$]/.test(pattern)
        ? '(no matches; note that the pattern is taken literally)'
        : '(no matches)';
    },
  });
}

/** The readable files below a directory, or the one file that is named. */
async function* filesAt(workspace: Workspace, start: string, signal: AbortSignal): AsyncGenerator<WalkEntry> {
  checkAllowed(workspace, start, 'read');
  const parent = start === '' || dirname(start) === '.' ? '' : dirname(start);
  const directory = await openDirectory(workspace, parent);
  try {
    const name = basename(start);
    const path = `${directory.path}/${name}`;
    if (start !== '' && (await lstat(path).catch(() => null))?.isFile()) {
      yield { place: start, name, path, kind: 'file' };
      return;
    }
  } finally {
    await directory.close();
  }
  for await (const entry of walk(workspace, start, { recursive: true, signal })) {
    if (entry.kind === 'file' && isAllowed(workspace, entry.place)) yield entry;
  }
}

function isAllowed(workspace: Workspace, place: string): boolean {
  try {
    checkAllowed(workspace, place, 'read');
    return true;
  } catch {
    return false;
  }
}

async function matchesIn(entry: WalkEntry, { pattern, ignoreCase }: Query): Promise<string[]> {
  const bytes = await readRegularFile(entry.path, MAX_SEARCHED_BYTES).catch(passOver);
  const text = bytes && decodeText(bytes);
  if (!text) return [];
  const found: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const column = (ignoreCase ? line.toLowerCase() : line).indexOf(pattern);
    if (column >= 0) found.push(`${entry.place}:${index + 1}: ${around(line.trimEnd(), column)}`);
  }
  return found;
}

/** A file that vanished or may not be read does not end a search. */
function passOver(error: unknown): null {
  if (isAgentError(error) || (error instanceof Error && 'code' in error)) return null;
  throw error;
}

function around(line: string, column: number): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  const start = Math.max(0, Math.min(column - 100, line.length - MAX_LINE_CHARS));
  return `${start > 0 ? '…' : ''}${line.slice(start, start + MAX_LINE_CHARS)}${start + MAX_LINE_CHARS < line.length ? '…' : ''}`;
}
