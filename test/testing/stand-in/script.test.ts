import {
  echoScript,
  scriptedSteps,
  type ChatRequest,
  type ScriptContext,
} from '../../../src/testing/stand-in/script.js';

const request = (extra: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  ...extra,
});
const context = (stepIndex: number, metadata: Record<string, string> = {}): ScriptContext => ({
  metadata,
  model: 'm',
  stepIndex,
  callCount: 1,
  attempt: 1,
});

describe('scriptedSteps', () => {
  const script = scriptedSteps(
    [{ toolCalls: [{ name: 'look' }] }, { text: 'half', toolCalls: [{ name: 'look' }] }, { text: 'done' }],
    {
      byPurpose: {
        review: { text: 'good' },
        compaction: (_request, { stepIndex }) => ({ text: `so far ${stepIndex}` }),
      },
    },
  );

  test('goes by the assistant messages so far, and stays at the last answer', () => {
    expect([0, 1, 2, 3].map((step) => script(request(), context(step)))).toMatchObject([
      { toolCalls: [{}] },
      { text: 'half' },
      { text: 'done' },
      { text: 'done' },
    ]);
  });

  test('leaves calls out where none may be made', () => {
    const landing = request({ tool_choice: 'none' });
    expect(script(landing, context(0))).toEqual({ text: 'Landed without further calls.' });
    expect(script(landing, context(1))).toEqual({ text: 'half' });
  });

  test('answers other purposes with their own reply or script', () => {
    expect(script(request({ tool_choice: 'none' }), context(1, { longhaul_purpose: 'review' }))).toEqual({
      text: 'good',
    });
    expect(script(request(), context(5, { longhaul_purpose: 'compaction' }))).toEqual({ text: 'so far 5' });
    expect(script(request(), context(2, { longhaul_purpose: 'step' }))).toEqual({ text: 'done' });
  });
});

test('echoScript says the last message again', () => {
  expect(
    echoScript(
      request({
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
        ],
      }),
      context(0),
    ),
  ).toEqual({ text: 'ab' });
});
