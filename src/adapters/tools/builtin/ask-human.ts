import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineControlTool } from '../define-tool.js';

/** `ask_human`: the run waits until somebody answers. */
export function askHumanTool(): Tool {
  return defineControlTool({
    name: 'ask_human',
    description:
      'Asks a person a question and waits for the answer, which may take long. Only for what you cannot find out or decide yourself.',
    input: z.object({
      question: z
        .string()
        .trim()
        .min(1)
        .max(4_000)
        .describe('One question, with all that is needed to answer it.'),
    }),
    effect: 'read',
    control: ({ question }) => ({ kind: 'ask', question }),
  });
}
