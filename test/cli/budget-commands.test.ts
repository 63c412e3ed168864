import type { Runs } from '../../src/cli/context.js';
import { AgentError } from '../../src/core/errors.js';
import type { BudgetView } from '../../src/core/money/budget.js';
import { cli } from './support.js';

const VIEW: BudgetView = {
  name: 'team-a',
  period: 'day',
  periodStart: '2026-03-18T00:00:00.000Z',
  periodEnd: '2026-03-19T00:00:00.000Z',
  limitUsd: 50,
  limitNanoUsd: 50e9,
  usedUsd: 12.5,
  usedNanoUsd: 12.5e9,
  leftUsd: 37.5,
  leftNanoUsd: 37.5e9,
  openRuns: 2,
  grants: [
    { runId: 'run-1', grantedNanoUsd: 1.25e9, inPeriodNanoUsd: 1.25e9, since: '2026-03-18T09:30:00.000Z' },
  ],
};

/** Runs a command line; tells what was asked of the client. */
async function budget(args: readonly string[], parts: Partial<Runs['budgets']> = {}) {
  const asked: unknown[] = [];
  const answering =
    <T>(value: T) =>
    async (...call: unknown[]): Promise<T> => {
      asked.push(call);
      return value;
    };
  const budgets: Runs['budgets'] = {
    set: answering(VIEW),
    show: answering(VIEW),
    list: answering([VIEW]),
    release: answering(VIEW),
    ...parts,
  };
  return { ...(await cli(['budget', ...args], { runs: { budgets } })), asked };
}

test.each([
  ['50/day', { limitUsd: 50, period: 'day' }],
  ['$2.50/week', { limitUsd: 2.5, period: 'week' }],
  ['1000/Month', { limitUsd: 1_000, period: 'month' }],
  ['200', { limitUsd: 200, period: 'total' }],
  ['0/day', { limitUsd: 0, period: 'day' }],
])('budget set takes %s', async (amount, settings) => {
  const { code, stdout, asked } = await budget(['set', 'team-a', amount, '--json']);
  expect([code, JSON.parse(stdout), asked]).toEqual([0, VIEW, [['team-a', settings]]]);
});

test.each([
  ['set', 'team-a'],
  ['set', 'team-a', 'much'],
  ['set', 'team-a', '-1'],
  ['set', 'team-a', '50/year'],
  ['set', 'team-a', '50/day/week'],
  ['set', 'team-a', '/day'],
  ['show'],
  ['release', 'team-a'],
  ['release', 'team-a', 'run-1', '--spent', 'much'],
  ['nope'],
  [],
])('budget %s %s %s %s is a usage error', async (...args) => {
  const { code, stdout, asked } = await budget([...args, '--json']);
  expect([code, JSON.parse(stdout).error.code, asked]).toEqual([2, 'INPUT_INVALID', []]);
});

it('shows a budget to people', async () => {
  const { code, stdout } = await budget(['show', 'team-a']);
  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      'team-a',
      '  limit     $50.00 a day',
      '  used      $12.50, $37.50 left',
      '  period    2026-03-18 00:00 to 2026-03-19 00:00 UTC',
      '  open runs 2',
      '    run-1  $1.25  since 2026-03-18 09:30',
      '    and 1 more',
      '  A run that was terminated keeps what it holds until: longhaul budget release team-a RUN',
      '',
    ].join('\n'),
  );
});

it('lists budgets to programs and people, and says how to begin when there is none', async () => {
  expect(JSON.parse((await budget(['list', '--json'])).stdout)).toEqual([VIEW]);
  expect((await budget(['list'])).stdout).toBe(
    'BUDGET  LIMIT         USED    LEFT    OPEN RUNS\nteam-a  $50.00 a day  $12.50  $37.50  2\n',
  );
  expect((await budget(['list'], { list: async () => [] })).stdout).toContain('longhaul budget set NAME');
});

it('releases a run, with what it spent when that is said', async () => {
  const read = await budget(['release', 'team-a', 'run-1']);
  const said = await budget(['release', 'team-a', 'run-1', '--spent', '0', '--json']);
  expect([read.asked, said.asked]).toEqual([
    [['team-a', 'run-1', {}]],
    [['team-a', 'run-1', { spentUsd: 0 }]],
  ]);
  expect(JSON.parse(said.stdout)).toEqual(VIEW);
});

it('exits 1 when there is no such budget, and says how to set one', async () => {
  const show = async (): Promise<never> => {
    throw new AgentError('BUDGET_UNKNOWN', 'There is no budget team-b.');
  };
  const { code, stderr } = await budget(['show', 'team-b'], { show });
  expect([code, stderr]).toEqual([1, expect.stringContaining('longhaul budget set')]);
});

describe('longhaul start', () => {
  const started = async (args: readonly string[]): Promise<unknown> => {
    const inputs: unknown[] = [];
    const start = async (input: unknown): Promise<never> => {
      inputs.push(input);
      throw new AgentError('RUN_EXISTS', 'That far it came.');
    };
    const { code } = await cli(['start', 'x', ...args], { runs: { start } });
    return inputs[0] ?? code;
  };

  it('hands on budget, priority and what to do about models without a price', async () => {
    const priority = ['--priority', '1', '--fairness-key', 'team-a', '--fairness-weight', '2.5'];
    expect(await started(['--budget', 'team-a', '--unpriced', 'estimate', ...priority])).toEqual({
      goal: 'x',
      requestedBy: 'tester',
      budget: 'team-a',
      unpricedModels: 'estimate',
      priority: { priorityKey: 1, fairnessKey: 'team-a', fairnessWeight: 2.5 },
    });
    const plain = { goal: 'x', requestedBy: 'tester' };
    expect(await started(['--fairness-key', 'a'])).toEqual({ ...plain, priority: { fairnessKey: 'a' } });
    expect(await started([])).toEqual(plain);
  });

  test.each([
    ['--budget', 'no/name'],
    ['--unpriced', 'ignore'],
    ['--priority', '0'],
    ['--priority', '6'],
    ['--priority', 'high'],
    ['--fairness-weight', '0'],
    ['--fairness-weight', '1001'],
    ['--fairness-key', 'ä'.repeat(33)],
  ])('refuses %s %s', async (...flags) => {
    expect(await started(flags)).toBe(2);
  });
});
