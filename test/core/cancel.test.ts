import { chargedNanoUsd } from '../../src/core/money/ledger.js';
import { view } from '../../src/core/view.js';
import {
  callOf, eventsOf, gatedCall, limited, modelAnswers, modelCalledOff, modelCalls, modelFails, modelGivesUp, running, toolAnswers, toolSettles, underWay,
} from './support/run.js'; // prettier-ignore
import { statusOfResults } from './support/results.js';
import type { Shell } from './support/shell.js';

const cancel = (shell: Shell) => shell.deliver({ type: 'cancel_requested' });

describe('a cancellation', () => {
  it('calls off what runs, asks for nothing else and closes when the last of it has settled', () => {
    const shell = cancel(
      modelCalls(limited({ maxDurationMs: 3_600_000 }), callOf(), callOf({ effect: 'read' }), gatedCall()),
    );
    expect([[...shell.cancelled], shell.timerAtMs, view(shell.state).status]).toEqual([
      ['s0.c0', 's0.c1'],
      null,
      'landing',
    ]);
    toolSettles(shell, 's0.c1', { kind: 'cancelled' });
    expect(shell.closed).toBe(false);
    toolAnswers(shell, 's0.c0', 'Sent just in time.');
    expect(shell.state.result).toMatchObject({ outcome: 'cancelled', limit: null, error: null });
    expect(statusOfResults(shell)).toEqual([null, 'cancelled', 'cancelled']);
  });

  it('closes at once when nothing runs', () => {
    const shell = cancel(modelCalls(running(), gatedCall()));
    expect(shell.state.result).toMatchObject({
      outcome: 'cancelled',
      answer: expect.stringContaining('after 1 completed step'),
    });
  });

  it('of the model call under way needs no answer and makes no other call', () => {
    const shell = modelCalledOff(cancel(running()), { sent: true });
    expect([shell.closed, shell.starts.length, shell.state.ledger.lostModelCalls]).toEqual([true, 2, 1]);
  });

  it('of a model call that had sent nothing yet costs nothing', () => {
    const { ledger } = modelCalledOff(cancel(running())).state;
    expect([ledger.lostModelCalls, chargedNanoUsd(ledger)]).toEqual([0, 0]);
  });

  it('is told twice without effect', () => {
    const shell = cancel(running());
    const { state } = shell;
    expect(cancel(shell).state).toBe(state);
  });

  it.each([
    ['landing', (shell: Shell) => modelCalledOff(cancel(modelCalledOff(shell.control('stop'))))],
    [
      'landing with an answer',
      (shell: Shell) => modelAnswers(cancel(modelCalledOff(shell.control('stop'))), { text: 'Bye.' }),
    ],
    ['failing', (shell: Shell) => modelFails(cancel(shell), 'MODEL_BAD_REQUEST', false)],
    ['running out of money', (shell: Shell) => modelFails(cancel(shell), 'MODEL_PAYMENT', false)],
    ['answering', (shell: Shell) => modelAnswers(cancel(shell), { text: 'Done.' })],
    ['asking for calls', (shell: Shell) => modelCalls(cancel(shell), callOf(), gatedCall())],
    ['paused', (shell: Shell) => cancel(modelCalls(shell, gatedCall()).control('pause'))],
    ['waiting for another attempt', (shell: Shell) => cancel(modelFails(shell, 'MODEL_UNAVAILABLE'))],
    ['waiting out an outage', (shell: Shell) => cancel(modelGivesUp(shell, 'MODEL_UNAVAILABLE'))],
  ])('ends a run as cancelled though it was %s', (_, live) => {
    const shell = live(running());
    expect(shell.state.result?.outcome).toBe('cancelled');
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
  });

  it('says that a call did not run when it was called off before any worker had it', () => {
    const shell = modelCalls(running(), gatedCall());
    shell.deliver({ type: 'control', name: 'approve', payload: {} }, { type: 'cancel_requested' });
    expect(shell.starts.filter(({ work }) => work.kind === 'tool')).toEqual([]);
    expect(statusOfResults(shell)).toEqual(['cancelled']);
    expect(shell.state.result?.unknownOutcomes).toEqual([]);
  });

  it('says that nobody knows of a call of effect `once` that a worker had', () => {
    const shell = toolSettles(cancel(modelCalls(running(), callOf())), 's0.c0', { kind: 'cancelled' });
    expect(shell.state.result?.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'send' }]);
  });

  it.each([
    ['waits for a human', (shell: Shell) => shell],
    ['waits to run again', (shell: Shell) => shell.control('pause').control('approve', { callId: 's0.c0' })],
  ])('says that nobody knows of a call in doubt that %s', (_, live) => {
    const shell = cancel(live(toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' })));
    expect(shell.state.result?.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'send' }]);
  });

  it('counts no model call as lost that never left', () => {
    const shell = modelCalls(running(), callOf({ effect: 'read' }));
    const settled = shell.settlementOf('s0.c0', 'tool', { kind: 'ok', value: { content: 'ok' } });
    shell.deliver(settled, { type: 'cancel_requested' });
    expect([shell.closed, shell.state.ledger.lostModelCalls, underWay(shell)]).toEqual([true, 0, []]);
  });
});

describe('a run that the server ends', () => {
  it('by termination is cancelled, with every call settled', () => {
    const shell = modelCalls(running(), callOf(), gatedCall(), callOf({ effect: 'read' }));
    shell.deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    expect(shell.state.result).toMatchObject({
      outcome: 'cancelled',
      error: null,
      unknownOutcomes: [{ callId: 's0.c0', tool: 'send' }],
    });
    expect(statusOfResults(shell)).toEqual(['unknown_outcome', 'cancelled', 'cancelled']);
    expect(shell.closed).toBe(true);
  });

  it.each(['timed_out', 'failed'] as const)('otherwise has failed: %s', (how) => {
    const shell = running().deliver({ type: 'ended_outside', how, message: 'Out of time.' });
    expect(shell.state.result).toMatchObject({
      outcome: 'failed',
      error: { code: 'INPUT_INVALID', message: 'Out of time.' },
    });
  });

  it('was not open any more when it had ended by itself', () => {
    const shell = modelAnswers(running(), { text: 'Done.' });
    shell.deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    expect(shell.state.result?.outcome).toBe('done');
  });
});
