import type { Limits } from '../../../src/core/run-input.js';
import {
  callOf, costFound, eventsOf, lastOf, limited, modelAnswers, modelCalls, modelFails, modelInput, running, toolAnswers, userWords,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

/** A step with one call that is answered, at this cost. */
function step(shell: Shell, costNanoUsd = 1_000, completionTokens = 5): Shell {
  const { step: number } = shell.state;
  modelAnswers(shell, { calls: [callOf({ args: `{"n":${number}}` })], costNanoUsd, completionTokens });
  return toolAnswers(shell, `s${number}.c0`);
}

const steps = (shell: Shell, count: number): Shell => {
  for (let n = 0; n < count; n++) step(shell);
  return shell;
};

const warned = (shell: Shell) => eventsOf(shell.events, 'limit_warning').map(({ limit }) => limit);

describe('a ceiling of which four fifths are used', () => {
  it('is told to the model and to watchers before the next step', () => {
    const shell = steps(limited({ maxSteps: 5 }), 3);
    expect(warned(shell)).toEqual([]);
    step(shell);
    expect(lastOf(shell, 'limit_warning')).toMatchObject({ step: 4, limit: 'steps', used: 4, ceiling: 5 });
    expect(userWords(shell)).toEqual([
      'This run has used 80 % of its steps. Begin to finish: do what matters most, then answer.',
    ]);
  });

  it.each<[string, Partial<Limits>, (shell: Shell) => Shell]>([
    ['80 % of its money', { maxCostUsd: 0.5 }, (shell) => step(shell, 400_000_000)],
    ['85 % of its tokens', { maxTokens: 100_000 }, (shell) => step(shell, 0, 84_990)],
    ['90 % of its time', { maxDurationMs: 10_000 }, (shell) => step(shell.advance(9_000))],
  ])('is told in words that a model understands: %s', (words, limits, use) => {
    const shell = limited(limits);
    use(shell);
    expect(userWords(shell)[0]).toContain(`This run has used ${words}. `);
    expect(warned(shell).length).toBe(1);
  });

  it('is told once, however many steps follow', () => {
    expect(warned(steps(limited({ maxSteps: 10 }), 9))).toEqual(['steps']);
  });

  it('is told again when it was raised in between', () => {
    const shell = steps(limited({ maxSteps: 5 }), 4).control('setLimits', { maxSteps: 10 });
    expect(warned(steps(shell, 3))).toEqual(['steps']);
    expect(warned(step(shell))).toEqual(['steps', 'steps']);
    expect(eventsOf(shell.events, 'limit_warning').map(({ ceiling }) => ceiling)).toEqual([5, 10]);
  });

  it('is not told before another attempt, which asks with the same words so that the response cache can answer it', () => {
    const shell = step(limited({ maxCostUsd: 0.5 }), 370_000_000);
    const { version, hash } = modelInput(shell);
    modelFails(shell, 'MODEL_STALLED', true, { sent: true, generationId: 'gen-1' }).advance(2_000);
    expect([modelInput(shell), warned(shell)]).toMatchObject([{ version, hash, attempt: 2 }, []]);
    costFound(shell, 'gen-1', 40_000_000);
    expect(warned(step(shell))).toEqual(['cost']);
  });

  it('is told with others in one message', () => {
    const shell = limited({ maxSteps: 5, maxDurationMs: 10_000 });
    steps(shell, 3).advance(8_500);
    step(shell);
    expect(warned(shell)).toEqual(['steps', 'duration']);
    expect(userWords(shell)[0]).toContain('80 % of its steps and 85 % of its time');
  });

  it('counts nothing that may come free again, and all that is certain', () => {
    const shell = modelFails(limited({ maxCostUsd: 0.5 }), 'MODEL_STALLED', true, {
      sent: true,
      generationId: 'gen-1',
    });
    modelAnswers(shell.advance(2_000), { calls: [callOf()], costNanoUsd: 380_000_000 });
    toolAnswers(shell, 's0.c0');
    expect(warned(shell)).toHaveLength(0);
    costFound(shell, 'gen-1', 25_000_000);
    expect(warned(step(shell))).toEqual(['cost']);
  });

  it('is not told where there is none, nor to a run that lands', () => {
    expect(warned(steps(running(), 3))).toEqual([]);
    const shell = steps(limited({ maxSteps: 5 }), 3);
    modelCalls(shell, callOf());
    expect(warned(toolAnswers(shell.control('stop'), 's3.c0'))).toEqual([]);
  });
});

describe('a ceiling that comes near as another one is raised', () => {
  it('is told once', () => {
    const shell = steps(limited({ maxSteps: 5, maxTokens: 100_000 }), 4);
    shell.control('setLimits', { maxSteps: 20 });
    expect(warned(step(shell, 0, 85_000))).toEqual(['steps', 'tokens']);
    expect(warned(step(shell))).toEqual(['steps', 'tokens']);
  });
});
