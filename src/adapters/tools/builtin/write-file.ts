import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineTool } from '../define-tool.js';
import { existsInside, writeTextFile } from '../workspace-files.js';
import { quote, type Workspace } from '../workspace.js';

/** `write_file`: a whole file. Overwriting one that exists needs a human's yes, a new one does not. */
export function writeFileTool(workspace: Workspace): Tool {
  return defineTool({
    name: 'write_file',
    description:
      'Writes a text file of the workspace, whole; makes missing directories. Overwriting an existing file asks a person first.',
    input: z.object({
      path: z.string().min(1).describe('File, relative to the workspace.'),
      content: z.string().describe('The whole new content.'),
    }),
    effect: 'idempotent',
    approval: ({ path }) => existsInside(workspace, path),
    execute: async ({ path, content }) => {
      const { sizeBytes } = await writeTextFile(workspace, path, content);
      return `Wrote ${sizeBytes} bytes to ${quote(path)}.`;
    },
  });
}
