import { view } from '../../../src/core/view.js';
import {
  callOf, eventsOf, gatedCall, lastOf, modelAnswers, modelCalledOff, modelCalls, modelKey, refusal, running, toolAnswers, underWay, userWords,
} from '../support/run.js'; // prettier-ignore

describe('a message that is queued', () => {
  it('waits until the run would have ended, then keeps it going', () => {
    const shell = running().control('say', { text: 'Then the attic.', mode: 'queue' });
    toolAnswers(modelCalls(shell, callOf()), 's0.c0');
    expect([userWords(shell), view(shell.state).queuedMessages]).toEqual([[], 1]);
    modelAnswers(shell, { text: 'The cellar is tidy.' });
    expect(userWords(shell)).toEqual(['Then the attic.']);
    expect([modelKey(shell), view(shell.state).queuedMessages]).toEqual(['s2.m0', 0]);
    modelAnswers(shell, { text: 'The attic too.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'The attic too.', steps: 3 });
  });
});

describe('a message that steers', () => {
  it('reaches the model with the next step, behind the results, in the order in which messages came', () => {
    const shell = running()
      .control('say', { text: 'First.' })
      .control('say', { text: 'Second.', mode: 'steer' });
    modelCalls(shell, callOf());
    expect(userWords(shell)).toEqual([]);
    toolAnswers(shell, 's0.c0');
    expect(shell.state.transcript.slice(-3)).toEqual([
      { role: 'tool', callId: 'call_0_0', content: 'All well.' },
      { role: 'user', content: 'First.' },
      { role: 'user', content: 'Second.' },
    ]);
  });

  it('goes before what is queued, and leaves it there', () => {
    const shell = running()
      .control('say', { text: 'Later.', mode: 'queue' })
      .control('say', { text: 'Now.' });
    toolAnswers(modelCalls(shell, callOf()), 's0.c0');
    expect([userWords(shell), view(shell.state).queuedMessages]).toEqual([['Now.'], 1]);
  });

  it('does not disturb the model call under way', () => {
    const shell = running().control('say', { text: 'Now.' });
    expect([underWay(shell), shell.cancelled.size]).toEqual([['s0.m0'], 0]);
  });

  it('keeps a run going that would have ended without having heard it', () => {
    const shell = modelAnswers(running().control('say', { text: 'And the attic?' }), { text: 'Done.' });
    expect(shell.state.phase).toBe('model');
    expect(shell.state.transcript.slice(-2).map(({ content }) => content)).toEqual([
      'Done.',
      'And the attic?',
    ]);
  });
});

describe('a message that interrupts', () => {
  it('calls the model call off and starts one that has heard it, in the same step', () => {
    const shell = running().control('say', { text: 'Stop that.', mode: 'interrupt' });
    expect([...shell.cancelled]).toEqual(['s0.m0']);
    modelCalledOff(shell, { sent: true });
    expect(userWords(shell)).toEqual(['Stop that.']);
    expect(underWay(shell)).toEqual(['s0.m1']);
    expect(shell.state.ledger.lostModelCalls).toBe(1);
  });

  it('keeps an answer that was complete before it: its calls run, and the next step hears the message', () => {
    const shell = running().control('say', { text: 'Stop that.', mode: 'interrupt' });
    toolAnswers(modelCalls(shell, callOf()), 's0.c0');
    expect([modelKey(shell), userWords(shell)]).toEqual(['s1.m0', ['Stop that.']]);
  });

  it('steers where no model call is under way', () => {
    const shell = modelCalls(running(), callOf()).control('say', { text: 'Hm.', mode: 'interrupt' });
    expect([underWay(shell), shell.cancelled.size]).toEqual([['s0.c0'], 0]);
    expect(userWords(toolAnswers(shell, 's0.c0'))).toEqual(['Hm.']);
  });
});

describe('a message', () => {
  it('is confirmed with its place, its mode and who said it', () => {
    const shell = running()
      .control('say', { text: 'A.', messageId: 'id-1', by: 'ada' })
      .control('say', { text: 'B.', mode: 'queue' });
    expect(eventsOf(shell.events, 'message_accepted')).toMatchObject([
      { messageId: 'id-1', mode: 'steer', position: 0, by: 'ada' },
      { messageId: expect.stringMatching(/^auto-\d+$/), mode: 'queue', position: 1, by: null },
    ]);
  });

  it('that is sent twice under one id is taken once, even after the model has heard it', () => {
    const shell = running()
      .control('say', { text: 'A.', messageId: 'id-1' })
      .control('say', { text: 'A.', messageId: 'id-1' });
    toolAnswers(modelCalls(shell, callOf()), 's0.c0').control('say', { text: 'A.', messageId: 'id-1' });
    toolAnswers(modelCalls(shell, callOf()), 's1.c0');
    expect(userWords(shell)).toEqual(['A.']);
    expect(eventsOf(shell.events, 'message_accepted').length).toBe(1);
    expect(eventsOf(shell.events, 'control_rejected')).toEqual([]);
  });

  it('is refused when a hundred wait, and taken again after the next step', () => {
    const shell = running();
    for (let n = 0; n < 100; n++) shell.control('say', { text: `${n}`, messageId: `id-${n}` });
    expect(refusal(shell)).toBeUndefined();
    expect(refusal(shell.control('say', { text: 'One more.' }))).toBe('MESSAGE_TOO_LARGE');
    shell.control('say', { text: '5', messageId: 'id-5' });
    expect(eventsOf(shell.events, 'control_rejected').length).toBe(1);
    toolAnswers(modelCalls(shell, callOf()), 's0.c0');
    expect(userWords(shell).length).toBe(100);
    expect(refusal(shell.control('say', { text: 'One more.' }))).toBeUndefined();
  });

  it('reaches the closing request when it came before that was made', () => {
    const shell = running().control('say', { text: 'Mind the cat.', mode: 'queue' }).control('stop');
    modelCalledOff(shell);
    expect(userWords(shell)).toEqual([
      'Mind the cat.',
      expect.stringContaining('A human asked this run to stop.'),
    ]);
  });

  it('is refused while the closing answer is written, and after a cancellation: nothing would hear it', () => {
    const closing = modelCalledOff(running().control('stop')).control('say', { text: 'Wait!' });
    expect(refusal(closing)).toBe('RUN_CLOSED');
    expect(refusal(running().deliver({ type: 'cancel_requested' }).control('say', { text: 'Wait!' }))).toBe(
      'RUN_CLOSED',
    );
  });
});

describe('a pause', () => {
  it('lets what runs end and starts nothing new', () => {
    const shell = modelCalls(running(), callOf(), gatedCall()).control('pause', {
      by: 'ada',
      note: 'Lunch.',
    });
    expect(lastOf(shell, 'run_paused')).toMatchObject({ reason: 'asked', by: 'ada', message: 'Lunch.' });
    toolAnswers(shell, 's0.c0').control('approve', { callId: 's0.c1' });
    expect([view(shell.state).status, underWay(shell)]).toEqual(['paused', []]);
    shell.control('resume', { by: 'bob' });
    expect(underWay(shell)).toEqual(['s0.c1']);
    expect(lastOf(shell, 'run_resumed')?.by).toBe('bob');
  });

  it('asked for twice is told once, and a resume without a pause is not told', () => {
    const shell = running()
      .control('resume')
      .control('pause')
      .control('pause')
      .control('resume')
      .control('resume');
    expect(shell.events.slice(2).map(({ type }) => type)).toEqual(['run_paused', 'run_resumed']);
  });

  it('takes messages in, which are heard after it', () => {
    const shell = modelCalls(running(), callOf()).control('pause');
    toolAnswers(shell, 's0.c0').control('say', { text: 'Hm.' });
    expect(userWords(shell)).toEqual([]);
    expect(userWords(shell.control('resume'))).toEqual(['Hm.']);
  });

  it('does not hold back a stop', () => {
    const shell = toolAnswers(modelCalls(running(), callOf()).control('pause'), 's0.c0').control('stop');
    expect([view(shell.state).status, underWay(shell).length]).toEqual(['landing', 1]);
    modelAnswers(shell, { text: 'Half done.' });
    expect(shell.state.result).toMatchObject({ outcome: 'stopped', answer: 'Half done.' });
  });

  it('is over at the deadline of the run', () => {
    const shell = running({
      limits: { maxCostUsd: null, maxSteps: null, maxTokens: null, maxDurationMs: 60_000 },
    });
    toolAnswers(modelCalls(shell, callOf()).control('pause'), 's0.c0').awaitTimer();
    expect([view(shell.state).status, lastOf(shell, 'landing_started')?.limit]).toEqual([
      'landing',
      'duration',
    ]);
  });

  it.each(['stop', 'cancel'])('comes too late after a %s', (how) => {
    const shell = running();
    if (how === 'stop') shell.control('stop');
    else shell.deliver({ type: 'cancel_requested' });
    shell.control('pause');
    expect([view(shell.state).status, lastOf(shell, 'run_paused')]).toEqual(['landing', undefined]);
  });
});
