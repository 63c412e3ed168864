import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineTool } from '../define-tool.js';
import { TRANSCRIPT_LIMIT_CHARS } from '../tool-output.js';
import { refusal } from '../workspace.js';

/** A page with its last line must stay below what the transcript takes, or reading an artifact would make another one. */
const PAGE_CHARS = TRANSCRIPT_LIMIT_CHARS - 200;

/** `read_artifact`: pages through a result that was too long for the transcript. */
export function readArtifactTool(): Tool {
  return defineTool({
    name: 'read_artifact',
    description: 'Reads part of a long tool result that was cut, by the id that stands where it was cut.',
    input: z.object({
      id: z
        .string()
        .regex(/^sha256-[0-9a-f]{64}$/, 'must be an id such as sha256-… from a result that was cut'),
      offset: z.int().min(0).default(0).describe('First character to read, from 0.'),
      length: z.int().min(1).max(PAGE_CHARS).default(PAGE_CHARS).describe('How many characters to read.'),
    }),
    effect: 'read',
    execute: async ({ id, offset, length }, { artifacts }) => {
      const page = await artifacts.read(id, { offset, length });
      if (page === null) throw refusal('There is no artifact with this id.');
      if (offset >= page.totalChars) throw refusal(`The artifact has only ${page.totalChars} characters.`);
      const end = offset + page.text.length;
      const next = end < page.totalChars ? `; go on with offset ${end}` : '';
      return `${page.text}\n\n(characters ${offset} to ${end} of ${page.totalChars}${next})`;
    },
  });
}
