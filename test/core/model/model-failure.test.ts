import fc from 'fast-check';
import type { RunState } from '../../../src/core/state.js';
import { view } from '../../../src/core/view.js';
import {
  callOf, eventsOf, FREE, isClosing, lastOf, modelAnswers, modelCalledOff, modelCalls, modelFails, modelGivesUp, modelInput, modelKey, modelSettles,
  running, toolAnswers, underWay,
} from '../support/run.js'; // prettier-ignore
import { Shell } from '../support/shell.js';
import { factsOf, preparedWith, PRICE } from '../support/world.js';
import { NO_LIMITS } from '../../../src/core/run-input.js';

const MINUTE_MS = 60_000;

/** How long the run waits before the next attempt. */
function waitMs(shell: Shell): number {
  const at = lastOf(shell, 'model_failed')?.retryAt;
  return at === null || at === undefined ? NaN : Date.parse(at) - shell.nowMs;
}

/** A prepared run of that name whose first model call is under way. */
function runNamed(runId: string): Shell {
  const shell = new Shell();
  const state: RunState = { ...shell.state, runId };
  shell.state = state;
  return shell.deliver(shell.settlementOf('prepare', 'prepare', { kind: 'ok', value: preparedWith() }));
}

const losesWorker = (shell: Shell) => modelSettles(shell, { kind: 'timed_out', details: { sent: true } });

describe('an attempt that failed', () => {
  it('is tried again with the same model, which the event tells, under a key of its own', () => {
    const shell = modelFails(running({ models: ['maker/second'] }), 'MODEL_UNAVAILABLE', true, FREE);
    expect(lastOf(shell, 'model_failed')).toMatchObject({
      step: 0,
      attempt: 1,
      code: 'MODEL_UNAVAILABLE',
      spentNanoUsd: 0,
    });
    expect([underWay(shell), shell.timerAtMs]).toEqual([[], shell.nowMs + waitMs(shell)]);
    shell.awaitTimer();
    expect([modelKey(shell), modelInput(shell)]).toMatchObject([
      's0.m1',
      { model: 'maker/first', attempt: 2 },
    ]);
    expect(shell.starts.at(-1)?.work).toMatchObject({ summary: 'step 0 · maker/first · attempt 2' });
    expect(eventsOf(shell.events, 'step_started').length).toBe(1);
  });

  it('is followed by the same request: transcript, tokens and all', () => {
    const shell = modelAnswers(running({}, { goal: 'Tidy up.', maxOutputTokens: 900 }), {
      calls: [callOf()],
    });
    toolAnswers(shell, 's0.c0');
    const { attempt: _, ...first } = modelInput(shell);
    modelFails(shell, 'MODEL_STALLED', true, { sent: true, generationId: 'gen-1' }).awaitTimer();
    expect(modelInput(shell)).toEqual({ ...first, attempt: 2 });
  });

  it('waits one second, doubled each time up to a minute, a quarter more or less', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (runId) => {
        const shell = runNamed(runId);
        for (const aboutMs of [1_000, 2_000, 4_000, 8_000, 16_000]) {
          modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE);
          expect(waitMs(shell)).toBeGreaterThanOrEqual(aboutMs * 0.75);
          expect(waitMs(shell)).toBeLessThanOrEqual(aboutMs * 1.25);
          shell.awaitTimer();
        }
      }),
    );
  });

  it('waits differently in runs of other names, and the same in each replay', () => {
    const waits = Array.from({ length: 50 }, (_, n) =>
      waitMs(modelFails(runNamed(`run-${n}`), 'MODEL_UNAVAILABLE', true, FREE)),
    );
    expect(new Set(waits).size).toBeGreaterThan(30);
    expect(Math.max(...waits)).toBeGreaterThan(1_150);
    expect(Math.min(...waits)).toBeLessThan(850);
    expect(waitMs(modelFails(runNamed('run-7'), 'MODEL_UNAVAILABLE', true, FREE))).toBe(waits[7]);
  });

  it('waits as long as the server asks, and up to a second more', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(290_000), (runId, delayMs) => {
        const shell = modelFails(runNamed(runId), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs });
        expect(waitMs(shell)).toBeGreaterThanOrEqual(delayMs);
        expect(waitMs(shell)).toBeLessThanOrEqual(delayMs + 1_000);
      }),
    );
  });

  it('waits no longer than a day, whatever the server asks', () => {
    for (const delayMs of [1e12, 1e300]) {
      const shell = modelFails(running(), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs });
      expect(waitMs(shell)).toBeLessThanOrEqual(86_401_000);
    }
  });

  it('passes over a delay that is none', () => {
    for (const delayMs of [-5, 'soon', null]) {
      const shell = modelFails(running(), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs });
      expect(waitMs(shell)).toBeLessThanOrEqual(1_250);
    }
  });

  it('waits as usual where the server asks for no time that could be waited', () => {
    const usualMs = waitMs(modelFails(running(), 'MODEL_RATE_LIMITED', true, FREE));
    for (const delayMs of [-5, 'soon', '7000', null])
      expect(waitMs(modelFails(running(), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs }))).toBe(usualMs);
  });

  it('spreads runs that were asked for the same wait over a second', () => {
    const waits = Array.from({ length: 50 }, (_, n) =>
      waitMs(modelFails(runNamed(`run-${n}`), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs: 5_000 })),
    );
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(500);
  });

  it('is spread anew each time', () => {
    const shell = running();
    const shares = [1_000, 2_000, 4_000, 8_000].map((aboutMs) => {
      const ms = waitMs(modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE));
      shell.awaitTimer();
      return Math.round((ms / aboutMs) * 100);
    });
    expect(new Set(shares).size).toBeGreaterThan(1);
  });

  it('is left for the next model when the server wants a pause of more than five minutes', () => {
    const limited = (delayMs: number, models: string[] = []) =>
      modelFails(running({ models }), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs });
    expect(modelInput(limited(6 * MINUTE_MS, ['maker/second'])).model).toBe('maker/second');
    expect(waitMs(limited(6 * MINUTE_MS))).toBeGreaterThanOrEqual(6 * MINUTE_MS);
    expect(waitMs(limited(4 * MINUTE_MS, ['maker/second']))).toBeGreaterThanOrEqual(4 * MINUTE_MS);
  });

  it('uses one of six attempts up, then the next model or a wait has its turn', () => {
    const shell = modelGivesUp(running(), 'MODEL_UNAVAILABLE');
    expect(shell.starts.filter(({ work }) => work.kind === 'model').length).toBe(6);
    expect(eventsOf(shell.events, 'model_failed').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(view(shell.state).status).toBe('waiting');
  });

  it('of no use to repeat is not repeated', () => {
    const shell = modelFails(running({ models: ['maker/second'] }), 'MODEL_CONTEXT_LENGTH', false);
    expect([modelInput(shell).model, shell.timerAtMs]).toEqual(['maker/second', null]);
    expect(shell.events.slice(-3).map(({ type }) => type)).toEqual([
      'model_failed',
      'fallback_used',
      'step_started',
    ]);
    expect(lastOf(shell, 'model_failed')).toMatchObject({ model: 'maker/first', attempt: 1, retryAt: null });
  });

  it('begins to count anew with each step, each model and each other request', () => {
    const shell = running({ models: ['maker/second'] });
    modelFails(shell, 'MODEL_STALLED', true, FREE).awaitTimer();
    modelCalledOff(shell.control('say', { text: 'Wait.', mode: 'interrupt' }));
    expect(modelInput(shell).attempt).toBe(1);
    toolAnswers(modelCalls(modelFails(shell, 'MODEL_STALLED', true, FREE).awaitTimer(), callOf()), 's0.c0');
    expect(modelInput(shell)).toMatchObject({ step: 1, attempt: 1 });
    modelGivesUp(shell, 'MODEL_STALLED');
    expect(modelInput(shell)).toMatchObject({ model: 'maker/second', attempt: 1 });
  });

  it('is given new patience when a human resumes the run', () => {
    const shell = running();
    for (let n = 0; n < 4; n++) modelFails(shell, 'MODEL_STALLED', true, FREE).awaitTimer();
    modelFails(shell, 'MODEL_STALLED', true, FREE).control('pause').control('resume');
    expect(modelInput(shell).attempt).toBe(1);
    modelGivesUp(shell, 'MODEL_STALLED');
    expect(view(shell.state).status).toBe('waiting');
  });

  it('keeps its number when the run is paused and resumed beside it', () => {
    const shell = modelFails(running(), 'MODEL_STALLED', true, FREE).awaitTimer();
    shell.control('pause').control('resume');
    expect(lastOf(modelFails(shell, 'MODEL_STALLED', true, FREE), 'model_failed')?.attempt).toBe(2);
  });

  it('of a step in a run that lands is not repeated: the closing call is made instead', () => {
    const shell = modelFails(running().control('stop'), 'MODEL_UNAVAILABLE', true, FREE);
    expect(lastOf(shell, 'model_failed')?.retryAt).toBeNull();
    expect([isClosing(shell), modelInput(shell).attempt]).toEqual([true, 1]);
  });
});

describe('an attempt that was lost with its worker', () => {
  it('is made again at once, ten times, and uses no attempt up', () => {
    const shell = running();
    for (let loss = 0; loss < 10; loss++) {
      losesWorker(shell);
      expect(lastOf(shell, 'model_failed')?.retryAt).toBe(new Date(shell.nowMs).toISOString());
      expect(modelInput(shell).attempt).toBe(loss + 2);
    }
    for (let failure = 0; failure < 5; failure++) modelFails(shell, 'MODEL_STALLED', true, FREE).awaitTimer();
    expect(modelInput(shell).attempt).toBe(16);
    losesWorker(shell);
    expect([underWay(shell).filter((key) => key.startsWith('s0.m')), view(shell.state).status]).toEqual([
      [],
      'waiting',
    ]);
  });

  it('counts as an attempt, and is told in words', () => {
    const shell = losesWorker(running());
    expect(lastOf(shell, 'model_failed')?.message).toContain('did not end in time');
    modelFails(losesWorker(shell), 'MODEL_STALLED', true, FREE);
    expect(eventsOf(shell.events, 'model_failed').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('is known by the word that a worker leaves when it goes away', () => {
    const shell = running();
    modelFails(shell, 'MODEL_UNREACHABLE', true, { ...FREE, workerGone: true });
    expect(modelInput(shell).attempt).toBe(2);
    expect(shell.state.model).toMatchObject({ losses: 1, failures: 0 });
  });

  it('is the next model’s when the first one loses worker after worker', () => {
    const shell = running({ models: ['maker/second'] });
    for (let loss = 0; loss < 11; loss++) modelSettles(shell, { kind: 'timed_out' });
    expect(modelInput(shell)).toMatchObject({ model: 'maker/second', attempt: 1 });
  });
});

describe('a payment that is refused', () => {
  const refuses = (shell: Shell, affordableTokens?: number) =>
    modelFails(shell, 'MODEL_PAYMENT', false, {
      unbilled: true,
      ...(affordableTokens !== undefined && { affordableTokens }),
    });

  it('lowers the tokens once to what the server says can be paid, at once', () => {
    const shell = refuses(running(), 700);
    expect(modelInput(shell).maxOutputTokens).toBe(700);
    expect(lastOf(shell, 'model_failed')).toMatchObject({
      code: 'MODEL_PAYMENT',
      retryAt: expect.any(String),
    });
    refuses(shell, 300);
    expect([view(shell.state).status, shell.state.pause]).toEqual(['paused', { reason: 'payment' }]);
  });

  it.each([undefined, 0, -3, 5, 0.5, 255, 8_192, 9_000])(
    'pauses the run when %p tokens can be paid, which is no help',
    (tokens) => {
      expect(refuses(running(), tokens).state.pause).toEqual({ reason: 'payment' });
    },
  );

  it('lowers the tokens to the least that a step is worth asking for', () => {
    expect(modelInput(refuses(running(), 256)).maxOutputTokens).toBe(256);
  });

  it('pauses the run when the server names no number of tokens', () => {
    const details = { unbilled: true, affordableTokens: 'many' };
    expect(modelFails(running(), 'MODEL_PAYMENT', false, details).state.pause).toEqual({ reason: 'payment' });
  });

  it('gives the closing call up, for nobody waits beside it', () => {
    const shell = refuses(modelCalledOff(running().control('stop')));
    expect(shell.state.result?.outcome).toBe('stopped');
    expect(eventsOf(shell.events, 'run_paused')).toEqual([]);
  });

  it('tells of a further attempt at the same step, and takes what credit cut short for no answer', () => {
    const shell = refuses(running(), 700);
    expect(modelInput(shell)).toMatchObject({ attempt: 2 });
    expect(eventsOf(shell.events, 'step_started')).toHaveLength(1);
    modelAnswers(shell, { text: 'Cut sh', finish: 'length' });
    expect([shell.state.pause, shell.state.result]).toEqual([{ reason: 'payment' }, null]);
    modelAnswers(shell.control('resume'), { text: 'Whole.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', limit: null, answer: 'Whole.', steps: 2 });
  });

  it('lowers the tokens of the closing call, too', () => {
    const shell = refuses(modelCalledOff(running().control('stop')), 90);
    expect(modelInput(shell)).toMatchObject({ purpose: 'landing', maxOutputTokens: 90 });
  });
});

describe('a price that has risen', () => {
  const dear = { ...PRICE, promptNanoUsdPerMillion: 7_000_000_000 };
  const rises = (shell: Shell, prices: object) =>
    modelFails(shell, 'PRICE_CHANGED', true, { ...FREE, prices: JSON.parse(JSON.stringify(prices)) });

  it('is taken, and the call is made at once with what it costs now', () => {
    const shell = running({ limits: { ...NO_LIMITS, maxCostUsd: 5 } });
    const before = modelInput(shell).reservedNanoUsd ?? NaN;
    rises(shell, { 'maker/first': dear });
    expect(shell.state.prepared?.modelFacts?.['maker/first']).toEqual(factsOf(dear));
    expect(modelInput(shell).reservedNanoUsd).toBeGreaterThan(before);
    expect([modelKey(shell), shell.state.model.failures]).toEqual(['s0.m1', 0]);
  });

  it('is no assumed one any more', () => {
    const shell = running({ modelFacts: { 'maker/first': { ...factsOf(), assumed: true } } });
    rises(shell, { 'maker/first': dear });
    expect(shell.state.prepared?.modelFacts).toEqual({ 'maker/first': factsOf(dear) });
  });

  it('leaves what else is known of models, and adds what was not', () => {
    const facts = factsOf(PRICE, { contextLength: 9_000 });
    const shell = rises(running({ modelFacts: { 'maker/first': facts } }), {
      'maker/first': dear,
      'maker/second': dear,
    });
    expect(shell.state.prepared?.modelFacts).toEqual({
      'maker/first': { ...facts, price: dear },
      'maker/second': factsOf(dear),
    });
  });

  it('leaves the prices of other models as they are', () => {
    const shell = running({ modelFacts: { 'maker/first': factsOf(), 'maker/second': factsOf(PRICE) } });
    rises(shell, { 'maker/first': dear });
    expect(shell.state.prepared?.modelFacts).toEqual({
      'maker/first': factsOf(dear),
      'maker/second': factsOf(PRICE),
    });
  });

  it('that is no news uses an attempt up, so that nothing goes on for ever', () => {
    const shell = rises(running(), { 'maker/first': dear });
    for (let n = 1; n < 6; n++) {
      rises(shell, { 'maker/first': dear });
      expect([waitMs(shell) > 0, shell.state.model.failures]).toEqual([true, n]);
      shell.awaitTimer();
    }
    rises(shell, { 'maker/first': dear });
    expect([underWay(shell), view(shell.state).status]).toEqual([[], 'waiting']);
  });

  it('that two workers have read differently is settled at what is dear enough for both', () => {
    const other = { ...PRICE, completionNanoUsdPerMillion: 90_000_000_000 };
    const shell = rises(rises(running(), { 'maker/first': dear }), { 'maker/first': other });
    expect(shell.state.model).toMatchObject({ failures: 0, repeats: 2 });
    rises(shell, { 'maker/first': dear });
    expect(shell.state.model.failures).toBe(1);
  });

  it('ends a run that cannot pay it any more at its ceiling', () => {
    const shell = running({ limits: { ...NO_LIMITS, maxCostUsd: 0.1 } });
    rises(shell, { 'maker/first': { ...dear, requestNanoUsd: 90_000_000 } });
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'limit', limit: 'cost' });
    expect(shell.state.result?.spend.costNanoUsd).toBe(0);
  });
});

describe('a closing call that failed', () => {
  const closing = () => modelCalledOff(running().control('stop'));

  it('is made without tools at once when the server refuses it, and only once so', () => {
    const shell = modelFails(closing(), 'MODEL_BAD_REQUEST', false, { unbilled: true });
    expect(modelInput(shell)).toMatchObject({ purpose: 'landing', noTools: true, attempt: 2 });
    modelFails(shell, 'MODEL_BAD_REQUEST', false, { unbilled: true });
    expect(shell.closed).toBe(true);
  });

  it('is no step, which is not made without tools', () => {
    const shell = modelFails(running(), 'MODEL_BAD_REQUEST', false, { unbilled: true });
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BAD_REQUEST' } });
  });

  it('is made three times', () => {
    const shell = modelGivesUp(closing(), 'MODEL_UNAVAILABLE');
    expect(eventsOf(shell.events, 'model_failed').length).toBe(3);
    expect(shell.state.result?.outcome).toBe('stopped');
  });

  it('does not wait for a server that wants more than five minutes', () => {
    const shell = modelFails(closing(), 'MODEL_RATE_LIMITED', true, { ...FREE, delayMs: 6 * MINUTE_MS });
    expect(shell.closed).toBe(true);
  });
});
