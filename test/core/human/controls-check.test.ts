import { checkControl, readControl } from '../../../src/core/human/controls-check.js';
import type { ControlName } from '../../../src/core/human/controls.js';
import { NO_LIMITS, type Prepared } from '../../../src/core/run-input.js';
import { eventsOf, gatedCall, lastOf, modelAnswers, modelCalls, refusal, running } from '../support/run.js';
import { Shell } from '../support/shell.js';
import { factsOf } from '../support/world.js';

/** The code with which a control is refused as such, whatever the state. */
function codeOf(name: ControlName, payload: unknown): string | undefined {
  const read = readControl(name, payload);
  return 'refusal' in read ? read.refusal.code : undefined;
}

const CONTROLS: readonly ControlName[] = [
  'decide',
  'approve',
  'reject',
  'answer',
  'say',
  'pause',
  'resume',
  'stop',
  'setLimits',
];

describe('a control as it comes over the wire', () => {
  it.each(['approve', 'reject', 'pause', 'resume', 'stop'] as const)('needs no argument: %s', (name) => {
    expect(codeOf(name, undefined)).toBeUndefined();
    expect(codeOf(name, null)).toBeUndefined();
    expect(codeOf(name, {})).toBeUndefined();
  });

  it.each(CONTROLS)('is refused when it is no object: %s', (name) => {
    for (const payload of ['x', 7, true, [], [{}]]) expect(codeOf(name, payload)).toBe('INPUT_INVALID');
  });

  it.each(['note', 'by', 'callId', 'messageId', 'argsHash'])(
    'is refused when %s is no text, and passed where it is null',
    (field) => {
      expect(codeOf('approve', { [field]: 7 })).toBe('INPUT_INVALID');
      expect(codeOf('approve', { [field]: null })).toBeUndefined();
    },
  );

  it.each(['by', 'callId', 'messageId', 'argsHash'])('may have up to 256 characters in %s', (field) => {
    expect(codeOf('approve', { [field]: 'x'.repeat(256) })).toBeUndefined();
    expect(codeOf('approve', { [field]: 'x'.repeat(257) })).toBe('MESSAGE_TOO_LARGE');
  });

  it('may have up to 65,536 characters in a note or a text', () => {
    expect(codeOf('reject', { note: 'x'.repeat(65_536) })).toBeUndefined();
    expect(codeOf('reject', { note: 'x'.repeat(65_537) })).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf('say', { text: 'x'.repeat(65_536) })).toBeUndefined();
    expect(codeOf('say', { text: 'x'.repeat(65_537) })).toBe('MESSAGE_TOO_LARGE');
  });

  it('keeps fields that mean something and passes over the rest', () => {
    expect(
      readControl('decide', { decision: 'approve', args: { n: 2 }, by: 'ada', mood: 'good', signature: 'x' }),
    ).toEqual({
      control: { kind: 'decide', decision: 'approve', args: { n: 2 }, by: 'ada', signature: 'x' },
    });
    expect(readControl('say', { text: 'Hi.', mode: 'queue', messageId: 'm', by: 'ada', note: 'n' })).toEqual({
      control: { kind: 'say', text: 'Hi.', mode: 'queue', messageId: 'm', by: 'ada' },
    });
    expect(readControl('stop', { note: 'Enough.', by: 'ada', text: 't' })).toEqual({
      control: { kind: 'stop', note: 'Enough.', by: 'ada' },
    });
  });

  it('is a decision under its short name, whatever its payload says', () => {
    expect(readControl('reject', { decision: 'approve' })).toEqual({
      control: { kind: 'decide', decision: 'reject' },
    });
  });

  it.each([undefined, 'maybe', true])('is no decision with %j', (decision) => {
    expect(codeOf('decide', { decision })).toBe('INPUT_INVALID');
  });

  it.each([undefined, '', '  \n'])('says nothing with %j', (text) => {
    expect(codeOf('say', { text })).toBe('INPUT_INVALID');
    expect(codeOf('answer', { text, callId: 's0.c0' })).toBe('INPUT_INVALID');
  });

  it('takes no mode that it does not know', () => {
    expect(codeOf('say', { text: 'Hi.', mode: 'shout' })).toBe('INPUT_INVALID');
  });

  it.each([
    { maxSteps: 0 },
    { maxSteps: -1 },
    { maxSteps: 1.5 },
    { maxTokens: '9' },
    { maxDurationMs: 1e16 },
    { maxCostUsd: Number.NaN },
    { maxCostUsd: Number.POSITIVE_INFINITY },
    { maxCostUsd: 1_000_001 },
    { maxSteps: 3, maxTokens: 0.5 },
    {},
    { by: 'ada' },
  ])('sets no ceiling with %p', (payload) => {
    expect(codeOf('setLimits', payload)).toBe('INPUT_INVALID');
  });

  it('sets a ceiling, takes one away with null and leaves the others alone', () => {
    expect(readControl('setLimits', { maxCostUsd: 0.5, maxSteps: null, by: 'ada' })).toEqual({
      control: { kind: 'setLimits', maxCostUsd: 0.5, maxSteps: null, by: 'ada' },
    });
  });
});

describe('a control that a run refuses', () => {
  it('is a durable event with the code, and nothing else changes', () => {
    const shell = modelCalls(running(), gatedCall());
    const { state } = shell;
    shell.control('reject', { callId: 's0.c0', note: 'x'.repeat(3_000_000) });
    expect(lastOf(shell, 'control_rejected')).toMatchObject({
      control: 'reject',
      code: 'MESSAGE_TOO_LARGE',
      callId: 's0.c0',
    });
    expect(shell.state).toEqual({ ...state, seq: state.seq + 1, lastRefused: shell.state.lastRefused });
  });

  it('leaves nothing large in the event', () => {
    const shell = running().control('approve', {
      callId: 'x'.repeat(3_000_000),
      note: 'x'.repeat(3_000_000),
    });
    expect(refusal(shell)).toBe('MESSAGE_TOO_LARGE');
    expect(JSON.stringify(lastOf(shell, 'control_rejected')).length).toBeLessThan(1_000);
  });

  it.each(CONTROLS)('for it has ended is answered, and leaves no event behind the last: %s', (name) => {
    const shell = modelAnswers(running(), { text: 'Done.' });
    expect(checkControl(shell.state, name, undefined)).toMatchObject({ refusal: { code: 'RUN_CLOSED' } });
    shell.control(name, { text: 'Hi.', callId: 's0.c0', maxSteps: 3 });
    expect(eventsOf(shell.events, 'control_rejected')).toEqual([]);
  });

  it('is the same before it is applied as when it is', () => {
    const shell = modelCalls(running(), gatedCall(), gatedCall());
    const before = checkControl(shell.state, 'approve', {});
    expect(before).toMatchObject({ refusal: { code: refusal(shell.control('approve')) } });
  });
});

describe('a payload that is no JSON object', () => {
  it.each([[[1]], ['text'], [5], [true], [new Uint8Array([1, 2])]])(
    'is refused, so that it decides nothing: %p',
    (payload) => {
      expect(readControl('approve', payload)).toMatchObject({ refusal: { code: 'INPUT_INVALID' } });
    },
  );
});

describe('a ceiling on cost that could not be kept', () => {
  const unpriced = (fields: Partial<Prepared> = {}) =>
    running({
      modelFacts: { 'maker/first': factsOf(), 'maker/second': factsOf(null) },
      models: ['maker/second'],
      ...fields,
    });
  const sets = (shell: Shell, limits: object) => checkControl(shell.state, 'setLimits', limits);

  it('is refused, with the models that nobody knows the price of', () => {
    expect(sets(unpriced(), { maxCostUsd: 1 })).toEqual({
      refusal: { code: 'PRICE_UNKNOWN', message: expect.stringContaining('what maker/second costs') },
    });
    const shell = unpriced().control('setLimits', { maxCostUsd: 1, maxSteps: 3 });
    expect([refusal(shell), shell.state.prepared?.limits]).toEqual(['PRICE_UNKNOWN', NO_LIMITS]);
  });

  it('is taken where a high price may be assumed, all prices are known, or none is asked for', () => {
    expect(sets(unpriced({ unpricedModels: 'estimate' }), { maxCostUsd: 1 })).toHaveProperty('control');
    expect(sets(unpriced({ models: [] }), { maxCostUsd: 1 })).toHaveProperty('control');
    expect(sets(unpriced(), { maxCostUsd: null })).toHaveProperty('control');
    expect(sets(unpriced(), { maxSteps: 3 })).toHaveProperty('control');
    expect(checkControl(new Shell().state, 'setLimits', { maxCostUsd: 1 })).toHaveProperty('control');
  });

  it('is taken for a model of which the server could not be asked, at an assumed price', () => {
    expect(sets(running({ modelFacts: {} }), { maxCostUsd: 1 })).toHaveProperty('control');
  });
});

describe('a run whose last costs are awaited', () => {
  it.each(CONTROLS)('has ended for every control: %s', (name) => {
    const shell = modelAnswers(running(), { text: 'Done.', costNanoUsd: null, generationId: 'gen-1' });
    expect(shell.state.phase).toBe('settling');
    expect(checkControl(shell.state, name, { text: 'Hi.', maxSteps: 3, decision: 'approve' })).toMatchObject({
      refusal: { code: 'RUN_CLOSED', message: expect.stringContaining('last costs') },
    });
  });
});

describe('the ceilings of a sub-agent', () => {
  const parent = { runId: 'r', key: 's0.c0', rootId: 'r', path: 's0.c0', depth: 1 };
  const limits = { maxCostUsd: 1, maxTokens: null };
  const shell = () => running({ limits: { ...NO_LIMITS, ...limits } }, { goal: 'x', limits, parent });

  it.each([{ maxCostUsd: 2 }, { maxCostUsd: null }])('are not raised above its share: %j', (asked) => {
    expect(checkControl(shell().state, 'setLimits', asked)).toMatchObject({
      refusal: { code: 'INPUT_INVALID', message: expect.stringContaining('of r') },
    });
  });

  it.each([{ maxCostUsd: 0.5 }, { maxTokens: 9 }, { maxSteps: 900 }])(
    'are changed as they may be: %j',
    (asked) => {
      expect(checkControl(shell().state, 'setLimits', asked)).toHaveProperty('control');
    },
  );
});
