import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineTool } from '../define-tool.js';
import { existsInside, readTextFile, writeTextFile } from '../workspace-files.js';
import { quote, refusal, type Workspace } from '../workspace.js';

/** `edit_file`: replaces one passage. Running it again finds the edit made and leaves it at that. */
export function editFileTool(workspace: Workspace): Tool {
  return defineTool({
    name: 'edit_file',
    description:
      'Replaces one passage of a text file of the workspace. "find" must be found exactly once, so take enough lines around it. ' +
      'A person is asked first.',
    input: z.object({
      path: z.string().min(1).describe('File, relative to the workspace.'),
      find: z.string().min(1).describe('Exact text to replace, with its white space and line breaks.'),
      replace: z.string().describe('Text to put in its place.'),
    }),
    effect: 'idempotent',
    approval: ({ path }) => existsInside(workspace, path),
    execute: async ({ path, find, replace }) => {
      if (find === replace)
        throw refusal('"find" and "replace" are the same text: there is nothing to edit.');
      const { text } = await readTextFile(workspace, path);
      const edit = planEdit(text, find, replace);
      switch (edit.kind) {
        case 'done':
          return `${quote(path)} has this edit already; nothing was changed.`;
        case 'missing':
          throw refusal(
            `The text to replace is not in ${quote(path)}. Read the file again: white space and line breaks count.`,
          );
        case 'ambiguous':
          throw refusal(
            `The text to replace is in ${quote(path)} ${edit.count} times. Take more of the text around the place you mean.`,
          );
        default:
          await writeTextFile(workspace, path, edit.text);
          return `Edited ${quote(path)} at line ${edit.line}.`;
      }
    },
  });
}

type Edit =
  | { kind: 'done' }
  | { kind: 'missing' }
  | { kind: 'ambiguous'; count: number }
  | { kind: 'edit'; text: string; line: number };

function planEdit(text: string, find: string, replace: string): Edit {
  const count = text.split(find).length - 1;
  // A deletion leaves nothing to recognise it by: a passage that is gone counts as deleted.
  if (count === 0) return { kind: text.includes(replace) ? 'done' : 'missing' };
  // "a" to "ab" would become "abb" when tried again: where "a" stands only within "ab", the edit was made before.
  const rest = replace.includes(find) ? text.split(replace) : [text];
  if (!rest.some((part) => part.includes(find))) return { kind: 'done' };
  if (count > 1) return { kind: 'ambiguous', count };
  const start = text.indexOf(find);
  const before = text.slice(0, start);
  return {
    kind: 'edit',
    text: before + replace + text.slice(start + find.length),
    line: before.split('\n').length,
  };
}
