import { createHash } from 'node:crypto';
import { toWireBody } from '../../src/adapters/openrouter/to-wire.js';
import { canonicalJson, type JsonObject } from '../../src/core/json.js';
import type { ModelResult } from '../../src/core/outcomes.js';
import type { TranscriptItem } from '../../src/core/transcript.js';
import type { CallModelInput } from '../../src/core/model/model-work.js';
import type { ModelAnswer } from '../../src/ports/model.js';
import { ANSWER, callModel, type CallOptions } from './support/model-call.js';

const SCHEMA: JsonObject = { type: 'object', required: ['n'] };

const LIFE: TranscriptItem[] = [
  { role: 'system', content: 'You are an agent.' },
  { role: 'user', content: 'Count the drawers.' },
  {
    role: 'assistant',
    content: 'SECRET-THOUGHT',
    calls: [{ id: 'call_a', name: 'look', args: '{}' }],
    reasoning: [{ type: 'reasoning.text', text: 'SECRET-REASONING' }],
    model: 'maker/first',
  },
  { role: 'tool', callId: 'call_a', content: 'Seven drawers.' },
  { role: 'assistant', content: 'There are seven.' },
];

/** Asks for a model call of a run that has given an answer. */
function ask(
  input: Partial<CallModelInput>,
  answer: Partial<ModelAnswer> = {},
  options: CallOptions & { schema?: JsonObject; reviewer?: string } = {},
) {
  const { schema, reviewer, ...rest } = options;
  return callModel(async () => ({ ...ANSWER, ...answer }), {
    ...rest,
    input: { version: LIFE.length, ...input },
    arrange: (run) => {
      run.items = LIFE;
      const { current } = run;
      if (!current.prepared) throw new Error('The run is prepared.');
      run.current = {
        ...current,
        input: { ...current.input, ...(schema && { schema }) },
        prepared: {
          ...current.prepared,
          review: { rounds: 1, checks: [], ...(reviewer !== undefined && { model: reviewer }) },
        },
      };
    },
  });
}

const review = (answer: Partial<ModelAnswer> = {}, input: Partial<CallModelInput> = {}) =>
  ask({ purpose: 'review', hash: hashOf(), ...input }, answer);

/** What a step names of the transcript. */
function hashOf(): string {
  const { run } = callModel(async () => ANSWER, {
    arrange: (one) => {
      one.items = LIFE;
    },
  });
  return run.wanted().hash;
}

describe('the request of a review', () => {
  it('names no tools and tells nothing that the agent thought', async () => {
    const { result, sent } = review();
    await result;
    const [request] = sent;
    expect(request).toMatchObject({
      tools: [],
      sessionId: 'first.review',
      metadata: { longhaul_purpose: 'review' },
    });
    expect(request).not.toHaveProperty('responseSchema');
    const body = request ? toWireBody(request) : '';
    expect(body).not.toContain('SECRET');
    expect(body).toContain('Seven drawers.');
    expect(body).toContain('There are seven.');
    expect(JSON.parse(body)).not.toHaveProperty('tools');
    expect(JSON.parse(body).messages.map(({ role }: JsonObject) => role)).toEqual(['system', 'user']);
  });

  it('has the fallback models of the run, unless the reviewer is a model of its own', async () => {
    const own = review();
    await own.result;
    expect(own.sent[0]).toMatchObject({ model: 'maker/first', models: ['maker/second'] });
    for (const model of ['other/judge', 'maker/first']) {
      const other = ask({ purpose: 'review', model, hash: hashOf() }, {}, { reviewer: model });
      await other.result;
      expect(other.sent[0]).toMatchObject({ model });
      expect(other.sent[0]).not.toHaveProperty('models');
    }
  });

  it('asks for no schema in a run that has one', async () => {
    const { result, sent } = ask({ purpose: 'review', hash: hashOf() }, {}, { schema: SCHEMA });
    const value = await result;
    expect(sent[0]).not.toHaveProperty('responseSchema');
    expect(value).not.toHaveProperty('schemaProblem');
    expect(value).not.toHaveProperty('json');
  });

  it('brings back the verdict without thoughts and without calls', async () => {
    const calls = [{ id: 'call_b', name: 'look', args: '{}' }];
    const value = await review({ text: '1. Wrong.', calls, reasoning: [{ text: 'Hm.' }] }).result;
    expect(value).toMatchObject({ text: '1. Wrong.' });
    expect(value).not.toHaveProperty('calls');
    expect(value).not.toHaveProperty('reasoning');
  });
});

describe('the last reviewer', () => {
  it('who is not content brings the question that a human is asked, bound to what was found', async () => {
    const text = '1. The date is invented.\n2. [DONE] is not for now.\n';
    const { calls = [] }: ModelResult = Object(await review({ text }, { lastRound: true }).result);
    const args = { gaps: text.trim() };
    const argsHash = `sha256:${createHash('sha256').update(canonicalJson(args)).digest('hex')}`;
    expect(calls).toEqual([
      {
        id: 'review',
        name: 'accept_answer',
        args: JSON.stringify(args),
        effect: 'read',
        control: { kind: 'accept' },
        gate: { argsHash, reason: 'review', summary: expect.stringMatching(/Approve.*reject.*invented/s) },
      },
    ]);
    expect(calls[0]?.gate?.summary.length).toBeLessThanOrEqual(300);
  });

  it('who is content brings none, nor does one before the last', async () => {
    expect(await review({ text: 'Fine.\n[DONE]' }, { lastRound: true }).result).not.toHaveProperty('calls');
    expect(await review({ text: '1. Wrong.' }).result).not.toHaveProperty('calls');
  });
});

describe('the request of an answer with a schema', () => {
  const requestOf = async (input: Partial<CallModelInput>, options: Partial<CallOptions> = {}) => {
    const { result, sent } = ask({ hash: hashOf(), ...input }, {}, { ...options, schema: SCHEMA });
    await result;
    return sent[0];
  };

  it('names the schema where no call can follow: at the repair, at the end, and without tools', async () => {
    expect(await requestOf({ answerOnly: true })).toMatchObject({
      responseSchema: SCHEMA,
      toolChoice: 'none',
      tools: [{ name: 'look' }],
    });
    expect(await requestOf({ purpose: 'landing' })).toMatchObject({ responseSchema: SCHEMA });
    expect(await requestOf({ noTools: true })).toMatchObject({ responseSchema: SCHEMA });
  });

  it.each<Partial<CallModelInput>>([{}, { purpose: 'compaction' }])(
    'does not name it elsewhere: %j',
    async (input) => {
      expect(await requestOf(input)).not.toHaveProperty('responseSchema');
    },
  );
});

describe('an answer', () => {
  const resultOf = (text: string, input: Partial<CallModelInput> = {}, calls: ModelAnswer['calls'] = []) =>
    ask({ hash: hashOf(), ...input }, { text, calls }, { schema: SCHEMA }).result;

  it('that fits says where its value stands', async () => {
    const text = '```json\n{"n":1}\n```';
    const { json = [0, 0] }: ModelResult = Object(await resultOf(text));
    expect(JSON.parse(text.slice(...json))).toEqual({ n: 1 });
    expect(await resultOf('{"n":1}', { purpose: 'landing' })).toMatchObject({ json: [0, 7] });
  });

  it('that does not fit says why', async () => {
    expect(await resultOf('{}')).toMatchObject({ schemaProblem: expect.stringMatching(/property 'n'/) });
    expect(await resultOf('Seven.')).toMatchObject({ schemaProblem: expect.stringMatching(/no JSON/) });
  });

  it('with calls is no answer yet', async () => {
    const value = await resultOf('Let me see.', {}, [{ id: 'call_b', name: 'look', args: '{}' }]);
    expect(value).not.toHaveProperty('schemaProblem');
    expect(value).toHaveProperty('calls');
  });
});
