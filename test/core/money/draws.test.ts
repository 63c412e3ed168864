import { view } from '../../../src/core/view.js';
import {
  costFound, lastOf, losesThenTries, modelAnswers, modelInput, running, underWay,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

describe('a run with a shared budget', () => {
  const draws = (shell: Shell) =>
    [...shell.started.values()].flatMap((work) => (work.kind === 'draw' ? [work] : []));
  const grant = (shell: Shell, grantedNanoUsd: number) => {
    const key = draws(shell)[0]?.key ?? '';
    return shell.deliver(shell.settlementOf(key, 'draw', { kind: 'ok', value: { grantedNanoUsd } }));
  };
  const start = () => running({ budget: 'team' });
  const granted = () => {
    const shell = start();
    return grant(shell, draws(shell)[0]?.input.totalNanoUsd ?? 0);
  };

  it('draws before its first call, and is running meanwhile', () => {
    const shell = start();
    expect(draws(shell)).toMatchObject([
      { key: 'b0', input: { budget: 'team', runId: 'run-1' }, summary: 'draw from budget team' },
    ]);
    expect([underWay(shell), view(shell.state).status, view(shell.state).budget]).toEqual([
      ['b0'],
      'running',
      'team',
    ]);
    expect(modelInput(granted()).maxOutputTokens).toBe(8_192);
  });

  it('gives the budget its last word before it closes: what it spent', () => {
    const shell = modelAnswers(granted(), { text: 'Done.', costNanoUsd: 1_234 });
    expect([shell.closed, shell.timerAtMs]).toEqual([false, null]);
    expect(draws(shell)).toMatchObject([
      { key: 'b1', input: { totalNanoUsd: 1_234, final: true }, summary: 'settle with budget team' },
    ]);
    expect(grant(shell, 0).state.result?.outcome).toBe('done');
  });

  it('closes though the budget cannot be told', () => {
    const shell = modelAnswers(granted(), { text: 'Done.' });
    const failed = {
      kind: 'failed' as const,
      code: 'BUDGET_UNKNOWN',
      message: 'No.',
      retryable: false,
      details: {},
    };
    shell.deliver(shell.settlementOf('b1', 'draw', failed));
    expect(shell.state.result?.outcome).toBe('done');
  });

  it('tells the budget only when costs are settled, or patience is over', () => {
    const shell = modelAnswers(losesThenTries(granted(), 'gen-1'), { text: 'Done.' });
    expect(draws(shell)).toEqual([]);
    costFound(shell, 'gen-1', 300);
    expect(draws(shell)).toMatchObject([{ input: { totalNanoUsd: 1_300, final: true } }]);
  });

  it('lands when the budget has nothing left', () => {
    const shell = grant(start(), 0);
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'limit', limit: 'cost' });
    expect(grant(shell, 0).state.result).toMatchObject({
      outcome: 'limit',
      limit: 'cost',
      spend: { modelCalls: 0 },
    });
  });

  it('fails when there is no such budget, in words that say so', () => {
    const shell = start();
    const failed = {
      kind: 'failed' as const,
      code: 'BUDGET_UNKNOWN',
      message: 'No such budget.',
      retryable: false,
      details: {},
    };
    shell.deliver(shell.settlementOf('b0', 'draw', failed));
    expect(lastOf(shell, 'landing_started')).toMatchObject({ outcome: 'failed', limit: null });
    shell.deliver(shell.settlementOf('b1', 'draw', failed));
    expect(shell.state.result).toMatchObject({
      outcome: 'failed',
      error: { code: 'BUDGET_UNKNOWN', message: 'No such budget.' },
    });
  });

  it('does not hear of a draw that is not under way', () => {
    const shell = granted();
    const { state } = shell;
    shell.deliver({ type: 'drawn', key: 'b7', outcome: { kind: 'ok', value: { grantedNanoUsd: 1e12 } } });
    expect(shell.state.draw).toBe(state.draw);
  });
});
