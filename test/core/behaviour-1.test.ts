import { chargedNanoUsd } from '../../src/core/money/ledger.js';
import type { ModelResult } from '../../src/core/outcomes.js';
import { NO_LIMITS } from '../../src/core/run-input.js';
import { readSnapshot, takeSnapshot } from '../../src/core/snapshot.js';
import { view } from '../../src/core/view.js';
import {
  callOf, eventsOf, lastOf, modelAnswers, modelCalls, modelFails, modelSettles, running, toolAnswers, underWay, userWords,
} from './support/run.js'; // prettier-ignore
import type { Shell } from './support/shell.js';

const old = (limits = NO_LIMITS): Shell => running({ behaviour: 1, limits });

describe('a run that began before money was reserved', () => {
  it('starts its calls as it did: with nothing held, and no word about tokens or attempts', () => {
    const shell = old({ ...NO_LIMITS, maxCostUsd: 1e-6 });
    const [work] = shell.started.values();
    expect(work).toMatchObject({ key: 's0.m0', summary: 'step 0 · maker/first' });
    expect(Object.keys(work?.kind === 'model' ? work.input : {})).toEqual([
      'step',
      'purpose',
      'version',
      'hash',
      'model',
    ]);
    expect(shell.state.ledger.charges).toEqual([]);
    expect(chargedNanoUsd(shell.state.ledger)).toBe(0);
  });

  it('leaves further attempts to Temporal: a failure is one for good', () => {
    const shell = modelFails(running({ behaviour: 1, models: ['maker/second'] }), 'MODEL_UNAVAILABLE');
    expect(lastOf(shell, 'fallback_used')).toMatchObject({ from: 'maker/first', to: 'maker/second' });
    expect(eventsOf(shell.events, 'model_failed')).toEqual([]);
    modelFails(shell, 'MODEL_UNAVAILABLE');
    expect([underWay(shell), shell.timerAtMs]).toEqual([[], shell.nowMs + 300_000]);
    expect(view(shell.state).status).toBe('waiting');
  });

  it('gives an outage up after a day, to the millisecond', () => {
    const fails = (afterMs: number) => {
      const shell = modelFails(old(), 'MODEL_UNAVAILABLE');
      const fromMs = shell.nowMs;
      shell.awaitTimer();
      shell.nowMs = fromMs + afterMs;
      return modelFails(shell, 'MODEL_UNAVAILABLE');
    };
    expect(lastOf(fails(86_399_999), 'landing_started')).toBeUndefined();
    expect(lastOf(fails(86_400_000), 'landing_started')).toMatchObject({ outcome: 'failed' });
  });

  it('waits an outage out after a call that did not end in time, and counts it as lost whatever it says', () => {
    const shell = modelSettles(old(), { kind: 'timed_out' });
    expect([shell.timerAtMs, shell.state.ledger.lostModelCalls]).toEqual([shell.nowMs + 300_000, 1]);
    expect(modelFails(old(), 'MODEL_STALLED', true, { unsent: true }).state.ledger.lostModelCalls).toBe(1);
  });

  it('asks nobody what calls have cost, and closes with its answer', () => {
    const value = { generationId: 'gen-1', costNanoUsd: null, text: 'Done.' };
    const shell = modelAnswers(old(), value);
    expect([shell.closed, shell.state.inquiries, view(shell.state).spend.unknownCostCalls]).toEqual([
      true,
      0,
      1,
    ]);
    const estimated: Partial<ModelResult> = {
      generationId: 'gen-1',
      estimated: true,
      cacheSourceId: 'gen-0',
    };
    expect(modelAnswers(old(), { ...estimated, text: 'Done.' }).state.ledger).toMatchObject({
      charges: [],
      estimatedNanoUsd: 1_000,
    });
  });

  it('goes on below its ceiling to the nano-dollar, and writes no warning', () => {
    const shell = old({ ...NO_LIMITS, maxCostUsd: 0.000_001_001 });
    toolAnswers(modelCalls(shell, callOf()), 's0.c0');
    expect([underWay(shell), userWords(shell), eventsOf(shell.events, 'limit_warning')]).toEqual([
      ['s1.m0'],
      [],
      [],
    ]);
    const landed = modelCalls(old({ ...NO_LIMITS, maxCostUsd: 0.000_001 }), callOf());
    expect(lastOf(landed, 'landing_started')?.limit).toBe('cost');
    expect(underWay(toolAnswers(landed, 's0.c0'))).toEqual(['s0.l0']);
  });

  it('takes an answer that was cut short as it is, and lands at the next step when its ceilings are lowered', () => {
    expect(modelAnswers(old(), { text: 'And th', finish: 'length' }).state.result?.outcome).toBe('done');
    const shell = toolAnswers(modelCalls(old(), callOf()), 's0.c0').control('setLimits', { maxSteps: 1 });
    expect([eventsOf(shell.events, 'landing_started'), underWay(shell)]).toEqual([[], ['s1.m0']]);
  });

  it('makes up a closing answer in the words it had', () => {
    const shell = toolAnswers(modelAnswers(old(), { text: 'I look.', calls: [callOf()] }), 's0.c0');
    expect(modelAnswers(shell, {}).state.result?.answer).toBe(
      'The run ended after 2 completed steps, without a closing answer by the model. Its last words were:\n\nI look.',
    );
  });

  it('goes on as it began after it was continued as new', () => {
    const { state } = toolAnswers(modelCalls(old(), callOf()), 's0.c0');
    expect(readSnapshot(JSON.parse(JSON.stringify(takeSnapshot(state))))).toEqual(state);
  });
});
