import type { CostReport, Outcome } from '../../../src/core/outcomes.js';
import { view } from '../../../src/core/view.js';
import {
  callOf, costFound, costNotFound, costsReported, inQuestion, lastOf, limited, loses, losesThenTries, modelAnswers, modelCalls, modelFails, modelInput, modelSettles, running, toolAnswers, underWay,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

describe('the cost of a lost call', () => {
  it('is asked for a second later, beside the work that goes on', () => {
    const shell = loses(running(), 'gen-1');
    expect(inQuestion(shell)).toEqual([]);
    shell.advance(1_000);
    expect(inQuestion(shell)).toEqual([
      { kind: 'reconcile', key: 'g0', input: { generationIds: ['gen-1'] }, summary: 'what lost calls cost' },
    ]);
    expect(view(shell.state).status).toBe('running');
  });

  it('takes the place of the estimate, and is told', () => {
    const shell = loses(running(), 'gen-1');
    const estimatedNanoUsd = shell.state.ledger.charges[0]?.nanoUsd;
    costFound(shell.advance(1_000), 'gen-1', 700);
    expect(lastOf(shell, 'cost_reconciled')).toMatchObject({
      step: 0,
      model: 'maker/first',
      generationId: 'gen-1',
      costNanoUsd: 700,
      estimatedNanoUsd,
      spentNanoUsd: 700,
    });
    expect(lastOf(shell, 'model_failed')?.spentNanoUsd).toBe(estimatedNanoUsd);
    expect(view(shell.state).spend).toMatchObject({
      costNanoUsd: 700,
      estimatedNanoUsd: 0,
      lostNanoUsd: 700,
      promptTokens: 7,
      completionTokens: 3,
      lostModelCalls: 1,
    });
  });

  it.each<Outcome<never> | null>([
    null,
    { kind: 'timed_out' },
    { kind: 'cancelled' },
    { kind: 'failed', code: 'MODEL_UNREACHABLE', message: 'No.', retryable: true, details: {} },
  ])(
    'is asked for again after 2, 4, 8 … 60 seconds, fifteen times in all, when the server answers %j',
    (outcome) => {
      const shell = toolAnswers(modelCalls(losesThenTries(running(), 'gen-1'), callOf()), 's0.c0');
      const waits: number[] = [];
      while (inQuestion(shell).length > 0) {
        if (outcome) costsReported(shell, outcome);
        else costNotFound(shell);
        const dueAtMs = shell.state.ledger.charges.find(
          ({ generationId }) => generationId === 'gen-1',
        )?.dueAtMs;
        if (dueAtMs === undefined || dueAtMs === null) break;
        waits.push((dueAtMs - shell.nowMs) / 1_000);
        shell.awaitTimer();
      }
      expect(waits).toEqual([2, 4, 8, 16, 32, ...Array(9).fill(60)]);
      expect(shell.state.inquiries).toBe(15);
      expect(view(shell.state).spend.estimatedNanoUsd).toBeGreaterThan(0);
      expect(shell.state.ledger.charges.filter(({ status }) => status === 'estimated')).toEqual([]);
    },
  );

  const REFUSAL: Outcome<CostReport> = { kind: 'ok', value: { found: [], refused: ['gen-1'] } };
  const openOf = (shell: Shell) =>
    shell.state.ledger.charges.filter(({ generationId }) => generationId === 'gen-1');

  it('is given up, and stays as estimated, when the server says three times in a row that it has no such question', () => {
    const shell = toolAnswers(modelCalls(losesThenTries(running(), 'gen-1'), callOf()), 's0.c0');
    costsReported(shell, REFUSAL).awaitTimer();
    costsReported(shell, REFUSAL).awaitTimer();
    const { estimatedNanoUsd } = view(shell.state).spend;
    costsReported(shell, REFUSAL);
    expect(openOf(shell)).toEqual([]);
    expect(shell.state.inquiries).toBe(3);
    expect(view(shell.state).spend.estimatedNanoUsd).toBe(estimatedNanoUsd);
    expect(estimatedNanoUsd).toBeGreaterThan(0);
  });

  it.each<[string, Outcome<CostReport>]>([
    ['knows the question', { kind: 'ok', value: { found: [] } }],
    ['is away', { kind: 'timed_out' }],
  ])('is asked for as ever after two such answers when the server %s then', (_what, outcome) => {
    const shell = toolAnswers(modelCalls(losesThenTries(running(), 'gen-1'), callOf()), 's0.c0');
    for (const answer of [REFUSAL, REFUSAL, outcome, REFUSAL, REFUSAL])
      costsReported(shell, answer).awaitTimer();
    expect(openOf(shell)).toHaveLength(1);
    expect(costFound(shell, 'gen-1', 9).state.ledger.lostNanoUsd).toBe(9);
  });

  it('is asked for with up to twenty others at a time', () => {
    const shell = running();
    const charges = Array.from({ length: 23 }, (_, n) => ({
      id: `x${n}`,
      purpose: 'step' as const,
      model: 'm',
      nanoUsd: 5,
      status: 'estimated' as const,
      lost: true as const,
      generationId: `gen-${n}`,
      asked: 0,
      dueAtMs: shell.nowMs,
    }));
    shell.state = {
      ...shell.state,
      ledger: { ...shell.state.ledger, charges: [...shell.state.ledger.charges, ...charges] },
    };
    shell.deliver({ type: 'tick' });
    const asked = () => inQuestion(shell).flatMap(({ input }) => input.generationIds);
    expect([asked().length, asked()[0]]).toEqual([20, 'gen-0']);
    costNotFound(shell);
    expect(asked()).toEqual(['gen-20', 'gen-21', 'gen-22']);
  });

  it('is not taken from an answer to another question', () => {
    const shell = loses(running(), 'gen-1').advance(1_000);
    const { state } = shell;
    const found = [{ generationId: 'gen-1', costNanoUsd: 1, promptTokens: 0, completionTokens: 0 }];
    shell.deliver({ type: 'cost_reported', key: 'g1', outcome: { kind: 'ok', value: { found } } });
    expect(shell.state.ledger).toBe(state.ledger);
  });

  it('is known when a cached answer names it, and paid for once', () => {
    const shell = loses(running()).awaitTimer();
    const heldNanoUsd = shell.state.ledger.charges[0]?.nanoUsd;
    modelAnswers(shell, {
      calls: [callOf()],
      costNanoUsd: 0,
      promptTokens: 0,
      cached: true,
      cacheSourceId: 'gen-1',
    });
    expect(shell.state.ledger.charges).toMatchObject([
      { id: 's0.m0', generationId: 'gen-1', nanoUsd: heldNanoUsd },
    ]);
    toolAnswers(shell, 's0.c0').advance(1_000);
    expect(costFound(shell, 'gen-1', 90).state.ledger.confirmedNanoUsd).toBe(90);
  });

  it('is given up at the next answer when nothing tells its name', () => {
    const shell = modelCalls(loses(running()).awaitTimer(), callOf());
    expect(shell.state.ledger).toMatchObject({ charges: [], unknownCostCalls: 0 });
    expect(shell.state.ledger.estimatedNanoUsd).toBeGreaterThan(0);
  });

  it('is not asked for when the call certainly cost nothing', () => {
    for (const details of [{ unsent: true }, { sent: true, unbilled: true, generationId: 'gen-1' }])
      expect(modelFails(running(), 'MODEL_STALLED', true, details).state.ledger.charges).toEqual([]);
    for (const outcome of [
      { kind: 'timed_out' as const },
      { kind: 'timed_out' as const, details: { generationId: 'g' } },
    ])
      expect(modelSettles(running(), outcome).state.ledger.lostModelCalls).toBe(0);
  });
});

describe('a step that the costs of lost calls leave no money for', () => {
  /** A second attempt does not fit beside the first until that one's cost is known. */
  const short = () => losesThenTries(limited({ maxCostUsd: 0.08 }), 'gen-1');

  it('waits until they are known, then is made as it was', () => {
    const shell = short();
    expect([underWay(shell), view(shell.state).status]).toEqual([['g0'], 'waiting']);
    costFound(shell, 'gen-1', 1_000);
    expect(modelInput(shell)).toMatchObject({ attempt: 2, maxOutputTokens: 8_192 });
  });

  it('asks for no timer but that of the next question, so that waiting costs no history', () => {
    const shell = costNotFound(short());
    expect([underWay(shell), shell.timerAtMs]).toEqual([[], shell.nowMs + 2_000]);
    shell.control('pause').control('resume');
    expect(shell.timerAtMs).toBe(shell.nowMs + 2_000);
  });

  it('is a smaller one, or the end of the run, when they never are', () => {
    const shell = short();
    for (let question = 0; question < 14; question++) costNotFound(shell).awaitTimer();
    costNotFound(shell);
    expect(modelInput(shell).maxOutputTokens).toBeLessThan(8_192);
    expect(shell.state.model.call?.allowance?.clampedBy).toBe('cost');
  });
});
