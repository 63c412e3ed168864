import { FALLBACK_COOL_DOWN_MS, OUTAGE } from '../../../src/core/behaviour.js';
import { looks, purposeOf } from '../support/long-run.js';
import {
  callOf, eventsOf, FREE, isClosing, lastOf, modelAnswers, modelCalls, modelFails, modelGivesUp, modelInput, running, toolAnswers,
  underWay,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

const MODELS = ['maker/second', 'other/third'];
const askedModels = ({ starts }: Shell) =>
  starts.flatMap(({ work }) => (work.kind === 'model' ? [work.input.model] : []));

/** A run whose first model is away, so that the second one is asked. */
const fallen = (prepared = {}) => modelGivesUp(running({ models: MODELS, ...prepared }), 'MODEL_UNAVAILABLE');
const gone = (shell: Shell) => modelFails(shell, 'MODEL_BAD_REQUEST', false, FREE);

describe('the first model, after it failed and another one has answered in its place', () => {
  it('is left alone for some time', () => {
    const shell = fallen();
    expect(modelInput(shell).model).toBe('maker/second');
    for (let step = 0; step < 3; step += 1) looks(shell, 10);
    shell.nowMs += FALLBACK_COOL_DOWN_MS - 1;
    looks(shell, 10);
    expect(modelInput(shell)).toMatchObject({ step: 4, model: 'maker/second' });
    expect(eventsOf(shell.events, 'fallback_ended')).toEqual([]);
  });

  it('is asked again after that, at the next step', () => {
    const shell = fallen();
    shell.nowMs += FALLBACK_COOL_DOWN_MS;
    expect(modelInput(looks(shell, 10))).toMatchObject({ step: 1, model: 'maker/first', attempt: 1 });
    expect(eventsOf(shell.events, 'fallback_ended')).toMatchObject([
      { step: 1, from: 'maker/second', to: 'maker/first' },
    ]);
    shell.nowMs += FALLBACK_COOL_DOWN_MS;
    expect(modelInput(looks(shell, 10)).model).toBe('maker/first');
    expect(eventsOf(shell.events, 'fallback_ended')).toHaveLength(1);
  });

  it('is not asked between two attempts at one request', () => {
    const shell = fallen();
    const request = modelInput(shell);
    shell.nowMs += FALLBACK_COOL_DOWN_MS;
    modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE).awaitTimer();
    expect(modelInput(shell)).toEqual({ ...request, attempt: 2 });
    expect(modelInput(looks(shell, 10)).model).toBe('maker/first');
  });

  it('is left alone anew when it fails again', () => {
    const shell = fallen();
    shell.nowMs += FALLBACK_COOL_DOWN_MS;
    modelGivesUp(looks(shell, 10), 'MODEL_UNAVAILABLE');
    expect(modelInput(shell).model).toBe('maker/second');
    shell.nowMs += FALLBACK_COOL_DOWN_MS - 1;
    expect(modelInput(looks(shell, 10)).model).toBe('maker/second');
    shell.nowMs += 1;
    expect(modelInput(looks(shell, 10)).model).toBe('maker/first');
  });

  it('is left alone from the last failure on, where several have failed', () => {
    const shell = fallen();
    shell.nowMs += FALLBACK_COOL_DOWN_MS - 1;
    modelGivesUp(shell, 'MODEL_UNAVAILABLE');
    shell.nowMs += 5_000;
    expect(modelInput(looks(shell, 10)).model).toBe('other/third');
    shell.nowMs += FALLBACK_COOL_DOWN_MS;
    expect(modelInput(looks(shell, 10)).model).toBe('maker/first');
    expect(lastOf(shell, 'fallback_ended')).toMatchObject({ from: 'other/third', to: 'maker/first' });
  });

  it('is asked for the closing answer, when its time has come', () => {
    const shell = modelCalls(fallen(), callOf({ effect: 'read' }));
    shell.nowMs += FALLBACK_COOL_DOWN_MS;
    shell.control('stop');
    toolAnswers(shell, 's0.c0');
    expect([isClosing(shell), modelInput(shell).model]).toEqual([true, 'maker/first']);
  });

  it('is asked again at the same time in a run that was carried on as new', () => {
    const shell = fallen().reload();
    shell.nowMs += FALLBACK_COOL_DOWN_MS;
    expect(modelInput(looks(shell, 10).reload()).model).toBe('maker/first');
  });

  it('is never asked again by itself in runs that began before that was done', () => {
    const shell = fallen({ behaviour: 3 });
    shell.nowMs += FALLBACK_COOL_DOWN_MS * 9;
    expect(modelInput(looks(shell, 10)).model).toBe('maker/second');
    expect(eventsOf(shell.events, 'fallback_ended')).toEqual([]);
  });
});

describe('a server that names models which would be fit', () => {
  const refused = (fallbackModels: unknown, prepared = {}) => {
    const details = { ...FREE, fallbackModels: fallbackModels as string[] };
    return modelFails(running({ models: MODELS, ...prepared }), 'MODEL_BAD_REQUEST', false, details);
  };

  it('has the first of the run asked that is among them', () => {
    const shell = refused(['some/other', 'other/third']);
    expect(modelInput(shell).model).toBe('other/third');
    expect(lastOf(shell, 'fallback_used')).toMatchObject({ from: 'maker/first', to: 'other/third' });
  });

  it.each([[['some/other']], [['maker/first']], [[]], ['other/third'], [null]])(
    'but names %j has the next one asked',
    (named) => expect(modelInput(refused(named)).model).toBe('maker/second'),
  );

  it('has the next one asked in runs that began before it was listened to', () => {
    expect(modelInput(refused(['other/third'], { behaviour: 3 })).model).toBe('maker/second');
  });
});

describe('a final failure of the last model', () => {
  it('is waited out where an earlier one has failed in a way that passes', () => {
    const shell = gone(gone(fallen()));
    expect([underWay(shell), shell.state.result]).toEqual([[], null]);
    expect(shell.timerAtMs).toBe(shell.nowMs + OUTAGE.firstWaitMs);
    expect(lastOf(shell, 'model_failed')).toMatchObject({ model: 'other/third', code: 'MODEL_BAD_REQUEST' });
    expect(modelInput(shell.awaitTimer())).toMatchObject({ model: 'maker/first', attempt: 1 });
    looks(shell, 10);
    expect(modelInput(shell)).toMatchObject({ model: 'maker/first', step: 1 });
  });

  it('ends the run where all have failed for good', () => {
    const shell = gone(gone(gone(running({ models: MODELS }))));
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BAD_REQUEST' } });
    expect(askedModels(shell)).toEqual(['maker/first', ...MODELS]);
  });

  it('ends the run where the one that was away has come back, to refuse for good', () => {
    const shell = gone(gone(fallen())).awaitTimer();
    expect(gone(gone(gone(shell))).state.result).toMatchObject({ outcome: 'failed' });
  });

  it('is waited out where an earlier step has met one that passes, and the first model was not asked since', () => {
    const shell = gone(gone(looks(fallen(), 10)));
    expect(modelInput(shell.awaitTimer())).toMatchObject({ model: 'maker/first', step: 1 });
    expect(gone(gone(gone(shell))).state.result).toMatchObject({ outcome: 'failed' });
  });

  it('ends the run where the key is refused, which no time will mend', () => {
    const shell = modelFails(fallen(), 'MODEL_AUTH', false, FREE);
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_AUTH' } });
  });

  it('is waited out for a day at most', () => {
    const shell = gone(gone(fallen()));
    for (let wait = 0; shell.state.landing === null && wait < 99; wait += 1) {
      shell.awaitTimer();
      gone(gone(modelGivesUp(shell, 'MODEL_UNAVAILABLE')));
    }
    expect(shell.state.landing).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BAD_REQUEST' } });
    expect(shell.nowMs - Date.parse(shell.events[0]?.at ?? '')).toBeGreaterThan(OUTAGE.patienceMs);
  });

  it('ends runs at once that began before it was waited out', () => {
    const shell = gone(gone(fallen({ behaviour: 3 })));
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BAD_REQUEST' } });
  });
});

it('the model of a closing answer stays while it fails, and the run ends without one', () => {
  const shell = modelCalls(fallen(), callOf({ effect: 'read' }));
  shell.control('stop');
  toolAnswers(shell, 's0.c0');
  expect(purposeOf(shell)).toBe('landing');
  modelGivesUp(shell, 'MODEL_UNAVAILABLE');
  expect(shell.state.result).toMatchObject({ outcome: 'stopped' });
  expect(askedModels(shell)).not.toContain('other/third');
});

it('an answer of another model is sent on as it is, whoever is asked next', () => {
  const shell = fallen();
  shell.nowMs += FALLBACK_COOL_DOWN_MS;
  modelAnswers(shell, {
    model: 'maker/second',
    calls: [callOf({ effect: 'read' })],
    reasoning: [{ type: 'x' }],
  });
  toolAnswers(shell, 's0.c0');
  expect(modelInput(shell).model).toBe('maker/first');
  expect(shell.state.transcript.at(-2)).toMatchObject({ model: 'maker/second', reasoning: [{ type: 'x' }] });
});

describe('a run that waits for its model server', () => {
  it('asks again at once when it is told to go on', () => {
    const shell = modelGivesUp(running(), 'MODEL_UNAVAILABLE');
    expect(underWay(shell)).toEqual([]);
    shell.control('resume', { by: 'ann' });
    expect(lastOf(shell, 'run_resumed')).toMatchObject({ by: 'ann' });
    expect(modelInput(shell)).toMatchObject({ model: 'maker/first', attempt: 1 });
  });
});
