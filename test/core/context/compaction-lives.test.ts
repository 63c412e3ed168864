import fc from 'fast-check';
import { charsOf } from '../../../src/core/context/compact-items.js';
import {
  looks, looksUntilFull, noteOf, problemsOf, purposeOf, shortRun, sumsUp,
} from '../support/long-run.js'; // prettier-ignore
import {
  callOf, eventsOf, FREE, isClosing, lastMessage, modelAnswers, modelCalledOff, modelCalls, modelFails, modelInput, modelKey,
  toolAnswers, underWay, userWords,
} from '../support/run.js'; // prettier-ignore
import { LIVES } from '../support/scenario.js';
import type { Shell } from '../support/shell.js';
import { problemToSend } from '../support/transcript-check.js';

const compactions = ({ events }: Shell) => eventsOf(events, 'compacted');
const summing = () => looksUntilFull(shortRun(6_000));

describe('while a summary is being written', () => {
  it.each(['steer', 'queue', 'interrupt'] as const)(
    'a message of mode %s waits, and the summary goes on',
    (mode) => {
      const shell = summing();
      const key = modelKey(shell);
      shell.control('say', { text: 'Mind the cat.', mode });
      expect([underWay(shell), shell.cancelled.size]).toEqual([[key], 0]);
      sumsUp(shell);
      expect(purposeOf(shell)).toBe('step');
      expect(noteOf(shell)).toContain('said: Mind the cat.');
      expect(userWords(shell).includes('Mind the cat.')).toBe(mode !== 'queue');
      modelAnswers(shell, { text: 'Done.' });
      expect(userWords(shell).at(-1)).toBe('Mind the cat.');
      expect(problemsOf(shell)).toEqual([]);
    },
  );

  it('a pause holds back the step after it', () => {
    const shell = summing().control('pause');
    sumsUp(shell);
    expect([compactions(shell).length, underWay(shell)]).toEqual([1, []]);
    expect(purposeOf(shell.control('resume'))).toBe('step');
    expect(compactions(shell)).toHaveLength(1);
  });

  it('a stop calls it off, and the run lands with what it has', () => {
    const shell = summing().control('stop', { note: 'Enough.' });
    expect(shell.cancelled).toEqual(new Set([modelKey(shell)]));
    modelCalledOff(shell);
    expect(isClosing(shell)).toBe(true);
    expect(compactions(shell)).toMatchObject([{ by: 'cut' }]);
    expect(lastMessage(shell)).toMatch(/A human asked this run to stop/);
    expect(problemsOf(shell)).toEqual([]);
  });

  it('a stop that comes too late lets it be written, for nothing', () => {
    const shell = summing().control('stop');
    modelAnswers(shell, { text: 'Too late.', costNanoUsd: 5_000 });
    expect([isClosing(shell), noteOf(shell)]).toEqual([true, '']);
    expect(shell.state.ledger.byPurpose.compaction).toMatchObject({ confirmedNanoUsd: 5_000 });
  });

  it('a failure that comes after a stop is not tried again', () => {
    const shell = modelFails(summing().control('stop'), 'MODEL_UNAVAILABLE', true, FREE);
    expect([isClosing(shell), shell.timerAtMs]).toEqual([true, null]);
  });

  it('a cancel ends the run as soon as it is called off', () => {
    const shell = summing().deliver({ type: 'cancel_requested' });
    modelCalledOff(shell);
    expect(shell.state.ending?.outcome ?? shell.state.result?.outcome).toBe('cancelled');
    expect(compactions(shell)).toEqual([]);
  });

  it('a cancel that comes too late keeps the conversation as it was', () => {
    const shell = summing().deliver({ type: 'cancel_requested' });
    const { transcript } = shell.state;
    sumsUp(shell);
    expect(shell.state.transcript).toEqual(transcript);
    expect(shell.state.ending?.outcome ?? shell.state.result?.outcome).toBe('cancelled');
  });

  it('the time of the run may be up', () => {
    const shell = summing();
    shell.control('setLimits', { maxDurationMs: 60_000 });
    shell.advance(60_001);
    modelCalledOff(shell);
    expect([shell.state.landing?.limit, isClosing(shell)]).toEqual(['duration', true]);
  });

  it('a message between two attempts at it does no harm', () => {
    const shell = summing();
    modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE);
    shell.control('say', { text: 'Mind the cat.' }).awaitTimer();
    expect(modelInput(shell)).toMatchObject({ purpose: 'compaction', attempt: 2 });
    sumsUp(shell);
    expect(lastMessage(shell)).toBe('Mind the cat.');
    expect(problemsOf(shell)).toEqual([]);
  });
});

describe('continue-as-new', () => {
  /** Plays a life of a few compactions, and takes the run over at any of its points that `reloads` names. */
  const life = (reloads: (point: number) => boolean): Shell => {
    const shell = shortRun(6_000, { prepared: { models: ['maker/second'] } });
    for (let point = 0; point < 40; point += 1) {
      if (reloads(point)) shell.reload();
      if (shell.started.size === 0) shell.awaitTimer();
      else if (purposeOf(shell) !== 'compaction') looks(shell, 900);
      else if (point % 3 === 0) modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE);
      else sumsUp(shell, `Up to point ${point} all is dust.`);
    }
    return shell;
  };

  it('changes nothing, wherever it comes', () => {
    const whole = life(() => false);
    expect(compactions(whole).map(({ by }) => by)).toEqual(expect.arrayContaining(['summary']));
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (points) => {
        const { state, events } = life((point) => points[point] === true);
        expect(state).toEqual(whole.state);
        expect(events).toEqual(whole.events);
      }),
      { numRuns: 4 },
    );
  });

  it('may come while the summary is written, and before the answer to a refusal', () => {
    const shell = sumsUp(summing().reload());
    expect(compactions(shell)).toHaveLength(1);
    looks(shell, 2_000);
    modelFails(shell, 'MODEL_CONTEXT_LENGTH', false, FREE).reload();
    expect(purposeOf(shell)).toBe('compaction');
    sumsUp(shell.reload());
    expect([purposeOf(shell.reload()), compactions(shell).length]).toEqual(['step', 2]);
  });
});

it('thirty compactions keep goal, record and open doubts, and hold the conversation short', () => {
  const shell = shortRun(9_000);
  shell.control('say', { text: 'Never open the red box.', by: 'ada' });
  modelCalls(shell, callOf({ name: 'paint', onUnknown: 'tell_model' }));
  shell.deliver(shell.settlementOf('s0.c0', 'tool', { kind: 'timed_out' }));
  const beginning = shell.state.transcript.slice(0, 2);
  let longest = 0;
  for (let round = 0; compactions(shell).length < 30 && round < 1_000; round += 1) {
    if (purposeOf(shell) === 'compaction')
      sumsUp(shell, `Summary ${compactions(shell).length}. ${'Dusty. '.repeat(90)}`);
    else looks(shell, 100 + ((round * 769) % 2_500));
    longest = Math.max(longest, charsOf(shell.state.transcript));
    expect(shell.state.transcript.slice(0, 2)).toEqual(beginning);
    if (compactions(shell).length > 0) {
      expect(noteOf(shell)).toContain('said by ada: Never open the red box.');
      expect(noteOf(shell)).toContain('paint (s0.c0)');
      expect(userWords(shell).filter((words) => words.startsWith('[The conversation'))).toHaveLength(1);
    }
  }
  expect(compactions(shell).every(({ by }) => by === 'summary')).toBe(true);
  expect(longest).toBeLessThan(9_000 + 2_700);
  expect(shell.state.landing).toBeNull();
  modelAnswers(shell, { text: 'All is tidy.' });
  expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
  expect(shell.state.compaction.count).toBe(30);
  expect(problemsOf(shell)).toEqual([]);
});

describe('whatever models and servers do', () => {
  const moves = fc.array(
    fc.constantFrom(
      'look',
      'look much',
      'sum up',
      'say nothing',
      'refuse',
      'fail',
      'is away',
      'is called off',
      'speak',
      'stop',
    ),
    { minLength: 30, maxLength: 120 },
  );

  const play = (shell: Shell, move: string, step: number): void => {
    if (purposeOf(shell) === undefined) {
      if (shell.timerAtMs !== null) shell.awaitTimer();
      else if (shell.state.pause) shell.control('resume');
      return;
    }
    if (move === 'is called off' || shell.cancelled.size > 0) return void modelCalledOff(shell);
    if (move === 'speak')
      return void shell.control('say', { text: `${step} ${'blah '.repeat(step * 20)}`, mode: 'steer' });
    if (move === 'stop') return void (step > 60 && shell.control('stop'));
    if (move === 'refuse') return void modelFails(shell, 'MODEL_CONTEXT_LENGTH', false, FREE);
    if (move === 'fail') return void modelFails(shell, 'MODEL_BAD_REQUEST', false, FREE);
    if (move === 'is away') return void modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE);
    if (purposeOf(shell) !== 'step')
      return void modelAnswers(shell, { text: move === 'sum up' ? 'A summary.' : '' });
    looks(shell, move === 'look much' ? 5_000 : 500);
  };

  it('each request can be sent, and a step is preceded by few calls that shorten the conversation', () => {
    fc.assert(
      fc.property(moves, (list) => {
        const shell = shortRun(6_000, { prepared: { models: ['maker/second', 'other/third'] } });
        for (const [index, move] of list.entries())
          if (!shell.state.ending && !shell.state.result) play(shell, move, index);
        expect(problemsOf(shell)).toEqual([]);
        const offs = list.filter((move) => move === 'is called off').length;
        const perStep = new Map<number, number>();
        for (const { work } of shell.starts)
          if (work.kind === 'model' && work.input.purpose === 'compaction')
            perStep.set(work.input.step, (perStep.get(work.input.step) ?? 0) + 1);
        // One before the step and one that a refusal calls for, each with two attempts.
        for (const calls of perStep.values()) expect(calls).toBeLessThanOrEqual(4 + offs);
        const shortened = compactions(shell).map(({ step }) => step);
        for (const step of shortened)
          expect(shortened.filter((one) => one === step).length).toBeLessThanOrEqual(2);
      }),
      { numRuns: Math.ceil(LIVES / 13), endOnFailure: true },
    );
  });
});

it('a transcript in which a call has no result yet is never asked about', () => {
  const shell = shortRun(6_000);
  modelCalls(shell, callOf({ name: 'look', effect: 'read' }), callOf({ name: 'send', effect: 'read' }));
  toolAnswers(shell, 's0.c0', 'x'.repeat(20_000));
  expect([purposeOf(shell), compactions(shell)]).toEqual([undefined, []]);
  toolAnswers(shell, 's0.c1');
  expect(problemToSend(shell.state.transcript)).toBeNull();
  expect(purposeOf(shell)).toBe('step');
});
