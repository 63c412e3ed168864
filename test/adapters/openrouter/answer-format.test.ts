import { toResponseFormat } from '../../../src/adapters/openrouter/answer-format.js';
import { toWireBody } from '../../../src/adapters/openrouter/to-wire.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import type { ModelRequest } from '../../../src/ports/model.js';

const closed = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const TEXT = { type: 'string' };
const SCHEMA = closed({ name: TEXT });
const TOOLS = [{ name: 'f', description: '', parameters: {} }];

const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'openai/gpt-5',
  items: [{ role: 'user', content: 'go' }],
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 10,
  metadata: {},
  sessionId: 'r',
  responseSchema: SCHEMA,
  ...more,
});
const strictOf = (responseSchema: JsonObject): unknown =>
  (toResponseFormat(request({ responseSchema }))?.['json_schema'] as JsonObject | undefined)?.['strict'];

describe('the format of an answer', () => {
  it('is the schema, in the request', () => {
    const { response_format: format }: JsonObject = JSON.parse(toWireBody(request()));
    expect(format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema: SCHEMA, strict: true },
    });
  });

  it.each<[string, Partial<ModelRequest>, boolean]>([
    ['no tools', {}, true],
    ['tools that may not be called', { tools: TOOLS, toolChoice: 'none' }, true],
    ['tools that may be called', { tools: TOOLS }, false],
    ['Gemini and any tools', { tools: TOOLS, toolChoice: 'none', model: 'google/gemini-2.5-pro' }, false],
    ['Gemini and no tools', { model: 'google/gemini-2.5-pro' }, true],
  ])('with %s is sent: %#', (_name, more, isSent) => {
    expect(toResponseFormat(request(more)) !== undefined).toBe(isSent);
  });

  it('is left out where none is asked for', () => {
    const { responseSchema: _schema, ...plain } = request();
    expect(JSON.parse(toWireBody(plain))).not.toHaveProperty('response_format');
  });
});

describe('a schema', () => {
  const nested = (levels: number): JsonObject =>
    levels === 0 ? closed({ x: TEXT }) : closed({ x: nested(levels - 1) });

  it.each<[string, JsonObject]>([
    ['of closed objects', closed({ a: TEXT, b: closed({}), c: { type: ['string', 'null'] } })],
    [
      'with lists, choices and constants',
      closed({ a: { type: 'array', items: { enum: [1, 2] } }, b: { const: 1 } }),
    ],
    ['with alternatives below its root', closed({ a: { anyOf: [TEXT, closed({ b: TEXT })] } })],
    [
      'with words about it',
      closed({ a: { ...TEXT, description: 'd', title: 't' } }, { $schema: 's', title: 't' }),
    ],
    ['as deep as may be', nested(9)],
  ])('is enforced word by word: %s', (_name, schema) => {
    expect(strictOf(schema)).toBe(true);
  });

  it.each<[string, JsonObject]>([
    ['an open object', { type: 'object', properties: { a: TEXT }, required: ['a'] }],
    ['an optional property', closed({ a: TEXT }, { required: [] })],
    [
      'an open object further down',
      closed({ a: { type: 'array', items: { type: 'object', properties: {} } } }),
    ],
    ['an object that may be null, and is open', closed({ a: { type: ['object', 'null'] } })],
    ['no object at its root', { type: 'array', items: TEXT }],
    ['alternatives at its root', closed({ a: TEXT }, { anyOf: [SCHEMA] })],
    ['a list of anything', closed({ a: { type: 'array' } })],
    ['a property of any kind', closed({ a: {} })],
    ['a pattern', closed({ a: { ...TEXT, pattern: '^a' } })],
    ['a default', closed({ a: { ...TEXT, default: 'x' } })],
    ['a reference', closed({ a: { $ref: '#/$defs/x' } })],
    ['true for a schema', closed({ a: true as JsonValue })],
    ['too many levels', nested(10)],
  ])('only guides when it has %s', (_name, schema) => {
    expect(strictOf(schema)).toBe(false);
  });
});
