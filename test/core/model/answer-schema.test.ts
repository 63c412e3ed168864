import type { ModelResult } from '../../../src/core/outcomes.js';
import { view } from '../../../src/core/view.js';
import {
  callOf,
  eventsOf,
  lastMessage,
  lastOf,
  limited,
  modelAnswers,
  modelCalls,
  modelInput,
  roles,
  running,
  toolAnswers,
  userWords,
} from '../support/run.js';
import type { Shell } from '../support/shell.js';
import { problemAtEnd } from '../support/transcript-check.js';
import { HOUR_MS } from '../support/world.js';

const INPUT = { goal: 'Count.', schema: { type: 'object' } };
const start = (prepared = {}) => running(prepared, INPUT);
const FITS = { text: '```json\n{"n":1}\n```', json: [8, 15] } satisfies Partial<ModelResult>;
const fits = (shell: Shell) => modelAnswers(shell, FITS);
const fails = (shell: Shell, text = 'One.') => modelAnswers(shell, { text, schemaProblem: 'it is no JSON' });

describe('an answer with a schema', () => {
  it('is told of in the system prompt', () => {
    expect(start().state.transcript[0]?.content).toMatch(/JSON Schema.*\{"type":"object"\}/s);
  });

  it('is the value of the run when it fits, and the text as the model wrote it', () => {
    const { result } = fits(start()).state;
    expect(result).toMatchObject({ outcome: 'done', answer: FITS.text, output: { n: 1 }, error: null });
  });

  it('is asked for once more when it does not fit, without calls', () => {
    const shell = fails(start());
    expect(lastOf(shell, 'answer_refused')).toMatchObject({ step: 0, problem: 'it is no JSON' });
    expect(modelInput(shell)).toMatchObject({ purpose: 'step', step: 1, answerOnly: true });
    expect(lastMessage(shell)).toContain('it is no JSON');
    fits(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'done', output: { n: 1 }, steps: 2 });
    expect(eventsOf(shell.events, 'answer_refused')).toHaveLength(1);
  });

  it('ends the run when it does not fit for the second time, with the answer as it was', () => {
    const shell = fails(fails(start()), 'Still one.');
    expect(shell.state.result).toMatchObject({
      outcome: 'failed',
      answer: 'Still one.',
      output: null,
      error: { code: 'ANSWER_INVALID', message: expect.stringContaining('it is no JSON') },
    });
    expect(problemAtEnd(shell.state.transcript)).toBeNull();
  });

  it('is asked for once more when it says nothing', () => {
    const shell = fails(start(), '');
    expect(modelInput(shell)).toMatchObject({ answerOnly: true });
    expect(fits(shell).state.result).toMatchObject({ output: { n: 1 } });
  });

  it('may come after calls that the model makes all the same, and is still the second one', () => {
    const shell = modelCalls(fails(start()), callOf({ effect: 'read' }));
    toolAnswers(shell, 's1.c0');
    expect(modelInput(shell)).toMatchObject({ answerOnly: true });
    expect(fails(shell).state.result).toMatchObject({ outcome: 'failed' });
  });

  it('is not asked for again where a ceiling leaves no room: the run lands', () => {
    const shell = fails(limited({ maxSteps: 1 }, INPUT));
    expect(modelInput(shell).purpose).toBe('landing');
    expect(fits(shell).state.result).toMatchObject({ outcome: 'limit', limit: 'steps', output: { n: 1 } });
  });

  it('at a landing is taken as it is', () => {
    const shell = fails(fails(limited({ maxSteps: 1 }, INPUT)), 'Landed.');
    expect(shell.state.result).toMatchObject({
      outcome: 'limit',
      answer: 'Landed.',
      output: null,
      error: null,
    });
  });

  it('gives way to what somebody has said meanwhile, and may then be asked for again', () => {
    const shell = fails(start().control('say', { text: 'In German.' }));
    expect(eventsOf(shell.events, 'answer_refused')).toEqual([]);
    expect(userWords(shell)).toEqual(['In German.']);
    fails(fails(shell));
    expect(shell.state.result).toMatchObject({ outcome: 'failed' });
  });

  it('is asked for once more in each turn of a session', () => {
    const shell = fits(fails(start({ idleMs: HOUR_MS })));
    expect(shell.state.idle).toMatchObject({ answer: FITS.text });
    shell.control('say', { text: 'And the cellar?' });
    expect(modelInput(shell)).not.toHaveProperty('answerOnly');
    fails(shell);
    expect(shell.state.result).toBeNull();
    fits(shell);
    expect(view(shell.state).status).toBe('waiting');
  });

  it('is asked for again after a pause and after the state was written down', () => {
    const shell = fails(start().control('pause')).reload().control('resume');
    expect(modelInput(shell)).toMatchObject({ answerOnly: true });
    expect(fits(shell.reload()).state.result).toMatchObject({ output: { n: 1 } });
    expect(roles(shell)).toEqual(['system', 'user', 'assistant', 'user', 'assistant']);
  });

  it('of a cancelled run is none', () => {
    const shell = start().deliver({ type: 'cancel_requested' });
    fits(shell);
    expect(shell.state.result).toMatchObject({ outcome: 'cancelled', output: null });
  });
});

describe('an answer with a schema that is reviewed', () => {
  const reviewed = () => start({ review: { rounds: 2, checks: [] } });

  it('is reviewed once it fits', () => {
    const shell = fails(reviewed());
    expect(eventsOf(shell.events, 'review_started')).toEqual([]);
    fits(shell);
    expect(modelInput(shell).purpose).toBe('review');
    modelAnswers(shell, { text: '[DONE]' });
    expect(shell.state.result).toMatchObject({ output: { n: 1 }, review: { passed: true } });
  });

  it('has a repair of its own after it was mended', () => {
    const shell = fits(fails(reviewed()));
    modelAnswers(shell, { text: '1. Wrong.' });
    fails(shell);
    expect(shell.state.result).toBeNull();
    fits(shell);
    expect(modelInput(shell).purpose).toBe('review');
  });

  it('is the one that was reviewed when what was to mend it does not fit, also when it was asked for again', () => {
    const shell = fits(reviewed());
    modelAnswers(shell, { text: '1. Wrong.' });
    fails(fails(shell));
    expect(shell.state.result).toMatchObject({
      outcome: 'done',
      answer: FITS.text,
      output: { n: 1 },
      review: { passed: false, gaps: '1. Wrong.', problem: expect.stringContaining('it is no JSON') },
    });
  });
});
