import fc from 'fast-check';
import { toWireBody } from '../../../src/adapters/openrouter/to-wire.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import type { ModelRequest, ToolSpec } from '../../../src/ports/model.js';

const MODELS = [
  'anthropic/claude',
  'openai/gpt',
  'google/gemini',
  'deepseek/v4',
  'openrouter/auto',
  'llama3',
];

// Few of each, so that details come again and families mix.
const word = fc.constantFrom('', 'a', 'b', '"', '\ud83d', '\n');
const detail: fc.Arbitrary<JsonValue> = fc.record(
  {
    type: fc.constantFrom('reasoning.text', 'reasoning.summary', 'reasoning.encrypted', 'reasoning.other'),
    text: word,
    summary: word,
    data: word,
    signature: word,
    id: fc.constantFrom(null, 'i', 'j'),
    format: fc.constantFrom('unknown', 'anthropic-claude-v1', 'google-gemini-v1', 'openai-responses-v1'),
  },
  { requiredKeys: ['type'] },
);
const item: fc.Arbitrary<TranscriptItem> = fc.oneof(
  fc.record({ role: fc.constant('user' as const), content: word }),
  fc.record({ role: fc.constant('tool' as const), callId: word, content: word }),
  fc.record(
    {
      role: fc.constant('assistant' as const),
      content: word,
      calls: fc.array(fc.record({ id: word, name: word, args: fc.constant('{}') }), { maxLength: 3 }),
      reasoning: fc.array(detail, { maxLength: 3 }),
      model: fc.constantFrom(...MODELS),
    },
    { requiredKeys: ['role', 'content'] },
  ),
);
const tool: fc.Arbitrary<ToolSpec> = fc.record({
  name: fc.stringMatching(/^[a-zA-Z_]{1,3}$/),
  description: word,
  parameters: fc.dictionary(fc.constantFrom('x', 'y', '1'), fc.constantFrom(1, 'z'), {
    noNullPrototype: true,
  }),
});

interface Run {
  model: string;
  models: string[];
  tools: ToolSpec[];
  system: string;
  items: TranscriptItem[];
}
const run: fc.Arbitrary<Run> = fc.record({
  model: fc.constantFrom(...MODELS),
  models: fc.uniqueArray(fc.constantFrom(...MODELS), { maxLength: 3 }),
  tools: fc.uniqueArray(tool, { selector: ({ name }) => name, maxLength: 4 }),
  system: word,
  items: fc.array(item, { minLength: 1, maxLength: 12 }),
});

function bodyOf({ model, models, tools, system, items }: Run, step: number): JsonObject {
  const request: ModelRequest = {
    model,
    models,
    items: [{ role: 'system', content: system }, ...items.slice(0, step)],
    // Whoever lists the tools may list them in any order.
    tools: step % 2 === 0 ? tools : [...tools].reverse(),
    toolChoice: 'auto',
    reasoning: { effort: 'low' },
    maxOutputTokens: 4_096 + step,
    metadata: { longhaul_step: String(step) },
    sessionId: 'r',
  };
  return JSON.parse(toWireBody(request));
}

/** The bytes of a list but for the bracket that closes it. */
const openEnded = (list: JsonValue | undefined): string => JSON.stringify(list).slice(0, -1);

/** What may differ between two requests of a run: which answer it is for, how long it may be, and who may stand in. */
const settings = ({
  messages: _m,
  metadata: _d,
  max_tokens: _t,
  models: _s,
  ...others
}: JsonObject): string => JSON.stringify(others);

describe('two requests of a growing transcript', () => {
  it('have the same messages, byte for byte, but for those that were appended, and the same of all else that a prompt is made of', () => {
    fc.assert(
      fc.property(run, (given) => {
        for (let step = 1; step <= given.items.length; step++) {
          const [before, after] = [bodyOf(given, step - 1), bodyOf(given, step)];
          expect(JSON.stringify(after['messages']).startsWith(openEnded(before['messages']))).toBe(true);
          expect(JSON.stringify(after['tools'])).toBe(JSON.stringify(before['tools']));
          expect(settings(after)).toBe(settings(before));
        }
      }),
    );
  });
});

describe('breakpoints of a prompt cache', () => {
  const sent = (model: string, system = 's') =>
    bodyOf({ model, models: [], tools: [], system, items: [{ role: 'user', content: 'u' }] }, 1);

  it('are at the end of the system prompt, and left to Anthropic at the end of the transcript', () => {
    for (const model of ['anthropic/claude', '~anthropic/claude-latest', 'anthropic/claude:thinking'])
      expect(sent(model)).toMatchObject({
        cache_control: { type: 'ephemeral' },
        messages: [
          { role: 'system', content: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }] },
          { role: 'user', content: 'u' },
        ],
      });
  });

  it('are not sent to families that cache unasked', () => {
    for (const model of MODELS.slice(1)) expect(JSON.stringify(sent(model))).not.toContain('cache_control');
  });

  it('do not make a part of an empty system prompt, which is refused', () => {
    expect(sent('anthropic/claude', '')['messages']).toMatchObject([{ role: 'system', content: '' }, {}]);
  });
});
