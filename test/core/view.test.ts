import { view } from '../../src/core/view.js';
import {
  argsChecked, callOf, gatedCall, lastOf, limited, modelAnswers, modelCalledOff, modelCalls, modelFails, modelGivesUp, running, toolAnswers, toolSettles,
} from './support/run.js'; // prettier-ignore
import { Shell } from './support/shell.js';

const question = () => callOf({ name: 'ask', control: { kind: 'ask', question: 'Which?' } });

describe('the view of a run', () => {
  it('shows all that contract §6 names', () => {
    const shell = modelCalls(limited({ maxSteps: 9 }), callOf()).control('say', { text: 'Hm.' });
    expect(view(shell.state)).toEqual({
      runId: 'run-1',
      status: 'running',
      goal: 'Tidy up.',
      model: 'maker/first',
      step: 0,
      limits: { maxCostUsd: null, maxSteps: 9, maxTokens: null, maxDurationMs: null },
      spend: {
        costUsd: 0.000_001,
        costNanoUsd: 1_000,
        reservedNanoUsd: 0,
        estimatedNanoUsd: 0,
        lostNanoUsd: 0,
        inheritedNanoUsd: 0,
        promptTokens: 10,
        completionTokens: 5,
        cachedTokens: 0,
        modelCalls: 1,
        lostModelCalls: 0,
        unknownCostCalls: 0,
        byPurpose: { step: { calls: 1, costNanoUsd: 1_000, estimatedNanoUsd: 0 } },
        byModel: { 'maker/first': { calls: 1, costNanoUsd: 1_000, estimatedNanoUsd: 0 } },
      },
      pending: [],
      settling: false,
      budget: null,
      queuedMessages: 1,
      lastRefused: null,
      taint: { policy: 'off', by: null },
      standing: [],
      agents: [],
      idle: null,
      shared: {},
      startedAt: '2026-01-01T00:00:00.000Z',
      closedAt: null,
      result: null,
      waiting: null,
      review: null,
      compactions: 0,
      repeats: 0,
    });
  });

  it('shows when and how it ended', () => {
    const shell = running();
    shell.nowMs += 61_000;
    modelAnswers(shell, { text: 'Done.' });
    expect(view(shell.state)).toMatchObject({
      status: 'closed',
      closedAt: '2026-01-01T00:01:01.000Z',
      pending: [],
      queuedMessages: 0,
    });
    expect(view(shell.state).result).toEqual({
      runId: 'run-1',
      outcome: 'done',
      limit: null,
      limitsReached: [],
      answer: 'Done.',
      steps: 1,
      spend: view(shell.state).spend,
      unknownOutcomes: [],
      artifacts: [],
      shared: {},
      taintedBy: null,
      review: null,
      output: null,
      error: null,
    });
  });

  it('shows what its start names before a worker has seen it', () => {
    expect(view(new Shell({ goal: 'x', model: 'my/model' }).state)).toMatchObject({
      status: 'running',
      model: 'my/model',
      step: 0,
    });
    expect(view(new Shell({ goal: 'x' }).state).model).toBe('');
  });

  it('is in the step whose model call is under way', () => {
    expect(view(toolAnswers(modelCalls(running(), callOf()), 's0.c0').state).step).toBe(1);
  });
});

describe('the status', () => {
  it.each([
    ['running', 'being prepared', () => new Shell()],
    ['running', 'asking the model', () => running()],
    ['running', 'running a call beside a question', () => modelCalls(running(), callOf(), question())],
    [
      'running',
      'checking edited arguments',
      () => modelCalls(running(), gatedCall()).control('decide', { decision: 'approve', args: {} }),
    ],
    ['waiting', 'before a decision', () => modelCalls(running(), gatedCall())],
    ['waiting', 'before an answer', () => modelCalls(running(), question())],
    [
      'waiting',
      'before a point in time',
      () => modelCalls(running(), callOf({ control: { kind: 'wait', durationMs: 9_000 } })),
    ],
    ['running', 'between two attempts', () => modelFails(running(), 'MODEL_UNAVAILABLE')],
    ['waiting', 'in an outage', () => modelGivesUp(running(), 'MODEL_UNAVAILABLE')],
    [
      'running',
      'between two attempts after an outage',
      () => modelFails(modelGivesUp(running(), 'MODEL_UNAVAILABLE').awaitTimer(), 'MODEL_UNAVAILABLE'),
    ],
    [
      'landing',
      'awaiting its last costs',
      () => modelAnswers(running(), { text: 'Done.', costNanoUsd: null, generationId: 'gen-1' }),
    ],
    [
      'waiting',
      'before an unknown outcome',
      () => toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' }),
    ],
    ['paused', 'paused before a decision', () => modelCalls(running(), gatedCall()).control('pause')],
    ['paused', 'paused before it was prepared', () => new Shell().control('pause')],
    ['landing', 'stopping', () => running().control('stop')],
    ['landing', 'being cancelled', () => running().deliver({ type: 'cancel_requested' })],
    ['landing', 'stopped before it was prepared', () => new Shell().control('stop')],
    ['landing', 'writing its closing answer', () => modelCalledOff(running().control('stop'))],
    ['closed', 'done', () => modelAnswers(running(), { text: 'Done.' })],
  ] as const)('is %s while the run is %s', (status, _, shell) => {
    expect(view(shell().state).status).toBe(status);
  });
});

describe('what is pending', () => {
  it("shows arguments that a human has put in place of the model's", () => {
    const shell = modelCalls(running(), gatedCall({ control: { kind: 'ask', question: 'Which?' } }));
    argsChecked(shell.control('decide', { decision: 'approve', args: { n: 2 } }), {
      ok: true,
      args: '{"n":2}',
      argsHash: 'sha256:two',
    });
    expect(view(shell.state).pending).toMatchObject([
      { kind: 'question', args: { n: 2 }, argsHash: 'sha256:two' },
    ]);
  });

  it('has a short summary of a call that had no gate', () => {
    const shell = modelCalls(running(), callOf({ args: JSON.stringify({ text: 'x'.repeat(900) }) }));
    toolSettles(shell, 's0.c0', { kind: 'timed_out' });
    const [item] = view(shell.state).pending;
    expect(item?.summary).toMatch(/^send \{"text":"x+$/);
    expect(item?.summary.length).toBe(200);
  });

  it('was asked for when it came to be in doubt, not when the model asked for it', () => {
    const shell = modelCalls(running(), callOf());
    shell.nowMs += 30_000;
    toolSettles(shell, 's0.c0', { kind: 'timed_out' });
    expect(view(shell.state).pending[0]?.requestedAt).toBe('2026-01-01T00:00:30.000Z');
  });

  it('is in call order', () => {
    const shell = modelCalls(running(), gatedCall(), question(), gatedCall());
    expect(view(shell.state).pending.map(({ callId }) => callId)).toEqual(['s0.c0', 's0.c1', 's0.c2']);
  });
});

describe('what a run waits for', () => {
  const waiting = (shell: Shell) => view(shell.state).waiting;

  it('is the next attempt, with what the last one failed of, until it begins', () => {
    const shell = modelFails(running(), 'MODEL_RATE_LIMITED');
    expect(waiting(shell)).toEqual({
      code: 'MODEL_RATE_LIMITED',
      message: expect.stringMatching(/./),
      until: lastOf(shell, 'model_failed')?.retryAt,
    });
    expect(waiting(shell.awaitTimer())).toBeNull();
    expect(waiting(modelFails(running(), 'MODEL_RATE_LIMITED').control('pause'))).toBeNull();
  });

  it('is the end of an outage, until a human says that it is over', () => {
    const shell = modelGivesUp(running(), 'MODEL_UNAVAILABLE');
    expect(waiting(shell)).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      until: lastOf(shell, 'model_failed')?.retryAt,
    });
    expect(waiting(shell.control('resume'))).toBeNull();
  });

  it('is the point in time that the agent has named', () => {
    const shell = modelCalls(running(), callOf({ control: { kind: 'wait', durationMs: 9_000 } }));
    expect(waiting(shell)).toMatchObject({ code: null, until: '2026-01-01T00:00:09.000Z' });
  });

  it('is no human, who is shown with what is pending', () => {
    expect(waiting(modelCalls(running(), gatedCall()))).toBeNull();
  });
});
