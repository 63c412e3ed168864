import type { Reply, Script } from './stand-in/script.js';
import { textOf } from './transcript-rules.js';

/** Slow enough to be watched. */
const CHUNK_DELAY_MS = 30;
const FILE = 'stand-in-notes.md';

/**
 * A script for trying things out without a key: it looks at the workspace with real tools, writes a file when the goal speaks of
 * writing (a second time that needs a decision), asks when the goal speaks of asking, and then says what it is.
 */
export const cannedAgent: Script = (request, { stepIndex, metadata }) => {
  const goal = textOf(request.messages.find(({ role }) => role === 'user') ?? { role: 'user', content: '' });
  const results = request.messages.filter(({ role }) => role === 'tool').map(textOf);
  const offered = new Set(request.tools?.map((tool) => tool.function.name));
  const plan = toolSteps(goal, results).filter(({ toolCalls = [] }) =>
    toolCalls.every(({ name }) => offered.has(name)),
  );
  const reply =
    request.tool_choice === 'none' || metadata['longhaul_purpose'] === 'landing'
      ? undefined
      : plan[stepIndex];
  return { chunkDelayMs: CHUNK_DELAY_MS, ...(reply ?? closing(goal, results)) };
};

function toolSteps(goal: string, results: readonly string[]): Reply[] {
  const readable = /^\S+\.(md|txt|json)$/m.exec(results[0] ?? '')?.[0];
  const steps: Reply[] = [
    { text: 'Let me look at the workspace first.', toolCalls: [{ name: 'list_files' }] },
  ];
  if (readable !== undefined)
    steps.push({
      text: `There is ${readable}; I will read it.`,
      toolCalls: [{ name: 'read_file', args: { path: readable, limit: 40 } }],
    });
  if (/\b(write|save|create|note)\b/i.test(goal))
    steps.push({
      text: `I will write down what I saw.`,
      toolCalls: [
        {
          name: 'write_file',
          args: { path: FILE, content: `Seen by the stand-in:\n\n${results[0] ?? ''}\n` },
        },
      ],
    });
  if (/\b(ask|question)\b/i.test(goal))
    steps.push({
      text: 'I need a word from you.',
      toolCalls: [{ name: 'ask_human', args: { question: 'What shall the answer say?' } }],
    });
  return steps;
}

function closing(goal: string, results: readonly string[]): Reply {
  const count = results[0]?.split('\n').length ?? 0;
  return {
    text: [
      `I am the stand-in model: I follow a script and cannot think. Your goal was: ${goal.slice(0, 200)}`,
      `The tools were real: I saw ${count} entries in the workspace and made ${results.length} calls.`,
      'For a real answer set OPENROUTER_API_KEY and start again without --stand-in.',
    ].join('\n'),
  };
}
