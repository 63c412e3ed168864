import { ATTEMPTS } from '../../../src/core/behaviour.js';
import { view } from '../../../src/core/view.js';
import {
  callOf, callState, eventsOf, gatedCall, isClosing, lastMessage, lastOf, limited, modelAnswers, modelCalledOff, modelCalls, modelFails, modelGivesUp, modelKey, modelSettles,
  resultObject, results, roles, running, toolAnswers, toolSettles, underWay,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';
import { statusOfResults } from '../support/results.js';

const CLOSING =
  'No more tools can be called. Answer now: the result so far, what was done, what is unverified, what remains.';

function losesWorkers(shell: Shell): Shell {
  for (let loss = 0; loss <= ATTEMPTS.losses; loss++) modelSettles(shell, { kind: 'timed_out' });
  return shell;
}

const stopped = (shell: Shell) => modelCalledOff(shell.control('stop'));

describe('the closing request', () => {
  const run = () => callOf({ name: 'hand_in' });

  it.each([
    [
      'cost',
      () => modelAnswers(limited({ maxCostUsd: 0.1 }), { calls: [callOf()], costNanoUsd: 95_000_000 }),
      'The cost ceiling leaves too little for another step: it could take 0.001340 USD, and beside what the closing answer needs there are 0.000000 USD.',
    ],
    [
      'steps',
      () => modelCalls(limited({ maxSteps: 1 }), callOf()),
      'The step ceiling of this run is reached.',
    ],
    [
      'tokens',
      () =>
        modelAnswers(limited({ maxTokens: 3_000 }), {
          calls: [callOf()],
          promptTokens: 400,
          completionTokens: 700,
        }),
      'The token ceiling leaves too little for another step: it could take 662 tokens, and beside what the closing answer needs there are 470 tokens.',
    ],
    [
      'duration',
      () => modelCalls(limited({ maxDurationMs: 1_000 }), callOf()).awaitTimer(),
      'The time of this run is up.',
    ],
    [
      'tool',
      () => modelCalls(running({}, { goal: 'Tidy up.', stopOnTool: ['hand_in'] }), run()),
      'The tool at which this run shall stop has run.',
    ],
  ] as const)('says why the run ends: %s', (limit, land, words) => {
    const shell = toolAnswers(land(), 's0.c0');
    expect(lastMessage(shell)).toBe(`${words} ${CLOSING}`);
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'limit', limit });
    const work = shell.started.get(modelKey(shell));
    expect(work).toMatchObject({ input: { purpose: 'landing' }, summary: 'closing answer · maker/first' });
    expect(modelAnswers(shell, { text: 'So far.' }).state.result).toMatchObject({
      outcome: 'limit',
      limit,
      answer: 'So far.',
    });
  });

  it('says that a human asked, with the note', () => {
    expect(lastMessage(stopped(running()))).toBe(`A human asked this run to stop. ${CLOSING}`);
    const shell = modelCalledOff(running().control('stop', { note: 'Dinner.' }));
    expect(lastMessage(shell)).toBe(`A human asked this run to stop. Their note: Dinner. ${CLOSING}`);
  });

  it('is no step', () => {
    const shell = modelAnswers(modelCalledOff(running().control('stop'), { sent: true }), { text: 'Bye.' });
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', limit: null, steps: 0 });
    expect(view(shell.state).spend).toMatchObject({ modelCalls: 1, lostModelCalls: 1, costNanoUsd: 1_000 });
  });

  it('has a key that no call had before', () => {
    const shell = stopped(running());
    expect(shell.starts.map(({ work }) => work.key)).toEqual(['prepare', 's0.m0', modelKey(shell)]);
    expect(new Set(shell.starts.map(({ work }) => work.key)).size).toBe(3);
  });
});

describe('the closing answer', () => {
  it('may ask for calls; they are neither run nor told nor kept', () => {
    const shell = modelAnswers(stopped(running()), { text: 'Bye.', calls: [callOf()] });
    expect(lastOf(shell, 'model_completed')?.calls).toEqual([]);
    expect(shell.state.transcript.at(-1)).toEqual({ role: 'assistant', content: 'Bye.' });
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
  });

  it.each([
    ['is empty', (shell: Shell) => modelAnswers(shell, { text: ' ' })],
    ['fails as often as it is tried', (shell: Shell) => modelGivesUp(shell, 'MODEL_UNAVAILABLE')],
    ['cannot be had', (shell: Shell) => modelFails(shell, 'MODEL_AUTH', false)],
    ['is not paid for', (shell: Shell) => modelFails(shell, 'MODEL_PAYMENT', false)],
    ['is lost with its worker again and again', (shell: Shell) => losesWorkers(shell)],
    ['is called off from elsewhere', (shell: Shell) => modelCalledOff(shell)],
  ])('is put together from what the model said last when it %s', (_, ends) => {
    const shell = modelAnswers(running(), { text: 'I look first.', calls: [callOf()] });
    stopped(toolAnswers(shell, 's0.c0'));
    ends(shell);
    expect(shell.state.result?.outcome).toBe('stopped');
    expect(shell.state.result?.answer).toBe(
      'The run ended after 1 completed step, without a closing answer by the model. Its last words were:\n\nI look first.\n\n' +
        'A human asked this run to stop.\n\n' +
        'Calls it asked for: send. What they brought was not summed up, and nothing was verified after them.',
    );
  });

  it('made up for says of which calls nobody knows whether they took effect', () => {
    const shell = toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' }).control(
      'stop',
    );
    expect(modelAnswers(shell, {}).state.result?.answer).toMatch(
      /\n\nNobody knows whether these took effect: send \(s0\.c0\)\.$/,
    );
  });

  it('is no occasion for fallback models', () => {
    const shell = modelGivesUp(stopped(running({ models: ['maker/second'] })), 'MODEL_UNAVAILABLE');
    expect([lastOf(shell, 'fallback_used'), shell.closed]).toEqual([undefined, true]);
    expect(lastOf(shell, 'model_failed')?.retryAt).toBeNull();
  });
});

describe('a run that lands', () => {
  it('lets calls finish that run, and that were ready when a ceiling fired', () => {
    const shell = modelCalls(
      limited({ maxDurationMs: 1_000 }),
      ...Array.from({ length: 9 }, () => callOf()),
    ).awaitTimer();
    expect([underWay(shell).length, shell.cancelled.size]).toEqual([8, 0]);
    for (let n = 0; n < 9; n++) toolAnswers(shell, `s0.c${n}`);
    expect(statusOfResults(shell)).toEqual(Array(9).fill(null));
    expect(isClosing(shell)).toBe(true);
  });

  it('starts no ready call after a stop', () => {
    const shell = modelCalls(running(), ...Array.from({ length: 9 }, () => callOf())).control('stop');
    expect(callState(shell, 's0.c8')?.ended).toBe('cancelled');
    expect(underWay(shell).length).toBe(8);
  });

  it.each([
    ['gated', gatedCall()],
    ['asking', callOf({ control: { kind: 'ask', question: 'Which?' } })],
    ['waiting', callOf({ control: { kind: 'wait', durationMs: 3_600_000 } })],
  ])('settles at once a call that is %s', (_, call) => {
    const limit = modelCalls(limited({ maxDurationMs: 1_000 }), call).awaitTimer();
    expect(resultObject(limit)).toEqual({
      status: 'refused_at_limit',
      message: 'The run reached a limit before this call.',
    });
    const stop = modelCalls(running(), call).control('stop');
    expect(resultObject(stop)).toEqual({
      status: 'cancelled',
      message: 'The run was asked to stop before this call.',
    });
    expect([view(limit.state).pending, limit.timerAtMs, isClosing(limit)]).toEqual([[], null, true]);
  });

  it('settles a call whose edited arguments are being checked, and hears no more of them', () => {
    const shell = modelCalls(running(), gatedCall())
      .control('decide', { decision: 'approve', args: { n: 2 } })
      .control('stop');
    expect(statusOfResults(shell)).toEqual(['cancelled']);
    shell.deliver(
      shell.settlementOf('s0.c0.e1', 'check', {
        kind: 'ok',
        value: { ok: true, args: '{"n":2}', argsHash: 'h' },
      }),
    );
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
  });

  it('says of a call in doubt that nobody knows, and asks no human any more', () => {
    const shell = modelCalls(limited({ maxDurationMs: 1_000 }), callOf(), callOf());
    toolSettles(shell, 's0.c0', { kind: 'timed_out' }).awaitTimer();
    toolSettles(shell, 's0.c1', { kind: 'timed_out' });
    expect(statusOfResults(shell)).toEqual(['unknown_outcome', 'unknown_outcome']);
    expect(shell.state.unknownOutcomes.map(({ callId }) => callId)).toEqual(['s0.c0', 's0.c1']);
    expect(eventsOf(shell.events, 'decision_requested').length).toBe(1);
  });

  it('says of a call that waits to run again that nobody knows, when it is stopped', () => {
    const shell = toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' });
    shell.control('pause').control('approve', { callId: 's0.c0' }).control('stop');
    expect(statusOfResults(shell)).toEqual(['unknown_outcome']);
  });

  it('takes a step answer that was complete before it for the closing one', () => {
    const shell = modelAnswers(running().control('stop'), { text: 'All is tidy.' });
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'All is tidy.', steps: 1 });
  });

  it.each([callOf(), gatedCall(), callOf({ effect: 'read' })])(
    'runs no call that a complete step asked for after a stop: %j',
    (call) => {
      const shell = modelCalls(running().control('stop'), call);
      expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
      expect(statusOfResults(shell)).toEqual(['cancelled']);
      expect([view(shell.state).pending, isClosing(shell)]).toEqual([[], true]);
    },
  );

  it('lands once, for its first reason', () => {
    const shell = modelCalls(limited({ maxDurationMs: 1_000 }), callOf()).control('stop');
    toolAnswers(shell.control('stop').advance(2_000), 's0.c0');
    expect(eventsOf(shell.events, 'landing_started').map(({ outcome }) => outcome)).toEqual(['stopped']);
    expect(modelAnswers(shell, {}).state.result).toMatchObject({ outcome: 'stopped', limit: null });
  });

  it('has a transcript that ends with the request and its answer', () => {
    const shell = modelAnswers(stopped(running()), { text: 'Bye.' });
    expect(roles(shell)).toEqual(['system', 'user', 'user', 'assistant']);
  });
});

describe('the tool at which a run stops', () => {
  const start = () => running({}, { goal: 'Tidy up.', stopOnTool: ['send'] });
  const landed = (shell: Shell) => lastOf(shell, 'landing_started')?.limit === 'tool';

  it.each([
    { kind: 'ok', value: { content: 'Sent.' } },
    { kind: 'ok', value: { content: 'No.', status: 'failed' } },
    { kind: 'failed', code: 'TOOL_FAILED', message: 'No.', retryable: false, details: {} },
    { kind: 'timed_out' },
  ] as const)('ends it when it ran, however that went: %j', (outcome) => {
    expect(landed(toolSettles(modelCalls(start(), callOf({ effect: 'read' })), 's0.c0', outcome))).toBe(true);
  });

  it('ends it when nobody knows whether it ran', () => {
    const shell = toolSettles(modelCalls(start(), callOf()), 's0.c0', { kind: 'timed_out' });
    expect(landed(shell)).toBe(false);
    expect(landed(shell.control('reject'))).toBe(true);
  });

  it('ends it only after the other calls of the step', () => {
    const shell = toolAnswers(modelCalls(start(), callOf(), callOf({ name: 'look' })), 's0.c0');
    expect(landed(shell)).toBe(false);
    expect(landed(toolAnswers(shell, 's0.c1'))).toBe(true);
    expect(results(shell).length).toBe(2);
  });

  it('does not end it when it did not run', () => {
    expect(landed(modelCalls(start(), gatedCall()).control('reject', { note: 'Not yet.' }))).toBe(false);
    for (const status of ['invalid_arguments', 'unknown_tool'] as const)
      expect(landed(modelCalls(start(), callOf({ problem: { status, message: 'No.' } })))).toBe(false);
    const off = toolSettles(modelCalls(start(), callOf()), 's0.c0', {
      kind: 'cancelled',
      neverStarted: true,
    });
    expect(landed(off)).toBe(false);
  });

  it('is no other tool, and none where the input names no list', () => {
    expect(landed(toolAnswers(modelCalls(start(), callOf({ name: 'look' })), 's0.c0'))).toBe(false);
    const shell = modelCalls(running({}, { goal: 'Tidy up.', stopOnTool: 'send' }), callOf());
    expect(landed(toolAnswers(shell, 's0.c0'))).toBe(false);
  });
});
