import fc from 'fast-check';
import type { AccountSpend, PendingItem, Progress } from '../../src/core/progress.js';
import { renderDetails } from '../../src/workflows/details.js';
import { progressOf, resultOf, SPEND } from '../cli/support.js';

const account = (costNanoUsd: number, calls = 1): AccountSpend => ({
  calls,
  costNanoUsd,
  estimatedNanoUsd: 0,
});
const listOf = (progress: Progress) =>
  renderDetails(progress)
    .split('\n')
    .filter((line) => line.startsWith('- '));

describe("a run's details in the Web UI", () => {
  it('say what it cost of its ceiling, and how sure that is', () => {
    const spend = {
      ...SPEND,
      costNanoUsd: 412_000_000,
      estimatedNanoUsd: 20_000_000,
      reservedNanoUsd: 30_000_000,
      lostNanoUsd: 24_000_000,
      lostModelCalls: 2,
      inheritedNanoUsd: 100_000_000,
      unknownCostCalls: 1,
      byPurpose: { landing: account(12_000_000), step: account(400_000_000, 12) },
      byModel: Object.fromEntries(
        ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => [name, account(6e6 - index * 1e6)]),
      ),
    };
    const limits = { maxCostUsd: 2.5, maxSteps: 9, maxTokens: null, maxDurationMs: null };
    expect(listOf(progressOf({ spend, limits, budget: 'team' }))).toEqual([
      '- **Step:** 2 of 9',
      '- **Cost:** 0.432000 of 2.5 USD (17 %), of it 0.020000 not confirmed, 0.100000 by the run that it goes on from',
      '- **Held for what is under way:** 0.030000 USD',
      '- **Attempts without an answer:** 2, charged 0.024000 USD of the cost',
      '- **Calls of unknown cost:** 1',
      '- **Cost and calls by purpose:** `step` 0.400000 (12), `landing` 0.012000 (1)',
      '- **Cost and calls by model:** `a` 0.006000 (1), `b` 0.005000 (1), `c` 0.004000 (1), `d` 0.003000 (1), and 2 more',
      '- **Shared budget:** `team`',
      '- **Tokens:** 120 (100 in, 20 out), 2 model calls',
    ]);
  });

  it('say no more than there is', () => {
    const limits = { maxCostUsd: null, maxSteps: null, maxTokens: null, maxDurationMs: null };
    expect(listOf(progressOf({ limits }))).toEqual([
      '- **Step:** 2',
      '- **Cost:** 0.500000 USD',
      '- **Tokens:** 120 (100 in, 20 out), 2 model calls',
    ]);
  });

  it('tell a run that only settles its costs, and all limits that ended one', () => {
    expect(renderDetails(progressOf({ status: 'landing', settling: true }))).toContain(
      '**landing** · settling costs',
    );
    const result = resultOf({ outcome: 'limit', limit: 'cost', limitsReached: ['cost', 'steps'] });
    const details = renderDetails(progressOf({ status: 'closed', result }));
    expect(details).toContain('**closed** · limit (cost)');
    expect(details).toContain('- **Limits reached:** cost, steps');
  });

  it.each([
    ['while three calls wait', {}],
    ['when it has ended', { result: resultOf({ answer: '語 '.repeat(5_000) }), pending: [] }],
  ])('keep to their size with long texts in a large script %s', (_when, fields) => {
    const long = '語 '.repeat(5_000);
    const kind = 'decision' as const;
    const pending = [0, 1, 2, 3].map((index) =>
      toPending({ kind, args: { long }, summary: '', tool: 't' }, index),
    );
    const details = renderDetails(progressOf({ goal: long, pending, ...fields }));
    expect(Buffer.byteLength(details)).toBeGreaterThan(2_000);
    expect(Buffer.byteLength(details)).toBeLessThan(4_096);
    expect(openFence(details)).toBeNull();
  });

  it('are below 4 KB with every fence closed and no dollar sign of ours, whatever people and models write', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '`', '\n', ' ', 'é', '語', '😀', '```'),
      maxLength: 4_000,
    });
    const name = fc.string({ unit: fc.constantFrom('m', '`', '\n', '語'), minLength: 1, maxLength: 200 });
    const kind = fc.constantFrom<PendingItem['kind']>('decision', 'question', 'unknown_outcome');
    const item = fc.record({ kind, args: fc.record({ text }), summary: text, tool: name });
    const pending = fc.array(item, { maxLength: 5 });
    const accounts = fc.dictionary(name, fc.constant(account(1e9)), { maxKeys: 20, noNullPrototype: true });
    fc.assert(
      fc.property(
        text,
        text,
        name,
        pending,
        accounts,
        fc.boolean(),
        (goal, answer, model, items, byModel, isClosed) => {
          const details = renderDetails(
            progressOf({
              goal,
              model,
              spend: { ...SPEND, byModel },
              budget: model,
              ...(isClosed ? { result: resultOf({ answer }) } : { pending: items.map(toPending) }),
            }),
          );
          expect(Buffer.byteLength(details)).toBeLessThan(4_096);
          expect(details).not.toContain('$');
          expect(openFence(details)).toBeNull();
        },
      ),
    );
  });
});

function toPending(
  item: Pick<PendingItem, 'kind' | 'args' | 'summary' | 'tool'>,
  index: number,
): PendingItem {
  const requestedAt = '2026-01-01T00:00:00.000Z';
  return { ...item, callId: `s1234.c${index}`, argsHash: null, requestedAt, expiresAt: null };
}

/** The fence that is still open at the end, as CommonMark reads them. */
function openFence(markdown: string): string | null {
  let open: string | null = null;
  for (const line of markdown.split('\n')) {
    const [, fence, rest = ''] = /^(`{3,})(.*)$/.exec(line) ?? [];
    if (fence === undefined) continue;
    if (open === null) open = fence;
    else if (fence.length >= open.length && rest.trim() === '') open = null;
  }
  return open;
}
