import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineControlTool } from '../define-tool.js';

/** `delegate`: a sub-agent, a run of its own, carries out a part of the work. */
export function delegateTool(): Tool {
  return defineControlTool({
    name: 'delegate',
    description:
      'Hands a part of the work to a sub-agent and gives you its answer. It begins with nothing but the goal that you write: it sees ' +
      'neither this conversation nor what you have found out, so say all that it must know, and what its answer must contain. Several ' +
      'calls in one answer of yours run in parallel. For work that stands by itself and would fill this conversation; what you can do in ' +
      'a few steps, do yourself. It spends from the same budget.',
    input: z.object({
      goal: z
        .string()
        .trim()
        .min(1)
        .max(20_000)
        .describe('The whole task: background, what to do, what to leave alone, what to answer.'),
      tools: z
        .array(z.string().min(1).max(64))
        .max(128)
        .optional()
        .describe('Names of the tools it may use, out of yours. Left out: all of yours.'),
      maxCostUsd: z.number().positive().optional().describe('The most that it may spend, in US dollars.'),
      maxSteps: z.int().min(1).optional().describe('The most steps that it may take.'),
    }),
    // What it does is gated where it does it: by its own calls.
    effect: 'read',
    control: ({ goal, tools, maxCostUsd, maxSteps }) => ({
      kind: 'delegate',
      goal,
      ...(tools && { tools }),
      ...(maxCostUsd !== undefined && { maxCostUsd }),
      ...(maxSteps !== undefined && { maxSteps }),
    }),
  });
}
