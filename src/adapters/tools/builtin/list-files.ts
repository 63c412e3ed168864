import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineTool } from '../define-tool.js';
import { walk } from '../workspace-files.js';
import { checkAllowed, resolveInside, type Workspace } from '../workspace.js';

const SUFFIXES = { file: '', directory: '/', link: '@', other: '?' };

/** `list_files`: the names in a directory, one a line. */
export function listFilesTool(workspace: Workspace): Tool {
  return defineTool({
    name: 'list_files',
    description:
      'Lists the files of a directory of the workspace, one path a line. Directories end with "/", symbolic links with "@". ' +
      'A recursive listing does not go into .git and node_modules.',
    input: z.object({
      path: z.string().default('.').describe('Directory, relative to the workspace.'),
      recursive: z.boolean().default(false),
      maxEntries: z.int().min(1).max(2_000).default(500),
    }),
    effect: 'read',
    execute: async ({ path, recursive, maxEntries }, { signal }) => {
      const start = await resolveInside(workspace, path);
      checkAllowed(workspace, start, 'read');
      const lines: string[] = [];
      let isCut = false;
      for await (const { place, kind } of walk(workspace, start, { recursive, signal })) {
        isCut = lines.length === maxEntries;
        if (isCut) break;
        lines.push(place + SUFFIXES[kind]);
      }
      if (lines.length === 0) return '(empty directory)';
      lines.sort();
      if (isCut)
        lines.push(
          `(there are more than these ${maxEntries} entries; list a directory below, or raise maxEntries)`,
        );
      return lines.join('\n');
    },
  });
}
