import { answerUnderReview, findingsIn } from './review-request.js';
import type { ChatRequest, Reply, Script } from './stand-in/script.js';
import { textOf } from './transcript-rules.js';

/** Slow enough to be watched. */
const CHUNK_DELAY_MS = 30;
const FILE = 'stand-in-notes.md';
/** What its own reviewer wants in an answer, and where it finds that. */
const NAMES = 'Among them: ';

/**
 * A script for trying things out without a key: it looks at the workspace with real tools, writes a file when the goal speaks of
 * writing (a second time that needs a decision), asks when the goal speaks of asking, and then says what it is. As a reviewer it
 * finds one thing to mend in the first answer, and nothing in the next.
 */
export const cannedAgent: Script = (request, { stepIndex, metadata }) => {
  const purpose = metadata['longhaul_purpose'];
  if (purpose === 'review') return { chunkDelayMs: CHUNK_DELAY_MS, text: verdictOn(request) };
  const goal = textOf(request.messages.find(({ role }) => role === 'user') ?? { role: 'user', content: '' });
  const results = request.messages.filter(({ role }) => role === 'tool').map(textOf);
  const offered = new Set(request.tools?.map((tool) => tool.function.name));
  const plan = toolSteps(goal, results).filter(({ toolCalls = [] }) =>
    toolCalls.every(({ name }) => offered.has(name)),
  );
  const reply =
    request.tool_choice === 'none' || purpose === 'landing' || purpose === 'compaction'
      ? undefined
      : plan[stepIndex];
  return {
    chunkDelayMs: CHUNK_DELAY_MS,
    ...(reply ?? closing(goal, results, findingsIn(request).length > 0)),
  };
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

function verdictOn(request: ChatRequest): string {
  return answerUnderReview(request).includes(NAMES)
    ? 'The answer names what it saw, and the calls bear it out.\n\n[DONE]'
    : '1. The answer counts the entries of the workspace and names none of them. Name some.';
}

function closing(goal: string, results: readonly string[], isReviewed: boolean): Reply {
  const entries = results[0]?.split('\n') ?? [];
  return {
    text: [
      `I am the stand-in model: I follow a script and cannot think. Your goal was: ${goal.slice(0, 200)}`,
      `The tools were real: I saw ${entries.length} entries in the workspace and made ${results.length} calls.`,
      ...(isReviewed ? [`${NAMES}${entries.slice(0, 5).join(', ') || 'nothing'}.`] : []),
      'For a real answer set OPENROUTER_API_KEY and start again without --stand-in.',
    ].join('\n'),
  };
}
