import { EMPTY_LEDGER } from '../../src/core/money/ledger.js';
import { readSnapshot, takeSnapshot } from '../../src/core/snapshot.js';
import {
  callOf, gatedCall, lastOf, modelAnswers, modelCalls, modelFails, modelInput, running, toolAnswers,
} from './support/run.js'; // prettier-ignore
import { Shell } from './support/shell.js';
import { view } from '../../src/core/view.js';

describe('a snapshot', () => {
  it('is the whole state, as plain JSON', () => {
    const { state } = modelCalls(running(), callOf(), gatedCall()).control('say', {
      text: 'Hm.',
      mode: 'queue',
    });
    expect(readSnapshot(JSON.parse(JSON.stringify(takeSnapshot(state))))).toEqual(state);
  });

  it.each([
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { version: 1 },
    { version: 1, state: null },
    { version: 1, state: {} },
  ])('is not read from %j', (value) => {
    expect(readSnapshot(value)).toBeNull();
  });

  it('is not read when its version, or that of its state, is not known', () => {
    const { state } = running();
    expect(readSnapshot({ version: 2, state })).toBeNull();
    expect(readSnapshot({ version: 1, state: { ...state, version: 2 } })).toBeNull();
  });
});

/** A state in the shape in which it was written before money was reserved. */
function oldShape(): Record<string, unknown> {
  const shell = running({ behaviour: 1 });
  const {
    forkOf: _a, calibration: _b, inquiry: _c, inquiries: _d, draw: _e, warned: _f, ending: _g, settleUntilMs: _h, ledger, model, prepared, ...state
  } = toolAnswers(modelCalls(shell, callOf()), 's0.c0').state; // prettier-ignore
  const { modelFacts: _i, unpricedModels: _j, toolsSizeBytes: _k, ...settled } = prepared ?? {};
  const { index, tries, outageWaits, outageSinceMs, retryAtMs } = model;
  const {
    confirmedNanoUsd,
    estimatedNanoUsd,
    unknownCostCalls,
    promptTokens,
    completionTokens,
    modelCalls: calls,
  } = ledger;
  return {
    ...state,
    prepared: settled,
    model: { call: null, index, tries: tries - 1, outageWaits, outageSinceMs, retryAtMs },
    ledger: {
      confirmedNanoUsd,
      estimatedNanoUsd,
      reservedNanoUsd: 0,
      unknownCostCalls,
      promptTokens,
      completionTokens,
      modelCalls: calls,
      lostModelCalls: 0,
    },
  };
}

describe('a snapshot that was written before money was reserved', () => {
  const readOld = (fields: object = {}) => {
    const shell = new Shell();
    const state = readSnapshot(
      JSON.parse(JSON.stringify({ version: 1, state: { ...oldShape(), ...fields } })),
    );
    if (!state) throw new Error('It cannot be read.');
    shell.state = state;
    shell.started.clear();
    return shell;
  };

  it('is brought up to the present shape, and keeps what it knew', () => {
    const { state } = readOld();
    expect(Object.keys(state).sort()).toEqual(Object.keys(running().state).sort());
    expect(Object.keys(state.model).sort()).toEqual(Object.keys(running().state.model).sort());
    expect(state.ledger).toEqual({
      ...EMPTY_LEDGER,
      confirmedNanoUsd: 1_000,
      promptTokens: 10,
      completionTokens: 5,
      modelCalls: 1,
    });
    expect(state).toMatchObject({
      forkOf: null,
      draw: null,
      warned: [],
      ending: null,
      step: 1,
      stepsCompleted: 1,
    });
    expect(view(state)).toMatchObject({
      budget: null,
      settling: false,
      spend: { costNanoUsd: 1_000, reservedNanoUsd: 0 },
    });
  });

  it('goes on with the behaviour it began with', () => {
    const shell = readOld().deliver({ type: 'tick' });
    expect(modelInput(shell)).not.toHaveProperty('maxOutputTokens');
    modelFails(shell, 'MODEL_UNAVAILABLE');
    expect(shell.timerAtMs).toBe(shell.nowMs + 300_000);
    modelAnswers(shell.awaitTimer(), { text: 'Done.' });
    expect(lastOf(shell, 'run_completed')?.result).toMatchObject({
      outcome: 'done',
      limitsReached: [],
      spend: { costNanoUsd: 2_000, lostNanoUsd: 0, byPurpose: { step: { calls: 1, costNanoUsd: 1_000 } } },
    });
  });

  it('may be of a run that lands, or has ended', () => {
    const landing = { outcome: 'stopped', limit: null, error: null, reason: 'A human asked.' };
    const shell = readOld({ landing }).deliver({ type: 'tick' });
    expect(modelInput(shell).purpose).toBe('landing');
    expect(modelAnswers(shell, { text: 'Bye.' }).state.result?.outcome).toBe('stopped');
    expect(readOld({ phase: 'closed' }).deliver({ type: 'tick' }).closed).toBe(true);
  });
});
