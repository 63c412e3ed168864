import { LOOP } from '../../../src/core/behaviour.js';
import { fingerprint } from '../../../src/core/context/loop-guard.js';
import { does, points, repeats, rungs } from '../support/circles.js';
import { purposeOf } from '../support/long-run.js';
import {
  eventsOf, gatedCall, isClosing, modelAnswers, modelCalls, modelInput, running, toolAnswers, userWords,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

/** Steps until a human is asked about the repeated call; it is repeated once more. */
function untilAsked(shell: Shell): Shell {
  repeats(shell, 8);
  expect(rungs(shell)).toEqual(['observe', 'tell', 'switch', 'ask']);
  expect(modelInput(shell).asks).toEqual([fingerprint('look', { at: 'door' })]);
  return modelCalls(
    shell,
    gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }, { reason: 'loop' }),
  );
}

describe('the ladder', () => {
  it('has its rungs, of which each is told once', () => {
    const shell = repeats(running(), 10);
    expect(rungs(shell)).toEqual(['observe', 'tell', 'switch', 'ask', 'land']);
    expect(eventsOf(shell.events, 'loop_detected').map(({ step }) => step)).toEqual([2, 3, 5, 7, 9]);
  });

  it('begins anew once something new was done', () => {
    const shell = repeats(running(), 4);
    does(shell, { args: '{"at":"window"}' });
    expect(points(shell)).toBe(0);
    expect(rungs(repeats(shell, 3))).toEqual(['observe', 'tell', 'observe', 'tell']);
  });

  it('first only watches', () => {
    const shell = repeats(running(), 3);
    expect([rungs(shell), userWords(shell)]).toEqual([['observe'], []]);
  });

  it('then tells the model, after the results of the step', () => {
    const shell = repeats(running(), 4);
    expect(shell.state.transcript.at(-2)?.role).toBe('tool');
    expect(userWords(shell)).toEqual([
      expect.stringMatching(/^The last 4 steps brought nothing new: they called look again/),
    ]);
  });

  it('then asks the next model, for one step', () => {
    const shell = repeats(running({ models: ['maker/second', 'other/third'] }), 6);
    expect(eventsOf(shell.events, 'fallback_used')).toMatchObject([
      { code: 'LOOP', from: 'maker/first', to: 'maker/second', step: 5 },
    ]);
    expect(modelInput(shell)).toMatchObject({ model: 'maker/second', step: 6 });
    does(shell, {});
    expect(modelInput(shell)).toMatchObject({ model: 'maker/first', step: 7 });
    expect(eventsOf(shell.events, 'fallback_ended')).toMatchObject([
      { from: 'maker/second', to: 'maker/first', step: 7 },
    ]);
  });

  it('goes on with the model it has where there is no other', () => {
    const shell = repeats(running(), 6);
    expect([rungs(shell).at(-1), modelInput(shell).model]).toEqual(['switch', 'maker/first']);
    expect(eventsOf(shell.events, 'fallback_used')).toEqual([]);
  });

  it('then has a human asked when the call comes again', () => {
    const shell = untilAsked(running());
    expect(shell.state.calls).toMatchObject([{ status: 'gated', plan: { gate: { reason: 'loop' } } }]);
    expect(eventsOf(shell.events, 'decision_requested')).toMatchObject([{ tool: 'look', reason: 'loop' }]);
  });

  it('has a human asked about every call of the circle, whichever comes next', () => {
    const shell = repeats(running(), 9, (n) => [{ args: `{"at":${n % 2}}` }]);
    expect(rungs(shell).at(-1)).toBe('ask');
    const circle = [0, 1].map((at) => fingerprint('look', { at }));
    expect([...(modelInput(shell).asks ?? [])].sort()).toEqual(circle.sort());
  });

  it('asks about nothing any more once something new was done', () => {
    const shell = repeats(running(), 8);
    expect(modelInput(does(shell, { args: '{"at":"window"}' })).asks).toBeUndefined();
  });

  it('in the end has the run land, and say what it has', () => {
    const shell = repeats(running(), 10);
    expect(shell.state.landing).toMatchObject({ outcome: 'limit', limit: 'loop', error: null });
    expect(isClosing(shell)).toBe(true);
    expect(userWords(shell).at(-1)).toMatch(
      /^The last 10 steps brought nothing new.*No more tools can be called/,
    );
    modelAnswers(shell, { text: 'The door is closed.' });
    expect(shell.state.result).toMatchObject({
      outcome: 'limit', limit: 'loop', limitsReached: ['loop'], answer: 'The door is closed.', error: null,
    }); // prettier-ignore
  });

  it('asks no human where none is to be asked, and lands all the same', () => {
    const shell = repeats(running({}, { goal: 'Tidy up.', requireApproval: 'never' }), 10);
    expect(rungs(shell)).toEqual(['observe', 'tell', 'switch', 'land']);
    expect(shell.state.landing?.limit).toBe('loop');
  });

  it('does nothing in a run that is landing already', () => {
    const shell = repeats(running(), 9);
    const { step } = shell.state;
    modelCalls(shell, { id: 'last', name: 'look', args: '{"at":"door"}', effect: 'read' });
    shell.control('stop');
    toolAnswers(shell, `s${step}.c0`, 'Closed.');
    expect([rungs(shell).at(-1), shell.state.landing?.outcome]).toEqual(['ask', 'stopped']);
  });
});

describe('a human who was asked about a repeated call', () => {
  it.each(['approve', 'reject'] as const)('and decides to %s it has the matter in hand', (decision) => {
    const shell = untilAsked(running());
    shell.control('decide', { callId: 's8.c0', decision });
    if (decision === 'approve') toolAnswers(shell, 's8.c0', 'Closed.');
    expect(shell.state.loop).toEqual({ points: 0, seen: [], repeats: 0, asks: [] });
    expect(modelInput(shell)).not.toHaveProperty('asks');
    expect(points(repeats(shell, 2))).toBe(3);
  });

  it('is asked though the tool was approved for the rest of the run', () => {
    const shell = modelCalls(running(), gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }));
    shell.control('decide', { callId: 's0.c0', decision: 'approve', scope: 'run' });
    toolAnswers(shell, 's0.c0', 'Closed.');
    repeats(shell, 7);
    expect(modelInput(shell).asks).toBeDefined();
    modelCalls(
      shell,
      gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }, { reason: 'loop' }),
      gatedCall({ name: 'look', args: '{"at":"window"}', effect: 'read' }),
    );
    expect(shell.state.calls.map(({ status }) => status)).toEqual(['gated', 'running']);
  });

  it('may not answer in time, which decides nothing', () => {
    const shell = repeats(running(), 8);
    const gate = { reason: 'loop' as const, onExpiry: 'deny' as const, expiresInMs: 60_000 };
    modelCalls(shell, gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }, gate));
    shell.advance(60_000);
    expect(points(shell)).toBeGreaterThan(LOOP.rungs.ask);
    expect(purposeOf(shell)).toBe('step');
  });
});
