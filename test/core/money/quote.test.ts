import fc from 'fast-check';
import { reserve, EMPTY_LEDGER, lose, type Ledger } from '../../../src/core/money/ledger.js';
import { worstCaseNanoUsd } from '../../../src/core/money/price.js';
import { promptSize } from '../../../src/core/context/prompt-size.js';
import { blockedBy, ceilingNanoUsd, quote, type Quote } from '../../../src/core/money/quote.js';
import { NO_LIMITS, type Limits, type Prepared } from '../../../src/core/run-input.js';
import { FRESH_DRAW } from '../../../src/core/fresh-state.js';
import { startState } from '../../../src/core/start.js';
import type { Draw, RunState } from '../../../src/core/state.js';
import { START_MS } from '../support/shell.js';
import { factsOf, preparedWith, PRICE } from '../support/world.js';

/** A prepared run before its first call. */
function ready(
  limits: Partial<Limits> = {},
  {
    prepared,
    input,
    ...fields
  }: { prepared?: Partial<Prepared>; input?: object } & Partial<Omit<RunState, 'prepared' | 'input'>> = {},
): RunState {
  const state = startState({ goal: 'Tidy up.', ...input }, { runId: 'r', firstRunId: 'f', atMs: START_MS });
  return {
    ...state,
    phase: 'model',
    prepared: preparedWith({ limits: { ...NO_LIMITS, ...limits }, ...prepared }),
    ...fields,
  };
}

function allowanceOf(quoted: Quote): {
  maxOutputTokens: number;
  reservedNanoUsd: number | null;
  clampedBy: string | null;
} {
  if (quoted.kind !== 'yes') throw new Error(`It is ${quoted.kind}.`);
  return quoted.allowance;
}

const spent = (confirmedNanoUsd: number): Ledger => ({ ...EMPTY_LEDGER, confirmedNanoUsd });

/** A ledger with a lost call that was held at so much. */
function lost(nanoUsd: number | null, generationId?: string): Ledger {
  const held = reserve(EMPTY_LEDGER, { id: 's0.m0', purpose: 'step', model: 'maker/first', nanoUsd });
  return lose(held, {
    id: 's0.m0',
    mayHaveCost: true,
    askAtMs: START_MS,
    ...(generationId !== undefined && { generationId }),
  });
}

const PROMPT = promptSize(ready()).mostTokens;
const EXPECTED = promptSize(ready()).expectedTokens;
const worst = (promptTokens: number, maxOutputTokens: number) =>
  worstCaseNanoUsd(PRICE, { promptTokens, maxOutputTokens });

/** What the closing answer needs after a step of so many tokens: a grown prompt and its own 1,024 tokens. */
const fund = (stepTokens: number) => worst(PROMPT + Math.min(stepTokens, 2_048) + 2_048, 1_024);

const usd = (nanoUsd: number) => nanoUsd / 1e9;

describe('a quote without a ceiling', () => {
  it('holds the worst case of a call of 8,192 tokens', () => {
    expect(quote(ready(), 'step')).toEqual({
      kind: 'yes',
      allowance: { maxOutputTokens: 8_192, reservedNanoUsd: worst(PROMPT, 8_192), clampedBy: null },
    });
  });

  it('holds nothing where no price is known', () => {
    const state = ready({}, { prepared: { modelFacts: { 'maker/first': factsOf(null) } } });
    expect(allowanceOf(quote(state, 'step'))).toEqual({
      maxOutputTokens: 8_192,
      reservedNanoUsd: null,
      clampedBy: null,
    });
    expect(
      allowanceOf(quote(ready({}, { prepared: { modelFacts: {} } }), 'step')).reservedNanoUsd,
    ).toBeNull();
    const { modelFacts: _, ...nothingLookedUp } = preparedWith();
    for (const prepared of [null, nothingLookedUp])
      expect(allowanceOf(quote({ ...ready(), prepared }, 'step')).reservedNanoUsd).toBeNull();
    const second = ready({}, { prepared: { models: ['maker/unknown'] } });
    expect(allowanceOf(quote(second, 'step')).reservedNanoUsd).toBeNull();
  });

  it.each([
    [{ maxOutputTokens: 500 }, {}, 500],
    [{ maxOutputTokens: 100 }, {}, 100],
    [{}, { maxOutputTokens: 4_000 }, 4_000],
    [{ maxOutputTokens: 500 }, { maxOutputTokens: 4_000 }, 500],
    [{}, { contextLength: EXPECTED + 1_000 }, 1_000],
    [{}, { contextLength: EXPECTED + 10 }, 256],
    [{ maxOutputTokens: 100 }, { contextLength: 5 }, 100],
  ])('lets a run that asks for %j of a model that can do %j write %d tokens', (input, facts, tokens) => {
    const modelFacts = { 'maker/first': factsOf(PRICE, facts) };
    expect(allowanceOf(quote(ready({}, { input, prepared: { modelFacts } }), 'step'))).toMatchObject({
      maxOutputTokens: tokens,
      clampedBy: null,
    });
  });

  it('asks for what each of the models can do that may answer, at the price of the dearest', () => {
    const dear = { ...PRICE, completionNanoUsdPerMillion: 9_000_000_000 };
    const modelFacts = {
      'maker/first': factsOf(),
      'maker/second': factsOf(dear, { maxOutputTokens: 700 }),
      'other/third': factsOf({ ...PRICE, requestNanoUsd: 5 }),
    };
    const prepared = { models: ['maker/second', 'other/third'], modelFacts };
    const all = ready({}, { prepared });
    expect(allowanceOf(quote(all, 'step'))).toMatchObject({
      maxOutputTokens: 700,
      reservedNanoUsd: worstCaseNanoUsd(dear, { promptTokens: PROMPT, maxOutputTokens: 700 }) + 5,
    });
    const last = { ...all, model: { ...all.model, index: 2 } };
    expect(allowanceOf(quote(last, 'step'))).toMatchObject({
      maxOutputTokens: 8_192,
      reservedNanoUsd: worst(PROMPT, 8_192) + 5,
    });
  });
});

describe('a quote under a ceiling of cost', () => {
  const whole = worst(PROMPT, 8_192) + fund(8_192);

  it('gives all that is wanted as long as the closing answer can be paid too, to the nano-dollar', () => {
    const give = (nanoUsd: number) => allowanceOf(quote(ready({ maxCostUsd: usd(nanoUsd) }), 'step'));
    expect(give(whole)).toEqual({
      maxOutputTokens: 8_192,
      reservedNanoUsd: worst(PROMPT, 8_192),
      clampedBy: null,
    });
    expect(give(whole - 1)).toMatchObject({ maxOutputTokens: 8_191, clampedBy: 'cost' });
  });

  it('gives a step what is left beside the landing fund, and says no below 256 tokens', () => {
    const give = (tokens: number) =>
      quote(ready({ maxCostUsd: usd(worst(PROMPT, tokens) + fund(8_192)) }), 'step');
    expect(allowanceOf(give(256))).toEqual({
      maxOutputTokens: 256,
      reservedNanoUsd: worst(PROMPT, 256),
      clampedBy: 'cost',
    });
    const [needed, left] = [worst(PROMPT, 256), worst(PROMPT, 255)];
    expect(give(255)).toEqual({ kind: 'no', limit: 'cost', needed, left });
    expect(quote(ready({ maxCostUsd: 1e-9 }), 'step')).toMatchObject({ kind: 'no', needed, left: 0 });
  });

  it('gives the closing answer all that is left, and says no below 64 tokens', () => {
    const give = (tokens: number) => quote(ready({ maxCostUsd: usd(worst(PROMPT, tokens)) }), 'landing');
    expect(allowanceOf(give(64))).toMatchObject({ maxOutputTokens: 64, clampedBy: 'cost' });
    expect(give(63)).toMatchObject({ kind: 'no', limit: 'cost' });
  });

  it('counts what is confirmed, estimated and held by then', () => {
    const state = ready({ maxCostUsd: usd(whole + 60) });
    const held = reserve(
      { ...EMPTY_LEDGER, confirmedNanoUsd: 10, estimatedNanoUsd: 20 },
      {
        id: 'x',
        purpose: 'child',
        model: 'm',
        nanoUsd: 30,
      },
    );
    expect(allowanceOf(quote({ ...state, ledger: held }, 'step')).maxOutputTokens).toBe(8_192);
    const more = { ...held, confirmedNanoUsd: 11 };
    expect(allowanceOf(quote({ ...state, ledger: more }, 'step')).maxOutputTokens).toBe(8_191);
  });

  it('never promises more than is left, nor less than it could', () => {
    fc.assert(
      fc.property(fc.nat(150_000_000), fc.nat(60_000_000), fc.boolean(), (ceiling, charged, isStep) => {
        const state = ready({ maxCostUsd: usd(ceiling + 1) }, { ledger: spent(charged) });
        const quoted = quote(state, isStep ? 'step' : 'landing');
        const room = ceiling + 1 - charged - (isStep ? fund(8_192) : 0);
        const least = isStep ? 256 : 64;
        if (quoted.kind === 'no') return expect(worst(PROMPT, least)).toBeGreaterThan(room);
        const { maxOutputTokens, reservedNanoUsd, clampedBy } = allowanceOf(quoted);
        expect(reservedNanoUsd).toBe(worst(PROMPT, maxOutputTokens));
        expect(reservedNanoUsd).toBeLessThanOrEqual(room);
        expect(clampedBy).toBe(maxOutputTokens < 8_192 ? 'cost' : null);
        if (clampedBy !== null) expect(worst(PROMPT, maxOutputTokens + 1)).toBeGreaterThan(room);
      }),
    );
  });

  it('reckons with 30 and 150 dollars a million for a model that nobody knows the price of', () => {
    const assumed = { promptNanoUsdPerMillion: 3e10, completionNanoUsdPerMillion: 1.5e11, requestNanoUsd: 0 };
    const prepared = { modelFacts: { 'maker/first': factsOf(null) } };
    const { reservedNanoUsd } = allowanceOf(quote(ready({ maxCostUsd: 100 }, { prepared }), 'step'));
    expect(reservedNanoUsd).toBe(worstCaseNanoUsd(assumed, { promptTokens: PROMPT, maxOutputTokens: 8_192 }));
    expect(quote(ready({ maxCostUsd: 0.1 }, { prepared }), 'step').kind).toBe('no');
  });

  it('never lets two calls of about a dollar begin under a ceiling of one dollar', () => {
    const dollar = { ...PRICE, requestNanoUsd: 900_000_000 };
    const prepared = { modelFacts: { 'maker/first': factsOf(dollar) } };
    const first = allowanceOf(quote(ready({ maxCostUsd: 2 }, { prepared }), 'step'));
    expect(first.reservedNanoUsd).toBeGreaterThan(900_000_000);
    // Under one dollar not even the first one leaves enough for the closing answer.
    expect(quote(ready({ maxCostUsd: 1 }, { prepared }), 'step')).toMatchObject({
      kind: 'no',
      limit: 'cost',
    });
    for (const ledger of [spent(900_000_000), lost(900_000_000), lost(900_000_000, 'gen-1')])
      for (const purpose of ['step', 'landing'] as const)
        expect(quote(ready({ maxCostUsd: 1 }, { prepared, ledger }), purpose).kind).not.toBe('yes');
  });
});

describe('a quote while a lost call may turn out cheaper', () => {
  const ceiling = { maxCostUsd: usd(worst(PROMPT, 8_192) * 2) };

  it('is to wait when there is too little left, as long as the server can be asked', () => {
    const held = worst(PROMPT, 8_192) * 2 - fund(8_192);
    expect(quote(ready(ceiling, { ledger: lost(held, 'gen-1') }), 'step')).toEqual({ kind: 'wait' });
    expect(quote(ready(ceiling, { ledger: lost(held) }), 'step')).toMatchObject({
      kind: 'no',
      limit: 'cost',
    });
  });

  /** The server was asked so often already. */
  const asked = (state: RunState, times: number): RunState => ({
    ...state,
    ledger: { ...state.ledger, charges: state.ledger.charges.map((charge) => ({ ...charge, asked: times })) },
  });

  it('is to wait a while for an answer of full length, then a smaller one', () => {
    const state = ready(ceiling, { ledger: lost(worst(PROMPT, 8_192), 'gen-1') });
    expect(quote(asked(state, 4), 'step')).toEqual({ kind: 'wait' });
    const { maxOutputTokens, clampedBy } = allowanceOf(quote(asked(state, 5), 'step'));
    expect([maxOutputTokens < 8_192, clampedBy]).toEqual([true, 'cost']);
    const untold = { ...state, ledger: lost(worst(PROMPT, 8_192)) };
    expect(allowanceOf(quote(untold, 'step'))).toMatchObject({ maxOutputTokens, clampedBy });
  });

  it('is to wait longer where the run would have to land, but not for ever', () => {
    const held = worst(PROMPT, 8_192) * 2 - fund(8_192);
    const state = ready(ceiling, { ledger: lost(held, 'gen-1') });
    expect(quote(asked(state, 7), 'step')).toEqual({ kind: 'wait' });
    expect(quote(asked(state, 8), 'step')).toMatchObject({ kind: 'no', limit: 'cost' });
  });

  it('is a yes as soon as the money just suffices', () => {
    const lostNanoUsd = 1_000;
    const enough = { maxCostUsd: usd(lostNanoUsd + worst(PROMPT, 8_192) + fund(8_192)) };
    const state = ready(enough, { ledger: lost(lostNanoUsd, 'gen-1') });
    expect(allowanceOf(quote(state, 'step')).maxOutputTokens).toBe(8_192);
    const retry = quote({ ...state, model: { ...state.model, heldTokens: 8_192 } }, 'step');
    expect(allowanceOf(retry).maxOutputTokens).toBe(8_192);
  });

  it('asks on a further attempt for the tokens of the first, though more can be paid by now', () => {
    const state = ready();
    const retry = { ...state, model: { ...state.model, heldTokens: 700 } };
    expect(allowanceOf(quote(retry, 'step'))).toMatchObject({
      maxOutputTokens: 700,
      reservedNanoUsd: worst(PROMPT, 700),
    });
    const few = { ...state, model: { ...state.model, heldTokens: 90 } };
    expect(allowanceOf(quote(few, 'step')).maxOutputTokens).toBe(90);
  });
});

describe('a quote under a ceiling of tokens', () => {
  /** What a step leaves alone: the prompt of the closing call, and its answer. */
  const kept = EXPECTED + 1_024;

  it('keeps the closing call and the prompt out of what a step may write', () => {
    const give = (tokens: number) => quote(ready({ maxTokens: EXPECTED + kept + tokens }), 'step');
    expect(allowanceOf(give(8_192))).toMatchObject({ maxOutputTokens: 8_192, clampedBy: null });
    expect(allowanceOf(give(8_191))).toMatchObject({ maxOutputTokens: 8_191, clampedBy: 'tokens' });
    expect(allowanceOf(give(256))).toMatchObject({ maxOutputTokens: 256, clampedBy: 'tokens' });
    const [needed, left] = [EXPECTED + 256, EXPECTED + 255];
    expect(give(255)).toEqual({ kind: 'no', limit: 'tokens', needed, left });
    expect(quote(ready({ maxTokens: 1 }), 'step')).toMatchObject({ kind: 'no', needed, left: 0 });
  });

  it('counts what was read and written so far', () => {
    const ledger = { ...EMPTY_LEDGER, promptTokens: 300, completionTokens: 20 };
    const give = (tokens: number) => quote(ready({ maxTokens: tokens + 320 }, { ledger }), 'landing');
    expect(allowanceOf(give(EXPECTED + 64))).toMatchObject({ maxOutputTokens: 64, clampedBy: 'tokens' });
    expect(give(EXPECTED + 63)).toMatchObject({ kind: 'no', limit: 'tokens' });
  });

  it('is the one that binds where both do, and cost where that leaves less', () => {
    const maxTokens = EXPECTED + kept + 1_000;
    const cost = (tokens: number) => usd(worst(PROMPT, tokens) + fund(1_000));
    expect(allowanceOf(quote(ready({ maxTokens, maxCostUsd: cost(2_000) }), 'step'))).toMatchObject({
      maxOutputTokens: 1_000,
      clampedBy: 'tokens',
    });
    expect(allowanceOf(quote(ready({ maxTokens, maxCostUsd: cost(500) }), 'step'))).toMatchObject({
      maxOutputTokens: 500,
      clampedBy: 'cost',
    });
  });
});

describe('a quote of a run that draws from a shared budget', () => {
  const drawn = (fields: Partial<Draw>, limits: Partial<Limits> = {}, more: Partial<RunState> = {}) => {
    const { prepared: _, input: __, ...rest } = more;
    return ready(limits, { ...rest, prepared: { budget: 'team' }, draw: { ...FRESH_DRAW, ...fields } });
  };
  const step = worst(PROMPT, 8_192);
  const taken = fund(8_192);

  it('is to draw what two such calls and the landing need', () => {
    expect(quote(drawn({}), 'step')).toEqual({ kind: 'draw', totalNanoUsd: taken + 2 * step });
  });

  it('draws no more than the ceiling of the run itself', () => {
    const own = taken + step + 1_000;
    expect(quote(drawn({}, { maxCostUsd: usd(own) }), 'step')).toEqual({ kind: 'draw', totalNanoUsd: own });
  });

  it('is a yes within what was granted, and no more is drawn as long as that is enough', () => {
    const granted = { grantedNanoUsd: taken + step, askedNanoUsd: taken + 4 * step };
    expect(allowanceOf(quote(drawn(granted), 'step'))).toMatchObject({
      maxOutputTokens: 8_192,
      clampedBy: null,
    });
  });

  it('is what the grant allows when the budget gave less than was asked', () => {
    const granted = { askedNanoUsd: taken + 4 * step };
    const less = drawn({ ...granted, grantedNanoUsd: taken + worst(PROMPT, 300) });
    expect(allowanceOf(quote(less, 'step'))).toMatchObject({ maxOutputTokens: 300, clampedBy: 'cost' });
    expect(quote(drawn({ ...granted, grantedNanoUsd: taken }), 'step')).toMatchObject({
      kind: 'no',
      limit: 'cost',
    });
  });

  it('does not ask again for what it has asked for before, to the nano-dollar', () => {
    const asked = { grantedNanoUsd: taken + worst(PROMPT, 300), askedNanoUsd: taken + step };
    expect(allowanceOf(quote(drawn(asked), 'step')).maxOutputTokens).toBe(300);
  });

  it('asks again once it needs more than it ever asked for', () => {
    const asked = { grantedNanoUsd: taken + step, askedNanoUsd: taken + step };
    expect(quote(drawn(asked, {}, { ledger: spent(1) }), 'step')).toEqual({
      kind: 'draw',
      totalNanoUsd: 1 + taken + 2 * step,
    });
  });

  it('does not ask again for what the budget did not give, up to the ceiling of the run itself', () => {
    const own = taken + worst(PROMPT, 4_000);
    const state = drawn(
      { grantedNanoUsd: taken + worst(PROMPT, 300), askedNanoUsd: own },
      { maxCostUsd: usd(own) },
    );
    expect(allowanceOf(quote(state, 'step')).maxOutputTokens).toBe(300);
    expect(quote(drawn({ askedNanoUsd: own - 1 }, { maxCostUsd: usd(own) }), 'step').kind).toBe('draw');
  });

  it('leaves what the run was continued with to the run before', () => {
    const ledger = { ...spent(5_000_000), inheritedNanoUsd: 5_000_000 };
    expect(quote(drawn({}, {}, { ledger }), 'step')).toEqual({
      kind: 'draw',
      totalNanoUsd: taken + 2 * step,
    });
    const state = drawn({ grantedNanoUsd: taken + step, askedNanoUsd: taken + step }, {}, { ledger });
    expect(ceilingNanoUsd(state)).toBe(5_000_000 + taken + step);
    expect(allowanceOf(quote(state, 'step')).maxOutputTokens).toBe(8_192);
  });

  it('holds the lower one of grant and own ceiling', () => {
    expect(ceilingNanoUsd(drawn({ grantedNanoUsd: 7 }, { maxCostUsd: 5e-9 }))).toBe(5);
    expect(ceilingNanoUsd(drawn({ grantedNanoUsd: 3 }, { maxCostUsd: 5e-9 }))).toBe(3);
    expect(ceilingNanoUsd(ready())).toBeNull();
  });
});

describe('what blocks the next step', () => {
  it('is a ceiling that is reached, or one that leaves no room', () => {
    expect(blockedBy(ready(), START_MS)).toBeNull();
    const limits = (state: RunState) => blockedBy(state, START_MS)?.limit;
    expect(limits(ready({ maxSteps: 1 }, { stepsCompleted: 1 }))).toBe('steps');
    expect(limits(ready({ maxCostUsd: 1e-6 }))).toBe('cost');
    expect(limits(ready({ maxTokens: 900 }))).toBe('tokens');
  });

  it('is nothing as long as money may come free', () => {
    const ledger = lost(900_000, 'gen-1');
    expect(blockedBy(ready({ maxCostUsd: 0.001 }, { ledger }), START_MS)).toBeNull();
    expect(blockedBy(ready({}, { prepared: { budget: 'team' }, draw: FRESH_DRAW }), START_MS)).toBeNull();
  });
});
