import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineTool } from '../define-tool.js';
import { readTextFile } from '../workspace-files.js';
import { quote, refusal, type Workspace } from '../workspace.js';

/** `read_file`: the lines of a text file, a page at a time. */
export function readFileTool(workspace: Workspace): Tool {
  return defineTool({
    name: 'read_file',
    description:
      'Reads a text file of the workspace. The text comes as it is, without line numbers. Long files come in pages of lines.',
    input: z.object({
      path: z.string().min(1).describe('File, relative to the workspace.'),
      offset: z.int().min(1).default(1).describe('First line to read, from 1.'),
      limit: z.int().min(1).max(10_000).default(2_000).describe('How many lines to read.'),
    }),
    effect: 'read',
    execute: async ({ path, offset, limit }) => {
      const { text } = await readTextFile(workspace, path);
      if (text === '') return '(empty file)';
      const lines = text.split('\n');
      if (lines.at(-1) === '') lines.pop();
      if (offset > lines.length) throw refusal(`${quote(path)} has only ${lines.length} lines.`);
      if (offset === 1 && limit >= lines.length) return text;
      const end = Math.min(offset - 1 + limit, lines.length);
      const page = lines.slice(offset - 1, end).join('\n');
      const next = end < lines.length ? `; go on with offset ${end + 1}` : '';
      return `${page}\n\n(lines ${offset} to ${end} of ${lines.length}${next})`;
    },
  });
}
