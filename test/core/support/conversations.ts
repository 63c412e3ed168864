import fc from 'fast-check';
import type { TranscriptItem } from '../../../src/core/transcript.js';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.nat(6_000).map((chars) => '🧹 dust'.repeat(Math.ceil(chars / 7))),
);
const words = text.map((said) => `x${said}`);

type Turn =
  | { kind: 'words'; content: string }
  | { kind: 'calls'; content: string; calls: { args: string; result: string }[] };

const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({ kind: fc.constant('words' as const), content: words }),
  fc.record({
    kind: fc.constant('calls' as const),
    content: text,
    calls: fc.array(fc.record({ args: text.map((value) => JSON.stringify({ value })), result: text }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
);

/** Conversations as a run may have them when a model is asked: system prompt, goal, and any steps and words of people. */
export const conversations: fc.Arbitrary<TranscriptItem[]> = fc
  .record({ system: words, goal: words, turns: fc.array(turn, { maxLength: 12 }) })
  .map(({ system, goal, turns }) => [
    { role: 'system', content: system },
    { role: 'user', content: goal },
    ...turns.flatMap(itemsOf),
  ]);

function itemsOf(said: Turn, step: number): TranscriptItem[] {
  if (said.kind === 'words') return [{ role: 'user', content: said.content }];
  const calls = said.calls.map(({ args }, index) => ({ id: `call_${step}_${index}`, name: 'look', args }));
  return [
    { role: 'assistant', content: said.content, calls },
    ...said.calls.map(({ result }, index) => ({
      role: 'tool' as const,
      callId: `call_${step}_${index}`,
      content: result,
    })),
  ];
}
