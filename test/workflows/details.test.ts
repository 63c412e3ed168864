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

  it('tell what has made decisions necessary or not, and who works for the run', () => {
    const by = { callId: 's0.c0', tool: 'web_fetch' };
    const agents = [0, 1, 2, 3, 4, 5].map((index) => ({
      callId: `s1.c${index}`,
      runId: `r/s1.c${index}`,
      goal: 'look `it` up',
      maxCostUsd: 1,
    }));
    const standing = [{ tool: 'pay', by: 'Ada' }];
    const at = '2026-01-01T00:00:00.000Z';
    const lastRefused = { at, control: 'approve', code: 'CALL_NOT_FOUND', message: 'No `x`.', callId: null };
    const limits = { maxCostUsd: null, maxSteps: null, maxTokens: null, maxDurationMs: null };
    const details = renderDetails(
      progressOf({ taint: { policy: 'ask', by }, agents, standing, lastRefused, limits }),
    );
    expect(details.split('\n').filter((line) => /^ *- /.test(line))).toEqual([
      '- **Step:** 2',
      '- **Cost:** 0.500000 USD',
      '- **Tokens:** 120 (100 in, 20 out), 2 model calls',
      `- **Refused** at \`${at}\`: \`approve: CALL_NOT_FOUND No x .\``,
      '- **Taint:** side effects need a decision, as `s0.c0` `web_fetch` brought in text from outside',
      '- **Approved for the rest of the run:** `pay`',
      '- **Sub-agents under way:** 6',
      ...[0, 1, 2, 3, 4].map((index) => `  - \`r/s1.c${index}\` \`look it up\``),
      '  - and 1 more',
    ]);
    expect(listOf(progressOf({ taint: { policy: 'off', by: null } }))).toContain('- **Taint:** off');
    expect(listOf(progressOf({ taint: { policy: 'off', by } })).at(-1)).toMatch(
      /^- \*\*Taint:\*\* off, though `s0\.c0` `web_fetch`/,
    );
  });

  it('tell what the run waits for, and until when', () => {
    const waiting = {
      code: 'MODEL_UNAVAILABLE',
      message: 'It is `down`.',
      until: '2026-01-01T00:05:00.000Z',
    };
    const wordsOf = (fields: object) => listOf(progressOf({ waiting: { ...waiting, ...fields } }))[1];
    expect(wordsOf({})).toBe(
      '- **Waits** until `2026-01-01T00:05:00.000Z`: `MODEL_UNAVAILABLE It is down .`',
    );
    expect(wordsOf({ code: null, until: null })).toBe('- **Waits**: `It is down .`');
  });

  it('tell how far the review is, how often the conversation was shortened, and of circles, a line each', () => {
    const review = { round: 2, rounds: 3, stage: 'verdict', passed: false, gaps: 'x'.repeat(9_000) } as const;
    const lines = (fields: Partial<Progress>) => listOf(progressOf(fields)).slice(3);
    expect(lines({ review, compactions: 4, repeats: 3 })).toEqual([
      '- **Review:** round 2 of 3, the reviewer reads the answer',
      '- **Conversation shortened:** 4 times',
      '- **Last steps without anything new:** 3',
    ]);
    const wordsOf = (fields: object, result = {}) => lines({ review: { ...review, ...fields }, ...result });
    expect(wordsOf({ stage: null })).toEqual(['- **Review:** round 2 of 3, the answer is being mended']);
    expect(wordsOf({ stage: null, passed: true })).toEqual(['- **Review:** round 2 of 3, passed']);
    expect(wordsOf({ stage: null }, { result: resultOf() })).toEqual([
      '- **Review:** round 2 of 3, not passed',
    ]);
    const away = { rounds: 2, passed: false, gaps: null, problem: 'Nobody is there.' };
    expect(wordsOf({ stage: null }, { result: resultOf({ review: away }) })).toEqual([
      '- **Review:** round 2 of 3, no verdict',
    ]);
    expect(wordsOf({ round: 0, stage: null })).toEqual([]);
    expect(lines({ repeats: 1 })).toEqual([]);
  });

  it('show how to decide for a sub-agent, why it is asked, who has approved, and until when', () => {
    const item = toPending({ kind: 'decision', args: { usd: 5 }, summary: '', tool: 'pay' }, 0);
    const callId = 's0.c1/s2.c0';
    const approvals = { by: ['Ada', 'Bob'], needed: 3 };
    const expiresAt = '2026-01-02T00:00:00.000Z';
    const pending = [{ ...item, callId, approvals, expiresAt, reason: 'taint' as const }];
    const details = renderDetails(progressOf({ pending }));
    expect(details).toContain(`**Needs a decision:** \`${callId}\` \`pay\` until ${expiresAt}\n`);
    expect(details).toContain('\nAsked because text from outside was read before.\n');
    expect(details).toContain('\n2 of 3 approvals, by `Ada, Bob`.\n');
    expect(details).toContain(`--name approve \\\n  --input '{"callId":"${callId}","by":"YOUR NAME"}'\n`);
    expect(details).toContain(`--name reject \\\n  --input '{"callId":"${callId}","note":"…"}'\n`);
  });

  it('show all three ways out of an unknown outcome', () => {
    const item = toPending({ kind: 'unknown_outcome', args: {}, summary: '', tool: 'pay' }, 0);
    const details = renderDetails(progressOf({ pending: [item] }));
    expect(details.match(/--name \w+/g)).toEqual(['--name approve', '--name answer', '--name reject']);
  });

  it('tell until when a session waits, how to go on, and its last answer, cut', () => {
    const until = '2026-01-02T00:00:00.000Z';
    const answer = `It is done. ${'Really. '.repeat(600)}`;
    const idle = { since: '2026-01-01T00:00:00.000Z', until, answer };
    const details = renderDetails(progressOf({ status: 'waiting', idle }));
    expect(details).toContain(`**Waits for the next message** until ${until}\n`);
    expect(details).toContain(`--name say \\\n  --input '{"text":"…"}'\n`);
    expect(details).toContain('**Answer**\n\n```\nIt is done. Really.');
    expect(details).toContain('…\n```\n\n**Goal**\n\n```\ndo it\n```');
    expect(Buffer.byteLength(details)).toBeLessThan(2_600);
  });

  it('show fewer calls rather than too little of each', () => {
    const approvals = { by: ['語'.repeat(100)], needed: 2 };
    const pending = [0, 1, 2, 3].map((index) => ({
      ...toPending({ kind: 'unknown_outcome', args: {}, summary: '', tool: '語'.repeat(100) }, index),
      callId: `s1000.c${index}/s1000.c10/s1000.c10`,
      approvals,
      reason: 'changed' as const,
    }));
    const details = renderDetails(progressOf({ pending }));
    expect(details.match(/\*\*Needs /g)).toHaveLength(2);
    expect(details).toContain('… and 2 more.');
  });

  it.each([
    ['while calls wait', {}],
    ['while a session waits', { pending: [], idle: { since: 's', until: 'u', answer: '語 '.repeat(5_000) } }],
    ['when it has ended', { result: resultOf({ answer: '語 '.repeat(5_000) }), pending: [] }],
  ])('keep to their size with everything at once, in a large script, %s', (_when, fields) => {
    const long = '語 '.repeat(5_000);
    const pending = [0, 1, 2, 3].map((index) => ({
      ...toPending({ kind: 'decision', args: { long }, summary: '', tool: long }, index),
      callId: `s1000.c${index}/s1000.c10/s1000.c10`,
      approvals: { by: [long, long], needed: 3 },
      reason: 'changed' as const,
      expiresAt: '2026-01-01T00:00:00.000Z',
    }));
    const byName = Object.fromEntries([1, 2, 3, 4, 5].map((index) => [`${index} ${long}`, account(1e9)]));
    const details = renderDetails(
      progressOf({
        goal: long,
        model: long,
        budget: long,
        queuedMessages: 9,
        review: { round: 2, rounds: 3, stage: 'human', passed: false, gaps: long },
        compactions: 99,
        repeats: 9,
        spend: {
          ...SPEND,
          estimatedNanoUsd: 1,
          reservedNanoUsd: 1,
          inheritedNanoUsd: 1,
          lostModelCalls: 1,
          unknownCostCalls: 1,
          byPurpose: byName,
          byModel: byName,
        },
        taint: { policy: 'ask', by: { callId: 's1000.c10/s1000.c10/s1000.c10', tool: long } },
        standing: Array.from({ length: 9 }, () => ({ tool: long, by: long })),
        agents: Array.from({ length: 9 }, () => ({
          callId: 's1.c0',
          runId: `${'r'.repeat(200)}/s1.c0`,
          goal: long,
          maxCostUsd: 1,
        })),
        lastRefused: { at: 'now', control: 'approve', code: 'CALL_NOT_FOUND', message: long, callId: null },
        pending,
        ...fields,
      }),
    );
    expect(Buffer.byteLength(details)).toBeGreaterThan(2_000);
    expect(Buffer.byteLength(details)).toBeLessThan(4_096);
    expect(openFence(details)).toBeNull();
    for (const part of [
      '**Cost:**',
      '**Taint:**',
      '**Refused**',
      '**Messages waiting:**',
      '**Goal**\n\n```\n語',
    ])
      expect(details).toContain(part);
  });

  it('are below 4 KB with every fence closed and no dollar sign of ours, whatever people and models write', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '`', '\n', ' ', 'é', '語', '😀', '```'),
      maxLength: 4_000,
    });
    const name = fc.string({ unit: fc.constantFrom('m', '`', '\n', '語'), minLength: 1, maxLength: 200 });
    const kind = fc.constantFrom<PendingItem['kind']>('decision', 'question', 'unknown_outcome');
    const approvals = fc.record({ by: fc.array(name, { maxLength: 4 }), needed: fc.nat(9) });
    const reason = fc.constantFrom('taint' as const, 'changed' as const);
    const item = fc.record({ kind, args: fc.record({ text }), summary: text, tool: name, approvals, reason });
    const pending = fc.array(item, { maxLength: 5 });
    const source = fc.record({ callId: fc.constant('s1.c0/s2.c0'), tool: name });
    const taint = fc.record({ policy: fc.constantFrom('ask', 'off'), by: fc.option(source) });
    const agent = fc.record({ callId: name, runId: name, goal: text, maxCostUsd: fc.constant(null) });
    const guards = fc.record({
      taint,
      standing: fc.array(fc.record({ tool: name, by: fc.option(name) }), { maxLength: 5 }),
      agents: fc.array(agent, { maxLength: 9 }),
      idle: fc.option(fc.record({ since: fc.constant('…'), until: fc.constant('2026-01-01'), answer: text })),
      lastRefused: fc.option(fc.record({ at: name, control: name, code: name, message: text, callId: name })),
    });
    const accounts = fc.dictionary(name, fc.constant(account(1e9)), { maxKeys: 20, noNullPrototype: true });
    fc.assert(
      fc.property(
        text,
        text,
        name,
        pending,
        accounts,
        guards,
        fc.boolean(),
        (...[goal, answer, model, items, byModel, guarded, isClosed]) => {
          const details = renderDetails(
            progressOf({
              ...guarded,
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
  item: Pick<PendingItem, 'kind' | 'args' | 'summary' | 'tool' | 'approvals' | 'reason'>,
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
