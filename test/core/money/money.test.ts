import type { ModelResult, Outcome, PlannedCall } from '../../../src/core/outcomes.js';
import type { ModelPrice } from '../../../src/core/money/price.js';
import { NO_LIMITS, type Prepared } from '../../../src/core/run-input.js';
import { spendOf } from '../../../src/core/money/spend.js';
import { Shell, type StartedWork } from '../support/shell.js';

type ModelWork = Extract<StartedWork, { kind: 'model' }>;

const DOLLAR = 1_000_000_000;

/** Ten dollars for a million tokens read, a hundred for a million written. */
const PRICE: ModelPrice = {
  promptNanoUsdPerMillion: 10 * DOLLAR,
  completionNanoUsdPerMillion: 100 * DOLLAR,
  requestNanoUsd: 0,
};

const LOOK: PlannedCall = { id: 'call_a', name: 'look', args: '{}', effect: 'read' };

/** A prepared run with a ceiling of one dollar whose first model call is under way. */
function metered({ models = [], ...fields }: Partial<Prepared> = {}, maxOutputTokens = 3_000): Shell {
  const shell = new Shell({ goal: 'Tidy up.', maxOutputTokens });
  const facts = { price: PRICE, maxOutputTokens: null, contextLength: null };
  const value: Prepared = {
    behaviour: 2,
    model: 'maker/first',
    models,
    tools: ['look'],
    limits: { ...NO_LIMITS, maxCostUsd: 1 },
    searchAttributes: true,
    heartbeatTimeoutMs: 8_000,
    continueAsNewEvents: 2_000,
    modelFacts: Object.fromEntries(['maker/first', ...models].map((name) => [name, facts])),
    toolsSizeBytes: 0,
    warnings: [],
    ...fields,
  };
  return shell.deliver(shell.settlementOf('prepare', 'prepare', { kind: 'ok', value }));
}

function modelWork(shell: Shell): ModelWork | undefined {
  return [...shell.started.values()].find((work): work is ModelWork => work.kind === 'model');
}

function reservedFor(shell: Shell): number {
  return modelWork(shell)?.input.reservedNanoUsd ?? Number.NaN;
}

function settles(shell: Shell, outcome: Outcome<ModelResult>): void {
  const work = modelWork(shell);
  if (!work) throw new Error('No model call is under way.');
  shell.deliver(shell.settlementOf(work.key, 'model', outcome));
}

function answers(shell: Shell, value: Partial<ModelResult>): void {
  const result = { model: 'maker/first', finish: 'stop', promptTokens: 500, completionTokens: 100, ...value };
  settles(shell, { kind: 'ok', value: result });
}

/** The tools of a step all answer. */
function toolsAnswer(shell: Shell): void {
  for (const { key, kind } of shell.started.values())
    if (kind === 'tool')
      shell.deliver(shell.settlementOf(key, 'tool', { kind: 'ok', value: { content: 'ok' } }));
}

/** The server says what these generations cost, and knows no others. */
function reports(shell: Shell, costs: Record<string, number>): void {
  const work = [...shell.started.values()].find(({ kind }) => kind === 'reconcile');
  if (work?.kind !== 'reconcile') throw new Error('Nobody has asked.');
  const known = work.input.generationIds.filter((id) => costs[id] !== undefined);
  const found = known.map((generationId) => ({
    generationId,
    costNanoUsd: costs[generationId] ?? 0,
    promptTokens: 500,
    completionTokens: 100,
  }));
  shell.deliver(shell.settlementOf(work.key, 'reconcile', { kind: 'ok', value: { found } }));
}

describe('a ceiling of one dollar', () => {
  it.each([300, 2_000, 5_000, 9_000, 9_700, 10_000, 12_000, 30_000])(
    'is never passed by calls that write %d tokens and cost all they may',
    (maxOutputTokens) => {
      const shell = metered({}, maxOutputTokens);
      let billed = 0;
      for (let round = 0; round < 200 && !shell.closed; round++) {
        const work = modelWork(shell);
        const costNanoUsd = work?.input.reservedNanoUsd;
        if (work && costNanoUsd !== undefined) {
          billed += costNanoUsd;
          const completionTokens = work.input.maxOutputTokens ?? 0;
          const calls = work.input.purpose === 'step' ? [{ ...LOOK, id: `call_${round}` }] : [];
          answers(shell, { text: 'Hm.', calls, finish: 'tool_calls', costNanoUsd, completionTokens });
        } else toolsAnswer(shell);
        expect(billed).toBeLessThanOrEqual(DOLLAR);
      }
      expect(billed).toBeGreaterThan(0.3 * DOLLAR);
      expect(shell.state.result).toMatchObject({ outcome: 'limit', limit: 'cost', answer: 'Hm.' });
      expect(shell.state.result?.spend).toMatchObject({ costNanoUsd: billed, estimatedNanoUsd: 0 });
    },
  );

  it('is shared by all that a run does after pauses and after it was continued as new', () => {
    const shell = metered({}, 1_000);
    for (let cycle = 1; cycle <= 3; cycle++) {
      shell.control('pause');
      answers(shell, { calls: [{ ...LOOK, id: `call_${cycle}` }], costNanoUsd: 0.2 * DOLLAR });
      expect(shell.started.size).toBe(0);
      shell.reload().control('resume');
      toolsAnswer(shell);
      expect(spendOf(shell.state.ledger).costNanoUsd).toBe((cycle * DOLLAR) / 5);
    }
    answers(shell, { calls: [{ ...LOOK, id: 'call_4' }], costNanoUsd: 0.25 * DOLLAR });
    toolsAnswer(shell);
    expect(modelWork(shell)?.input.purpose).toBe('landing');
    answers(shell, { text: 'So far.', costNanoUsd: 0.05 * DOLLAR });
    expect(shell.state.result).toMatchObject({ limit: 'cost', answer: 'So far.', spend: { costUsd: 0.9 } });
  });

  it('is charged with all that a call may have cost when its answer does not say', () => {
    const shell = metered();
    const held = reservedFor(shell);
    answers(shell, { calls: [LOOK] });
    expect(spendOf(shell.state.ledger)).toMatchObject({ costNanoUsd: 0, estimatedNanoUsd: held });
    for (let round = 1; !shell.closed; round++) {
      expect(round).toBeLessThan(5);
      toolsAnswer(shell);
      answers(shell, { text: 'Hm.', ...(modelWork(shell)?.input.purpose === 'step' && { calls: [LOOK] }) });
    }
    const { spend } = shell.state.result ?? {};
    expect(spend?.estimatedNanoUsd).toBeGreaterThan(held);
    expect(spend?.estimatedNanoUsd).toBeLessThanOrEqual(DOLLAR);
    expect(shell.state.result?.limit).toBe('cost');
  });
});

describe('a worker that is killed after the last token', () => {
  it.each([
    ['before it could say its name', { sent: true }],
    ['after it had said its name', { sent: true, generationId: 'gen-1' }],
  ])('%s costs nothing more: the same answer comes from the cache', (_, details) => {
    const shell = metered();
    const first = modelWork(shell)?.input;
    settles(shell, { kind: 'timed_out', details });
    expect(modelWork(shell)?.input).toEqual({ ...first, attempt: 2 });
    answers(shell, {
      text: 'All is tidy.',
      costNanoUsd: 0,
      promptTokens: 0,
      completionTokens: 0,
      generationId: 'gen-2',
      cached: true,
      cacheSourceId: 'gen-1',
    });
    shell.awaitTimer();
    reports(shell, { 'gen-1': 0.04 * DOLLAR });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is tidy.' });
    expect(shell.state.result?.spend).toMatchObject({
      costNanoUsd: 0.04 * DOLLAR,
      estimatedNanoUsd: 0,
      lostNanoUsd: 0.04 * DOLLAR,
      modelCalls: 1,
      lostModelCalls: 1,
    });
  });
});

describe('the money held for a call', () => {
  it('is enough for a fallback whose tokenizer makes a token of each byte, whatever the first model made of it', () => {
    const shell = metered({ models: ['other/second'] });
    const text = 'word '.repeat(1_000);
    answers(shell, { text, calls: [LOOK], promptTokens: 100, costNanoUsd: 1_000 });
    toolsAnswer(shell);
    const { maxOutputTokens = 0 } = modelWork(shell)?.input ?? {};
    expect(reservedFor(shell)).toBeGreaterThan((text.length * 10 + maxOutputTokens * 100) * 1_000);
  });

  it('is enough for the ids of calls, which stand in the prompt twice', () => {
    const reservedWith = (id: string) => {
      const shell = metered();
      answers(shell, { calls: [{ ...LOOK, id }], costNanoUsd: 1_000 });
      toolsAnswer(shell);
      return reservedFor(shell);
    };
    expect(reservedWith('x'.repeat(101)) - reservedWith('x')).toBe(2 * 100 * 10_000);
  });

  it('stays charged at the larger amount when it is not known which of two lost calls the cache has named', () => {
    const shell = metered();
    settles(shell, { kind: 'timed_out', details: { sent: true } });
    const large = reservedFor(shell);
    settles(shell, {
      kind: 'failed',
      code: 'MODEL_PAYMENT',
      message: 'No.',
      retryable: false,
      details: { sent: true, unbilled: true, affordableTokens: 500 },
    });
    const small = reservedFor(shell);
    settles(shell, { kind: 'timed_out', details: { sent: true } });
    answers(shell, { text: 'Done.', costNanoUsd: 0, promptTokens: 0, cached: true, cacheSourceId: 'gen-2' });
    shell.awaitTimer();
    reports(shell, { 'gen-2': small });
    expect(small).toBeLessThan(large);
    expect(shell.state.result?.spend).toMatchObject({ costNanoUsd: small, estimatedNanoUsd: large });
  });

  it('is not charged for an attempt that was due but never made when the server ended the run', () => {
    const shell = metered();
    const details = { sent: true, unbilled: true };
    settles(shell, {
      kind: 'failed',
      code: 'MODEL_RATE_LIMITED',
      message: 'Later.',
      retryable: true,
      details,
    });
    shell.nowMs += 3_600_000;
    shell.deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    expect(shell.state.result?.spend).toMatchObject({ estimatedNanoUsd: 0, lostModelCalls: 0 });
  });
});
