import { NO_LIMITS } from '../../../src/core/run-input.js';
import { EMPTY_HASH, hashItems } from '../../../src/core/transcript.js';
import { view } from '../../../src/core/view.js';
import {
  callOf, eventsOf, lastMessage, lastOf, modelAnswers, modelCalledOff, modelCalls, modelFails, modelGivesUp, modelInput, modelKey, modelSettles, roles, running,
  toolAnswers, underWay,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('a step', () => {
  it('asks the model with the length and hash of the transcript, not with the transcript', () => {
    const shell = running();
    const { transcript } = shell.state;
    expect(shell.started.get('s0.m0')).toEqual({
      kind: 'model',
      key: 's0.m0',
      input: {
        step: 0,
        purpose: 'step',
        version: 2,
        hash: hashItems(EMPTY_HASH, transcript),
        model: 'maker/first',
        attempt: 1,
        maxOutputTokens: 8_192,
      },
      summary: 'step 0 · maker/first',
    });
  });

  it('that is answered without calls ends the run as done', () => {
    const shell = modelAnswers(running(), { text: 'All is tidy.' });
    expect(shell.state.result).toMatchObject({
      outcome: 'done',
      limit: null,
      answer: 'All is tidy.',
      steps: 1,
      error: null,
    });
    expect(shell.state.transcript.at(-1)).toEqual({ role: 'assistant', content: 'All is tidy.' });
    expect(shell.closed).toBe(true);
  });

  it('that asks for calls is followed by another with their results', () => {
    const shell = modelCalls(running(), callOf(), callOf());
    toolAnswers(toolAnswers(shell, 's0.c0', 'one'), 's0.c1', 'two');
    expect(roles(shell)).toEqual(['system', 'user', 'assistant', 'tool', 'tool']);
    expect(underWay(shell)).toEqual(['s1.m0']);
    expect(view(shell.state).step).toBe(1);
  });

  it('keeps reasoning details with the model that wrote them', () => {
    const reasoning = [{ type: 'reasoning.encrypted', data: 'x' }];
    const shell = modelAnswers(running(), {
      text: 'Hm.',
      reasoning,
      calls: [callOf()],
      model: 'maker/first:free',
    });
    expect(shell.state.transcript.at(-1)).toEqual({
      role: 'assistant',
      content: 'Hm.',
      calls: [{ id: 'call_a', name: 'send', args: '{"n":1}' }],
      reasoning,
      model: 'maker/first:free',
    });
  });

  it('tells what it cost, what it used and what it asks for', () => {
    const shell = modelAnswers(running(), {
      text: 'Hm.',
      calls: [callOf()],
      cachedTokens: 3,
      attempt: 2,
      estimated: true,
      cached: true,
    });
    expect(lastOf(shell, 'model_completed')).toMatchObject({
      step: 0,
      attempt: 2,
      purpose: 'step',
      model: 'maker/first',
      text: 'Hm.',
      calls: [{ callId: 's0.c0', tool: 'send', args: { n: 1 } }],
      promptTokens: 10,
      completionTokens: 5,
      cachedTokens: 3,
      costNanoUsd: 1_000,
      spentNanoUsd: 1_000,
      costEstimated: true,
      cached: true,
      finishReason: 'stop',
    });
  });

  it('is not settled by an outcome that belongs to another call', () => {
    const shell = running();
    const { state } = shell;
    shell.deliver({ type: 'model_settled', key: 's0.m1', outcome: { kind: 'timed_out' } });
    expect(shell.state).toBe(state);
  });
});

describe('an empty answer', () => {
  const isEmpty = (shell: Shell, text = '') => modelAnswers(shell, { text });

  it.each(['', ' \n'])('of %j is no answer yet: the model is told so, which watchers see', (text) => {
    const shell = isEmpty(running(), text);
    expect([shell.state.result, underWay(shell)]).toEqual([null, ['s1.m0']]);
    expect(lastMessage(shell)).toContain('empty');
    expect(lastOf(shell, 'answer_refused')).toMatchObject({ step: 0, problem: 'it was empty' });
    modelAnswers(shell, { text: 'All is tidy.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.', steps: 2 });
  });

  it('leaves no message, which providers refuse', () => {
    expect(roles(isEmpty(running()))).toEqual(['system', 'user', 'user']);
  });

  it('that is followed by another one fails the run, with an answer that tells what is known', () => {
    expect(isEmpty(isEmpty(running())).state.result).toMatchObject({
      outcome: 'failed',
      error: { code: 'ANSWER_INVALID', message: expect.stringContaining('empty') },
      answer:
        'The run ended after 2 completed steps, without a closing answer by the model. The model had said nothing yet.',
    });
  });

  it('is told of anew once the model has done something since', () => {
    const shell = toolAnswers(modelCalls(isEmpty(running()), callOf()), 's1.c0');
    expect(isEmpty(shell).state.result).toBeNull();
    expect(isEmpty(shell).state.result?.outcome).toBe('failed');
  });

  it('is told of in each turn of a session, which goes on whatever comes of it', () => {
    const shell = isEmpty(isEmpty(running({ idleMs: 9_000 })));
    expect([shell.state.result, shell.state.idle?.answer]).toEqual([
      null,
      expect.stringContaining('without a closing answer'),
    ]);
    isEmpty(shell.control('say', { text: 'And?' }));
    expect(lastMessage(shell)).toContain('empty');
    expect(eventsOf(shell.events, 'answer_refused')).toHaveLength(3);
  });

  it('or one that was cut off is not asked for again and again, whichever comes first', () => {
    const isCut = (shell: Shell) => modelAnswers(shell, { text: 'And so', finish: 'length' });
    expect(isCut(isEmpty(running())).state.result).toMatchObject({
      outcome: 'failed',
      answer: 'And so',
      error: { code: 'ANSWER_INVALID', message: expect.stringContaining('--max-output-tokens') },
    });
    expect(isEmpty(isCut(running())).state.result?.answer).toContain('\n\nAnd so');
  });

  it('of the last step that is allowed lands the run, which asks for a closing answer', () => {
    const shell = isEmpty(running({ limits: { ...NO_LIMITS, maxSteps: 1 } }));
    expect(modelInput(shell)).toMatchObject({ purpose: 'landing' });
    modelAnswers(shell, { text: 'This far I got.' });
    expect(shell.state.result).toMatchObject({ outcome: 'limit', limit: 'steps', answer: 'This far I got.' });
  });

  it('repeats what the model said last', () => {
    const shell = modelAnswers(running(), { text: 'I look first.', calls: [callOf()] });
    isEmpty(isEmpty(toolAnswers(shell, 's0.c0')));
    expect(shell.state.result?.answer).toContain('after 3 completed steps');
    expect(shell.state.result?.answer).toContain('\n\nI look first.\n\n');
  });

  it('is made up for with what was asked for, and says that nothing of it was verified', () => {
    const shell = modelCalls(running(), callOf(), callOf({ name: 'look' }), callOf());
    for (const callId of ['s0.c0', 's0.c1', 's0.c2']) toolAnswers(shell, callId);
    expect(isEmpty(isEmpty(shell)).state.result?.answer).toBe(
      'The run ended after 3 completed steps, without a closing answer by the model. The model had said nothing yet.\n\n' +
        'Calls it asked for: send ×2, look. What they brought was not summed up, and nothing was verified after them.',
    );
  });

  it('that has calls is kept, for the results need it', () => {
    expect(roles(modelCalls(running(), callOf()))).toEqual(['system', 'user', 'assistant']);
  });
});

describe('fallback models', () => {
  const models = ['maker/second', 'other/third'];

  it('are asked in order: after as many attempts as may help, or at once where none can', () => {
    const shell = running({ models });
    modelGivesUp(shell, 'MODEL_UNAVAILABLE');
    expect(modelInput(shell)).toMatchObject({ model: 'maker/second', attempt: 1 });
    modelFails(shell, 'MODEL_BAD_REQUEST', false);
    expect(modelInput(shell)).toMatchObject({ model: 'other/third', attempt: 1 });
    expect(eventsOf(shell.events, 'fallback_used')).toMatchObject([
      { from: 'maker/first', to: 'maker/second', code: 'MODEL_UNAVAILABLE' },
      { from: 'maker/second', to: 'other/third', code: 'MODEL_BAD_REQUEST' },
    ]);
  });

  it('stay in use for the steps that follow', () => {
    const shell = running({ models });
    modelFails(shell, 'MODEL_BAD_REQUEST', false);
    toolAnswers(modelCalls(shell, callOf()), 's0.c0');
    expect(modelInput(shell).model).toBe('maker/second');
    expect(view(shell.state).model).toBe('maker/second');
  });

  it('are not asked when the key is refused, which another model does not mend', () => {
    const shell = modelFails(running({ models }), 'MODEL_AUTH', false);
    expect(eventsOf(shell.events, 'fallback_used')).toEqual([]);
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_AUTH' } });
  });

  it('give way to the first one again after all have failed and the wait is over', () => {
    const shell = running({ models: ['maker/second'] });
    modelGivesUp(modelGivesUp(shell, 'MODEL_UNAVAILABLE'), 'MODEL_UNAVAILABLE').awaitTimer();
    expect(modelInput(shell)).toMatchObject({ model: 'maker/first', attempt: 1 });
  });
});

describe('an outage', () => {
  it('is waited out for 5, 10, 20, then 30 minutes at a time, and a day at most', () => {
    const shell = running();
    const waitsMin: number[] = [];
    let lastedMs = 0;
    let sinceMs: number | undefined;
    for (let tries = 0; tries < 100; tries++) {
      modelGivesUp(shell, 'MODEL_UNAVAILABLE');
      sinceMs ??= shell.nowMs;
      lastedMs = shell.nowMs - sinceMs;
      if (shell.state.landing) break;
      expect(view(shell.state).status).toBe('waiting');
      expect(underWay(shell)).toEqual([]);
      const beforeMs = shell.nowMs;
      shell.awaitTimer();
      waitsMin.push((shell.nowMs - beforeMs) / MINUTE_MS);
    }
    expect(waitsMin.slice(0, 5)).toEqual([5, 10, 20, 30, 30]);
    expect(new Set(waitsMin.slice(3))).toEqual(new Set([30]));
    expect(lastedMs).toBeGreaterThanOrEqual(DAY_MS);
    expect(lastedMs).toBeLessThan(DAY_MS + 33 * MINUTE_MS);
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'failed', limit: null });
    modelAnswers(shell, { text: 'It was down.' });
    expect(shell.state.result).toMatchObject({
      outcome: 'failed',
      answer: 'It was down.',
      error: { code: 'MODEL_UNAVAILABLE' },
    });
  });

  it('says in its event when it is tried again', () => {
    const shell = modelGivesUp(running(), 'MODEL_UNAVAILABLE');
    expect(lastOf(shell, 'model_failed')).toMatchObject({
      step: 0,
      attempt: 6,
      model: 'maker/first',
      code: 'MODEL_UNAVAILABLE',
      retryAt: new Date(shell.nowMs + 5 * MINUTE_MS).toISOString(),
    });
  });

  it('begins anew after an answer', () => {
    const shell = running();
    modelGivesUp(shell, 'MODEL_UNAVAILABLE').awaitTimer();
    modelGivesUp(shell, 'MODEL_UNAVAILABLE').awaitTimer();
    toolAnswers(modelCalls(shell, callOf()), 's0.c0');
    modelGivesUp(shell, 'MODEL_UNAVAILABLE');
    expect(shell.timerAtMs).toBe(shell.nowMs + 5 * MINUTE_MS);
  });

  it('ends at the deadline of the run though the next try is later', () => {
    const shell = running({ limits: { ...NO_LIMITS, maxDurationMs: 3 * MINUTE_MS } });
    modelGivesUp(shell, 'MODEL_UNAVAILABLE').awaitTimer();
    expect(shell.nowMs - shell.state.startedAtMs).toBe(3 * MINUTE_MS);
    expect(lastOf(shell, 'landing_started')?.limit).toBe('duration');
  });

  it('asks for no timer while the run is paused', () => {
    const shell = modelGivesUp(running(), 'MODEL_UNAVAILABLE').control('pause');
    expect(shell.timerAtMs).toBeNull();
    shell.advance(3_600_000).deliver({ type: 'tick' });
    expect(underWay(shell)).toEqual([]);
  });

  it('is over at once, and given its whole patience again, when a human resumes the run', () => {
    const shell = modelGivesUp(running(), 'MODEL_UNAVAILABLE');
    shell.control('pause').advance(25 * 3_600_000);
    shell.control('resume');
    modelGivesUp(shell, 'MODEL_UNAVAILABLE');
    expect(shell.state.landing).toBeNull();
    expect(shell.timerAtMs).toBe(shell.nowMs + 5 * MINUTE_MS);
  });

  it('keeps each try apart by a key of its own', () => {
    const shell = running();
    const keys = [modelKey(shell)];
    for (let i = 0; i < 8; i++) keys.push(modelKey(modelFails(shell, 'MODEL_STALLED').awaitTimer()));
    expect(new Set(keys).size).toBe(9);
  });
});

describe('a model failure', () => {
  it('that trying again cannot mend ends the run as failed', () => {
    const shell = modelFails(running(), 'MODEL_CONTEXT_LENGTH', false);
    expect(shell.state.result).toMatchObject({
      outcome: 'failed',
      answer: 'It failed with MODEL_CONTEXT_LENGTH.',
      error: { code: 'MODEL_CONTEXT_LENGTH', message: 'It failed with MODEL_CONTEXT_LENGTH.' },
    });
    expect(lastOf(shell, 'model_failed')?.retryAt).toBeNull();
  });

  it('of no known code is reported under one that is known', () => {
    expect(modelFails(running(), 'TypeError', false).state.result?.error?.code).toBe('MODEL_UNAVAILABLE');
  });

  it('for want of time is tried again at once, and counted as lost when the request had gone out', () => {
    const shell = modelSettles(running(), { kind: 'timed_out', details: { sent: true } });
    expect(lastOf(shell, 'model_failed')).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      attempt: 1,
      retryAt: '2026-01-01T00:00:00.000Z',
    });
    expect(modelInput(shell).attempt).toBe(2);
    expect(view(shell.state).spend).toMatchObject({ lostModelCalls: 1, modelCalls: 0 });
  });

  it('to be paid for pauses the run, even where fallback models are left', () => {
    const shell = modelFails(running({ models: ['maker/second'] }), 'MODEL_PAYMENT', false);
    expect(view(shell.state).status).toBe('paused');
    expect(lastOf(shell, 'run_paused')).toMatchObject({
      reason: 'payment',
      by: null,
      message: 'It failed with MODEL_PAYMENT.',
    });
    expect([underWay(shell), shell.timerAtMs]).toEqual([[], null]);
    shell.control('resume', { by: 'ada' });
    expect(modelInput(shell).model).toBe('maker/first');
    expect(lastOf(shell, 'run_resumed')?.by).toBe('ada');
  });

  it('is none when the run itself called the call off', () => {
    const shell = modelCalledOff(running().control('say', { text: 'Wait.', mode: 'interrupt' }));
    expect(eventsOf(shell.events, 'model_failed')).toEqual([]);
  });
});
