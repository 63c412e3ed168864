import { reviewItems } from '../../src/core/review/review-brief.js';
import type { TranscriptItem } from '../../src/core/transcript.js';
import { cannedAgent } from '../../src/testing/canned-agent.js';
import { answerUnderReview } from '../../src/testing/review-request.js';
import type { Reply } from '../../src/testing/stand-in/script.js';

const GOAL = 'Look around.';
const FILES = 'src/\nREADME.md\npackage.json';
const tools = ['list_files', 'read_file'].map((name) => ({ type: 'function' as const, function: { name } }));

const wire = (item: TranscriptItem) => {
  if (item.role === 'tool') return { role: 'tool', tool_call_id: item.callId, content: item.content };
  const { role, content } = item;
  if (item.role !== 'assistant' || !item.calls) return { role, content };
  const calls = item.calls.map(({ id, name, args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  }));
  return { role, content, tool_calls: calls };
};

/** What it answers to a conversation. */
async function reply(items: readonly TranscriptItem[], purpose: string): Promise<Reply> {
  const sent = purpose === 'review' ? reviewItems(items) : items;
  const request = { model: 'm', messages: sent.map(wire), ...(purpose === 'step' && { tools }) };
  const stepIndex = sent.filter(({ role }) => role === 'assistant').length;
  const context = {
    metadata: { longhaul_purpose: purpose },
    model: 'm',
    stepIndex,
    callCount: 1,
    attempt: 1,
  };
  return cannedAgent(request, context);
}

describe('the stand-in as an agent and its own reviewer', () => {
  it('finds one thing to mend, mends it, and is content then', async () => {
    const items: TranscriptItem[] = [
      { role: 'system', content: 'You are.' },
      { role: 'user', content: GOAL },
    ];
    for (const content of [FILES, '# Read me']) {
      const { text = '', toolCalls = [] } = await reply(items, 'step');
      const calls = toolCalls.map(({ name, args = {} }, index) => ({
        id: `call_${items.length}_${index}`,
        name,
        args: JSON.stringify(args),
      }));
      items.push({ role: 'assistant', content: text, calls });
      for (const { id } of calls) items.push({ role: 'tool', callId: id, content });
    }
    const first = (await reply(items, 'step')).text ?? '';
    items.push({ role: 'assistant', content: first });
    const gap = (await reply(items, 'review')).text ?? '';
    expect(gap).toMatch(/^1\. /);
    expect(gap).not.toContain('[DONE]');

    items.push({ role: 'user', content: `A reviewer has found this about your answer:\n\n${gap}` });
    const mended = (await reply(items, 'step')).text ?? '';
    expect(mended).toContain('README.md');
    items.push({ role: 'assistant', content: mended });
    expect((await reply(items, 'review')).text?.split('\n').at(-1)).toBe('[DONE]');
  });

  it('calls nothing where a summary or a closing answer is asked for', async () => {
    const items: TranscriptItem[] = [{ role: 'user', content: GOAL }];
    for (const purpose of ['compaction', 'landing']) {
      const { text, toolCalls } = await reply(items, purpose);
      expect([text, toolCalls]).toEqual([expect.stringContaining(GOAL), undefined]);
    }
  });

  it('reads the answer out of what a reviewer is sent, whatever else stands there', () => {
    const items: TranscriptItem[] = [
      { role: 'system', content: 'You are.' },
      { role: 'user', content: 'The answer:\n---\nnot this one\n---' },
      { role: 'assistant', content: 'This\none.' },
    ];
    expect(answerUnderReview({ messages: reviewItems(items).map(wire) })).toBe('This\none.');
    expect(answerUnderReview({ messages: items.map(wire) })).toBe('');
  });
});
