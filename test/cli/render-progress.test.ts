import { renderProgress } from '../../src/cli/render-progress.js';
import { createStyle } from '../../src/cli/style.js';
import type { Progress } from '../../src/core/progress.js';
import { progressOf, resultOf, SPEND } from './support.js';

const show = (fields: Partial<Progress>) => renderProgress(progressOf(fields), createStyle(false));
/** What stands beside a name, and in the rows without a name below it. */
const rows = (fields: Partial<Progress>, name: string): string[] => {
  const lines = show(fields);
  const first = lines.findIndex((line) => line.startsWith(`  ${name} `));
  if (first < 0) return [];
  const end = lines.findIndex((line, index) => index > first && !line.startsWith(' '.repeat(12)));
  return lines.slice(first, end < 0 ? undefined : end).map((line) => line.slice(12));
};

describe('show', () => {
  const by = { callId: 's0.c0', tool: 'web_fetch' };

  it.each([
    ['ask', null, 'ask: side effects will need a decision once text from outside was read'],
    ['ask', by, 'ask: side effects need a decision, as s0.c0 web_fetch has brought in text from outside'],
    ['off', null, 'off'],
    ['off', by, 'off; s0.c0 web_fetch has brought in text from outside'],
  ] as const)('tells the taint policy %s with the source %j', (policy, source, words) => {
    expect(rows({ taint: { policy, by: source } }, 'taint')).toEqual([words]);
  });

  it('tells what is approved for the rest of the run', () => {
    const standing = [
      { tool: 'pay', by: 'Ada' },
      { tool: 'send', by: null },
    ];
    expect(rows({ standing }, 'approved')).toEqual(['for the rest of the run: pay (by Ada), send']);
    expect(rows({}, 'approved')).toEqual([]);
  });

  it('lists sub-agents under way with their share', () => {
    const agents = [
      { callId: 's0.c0', runId: 'r/s0.c0', goal: 'one\nthing', maxCostUsd: 0.5 },
      { callId: 's0.c1', runId: 'r/s0.c1', goal: 'another', maxCostUsd: null },
    ];
    expect(rows({ agents }, 'agents')).toEqual(['r/s0.c0  up to $0.5000, one thing', 'r/s0.c1  another']);
  });

  it('tells until when a session waits, with its last answer', () => {
    const idle = { since: 'a', until: '2026-01-02T00:00:00.000Z', answer: 'Blue.' };
    expect(rows({ idle, status: 'waiting' }, 'session')).toEqual([
      'waits for a message until 2026-01-02T00:00:00.000Z: longhaul say r "TEXT"',
    ]);
    expect(show({ idle }).slice(-2)).toEqual(['', '  Blue.']);
  });

  it('shows shared values on one short line, and the control that was refused last', () => {
    expect(rows({ shared: { text: 'x'.repeat(500) } }, 'shared')[0]).toMatch(/^\{"text":"x+…$/);
    expect(rows({ shared: {} }, 'shared')).toEqual([]);
    const lastRefused = {
      at: 'now',
      control: 'approve',
      code: 'CALL_NOT_FOUND',
      message: 'No.',
      callId: null,
    };
    expect(rows({ lastRefused }, 'refused')).toEqual(['approve at now: CALL_NOT_FOUND No.']);
  });

  it('tells what the run waits for, until when, and how to go on at once', () => {
    const waiting = { code: 'MODEL_UNAVAILABLE', message: 'It is\ndown.', until: 'noon' };
    expect(rows({ waiting }, 'waits')).toEqual([
      'until noon (to try now: longhaul resume r): MODEL_UNAVAILABLE It is down.',
    ]);
    expect(rows({ waiting: { ...waiting, code: null, until: null } }, 'waits')).toEqual(['It is down.']);
    expect(rows({}, 'waits')).toEqual([]);
  });

  it.each([
    [0, null, false, null, 'of the answer, up to 3 rounds'],
    [1, 'checks', false, null, 'round 1 of 3: its checks run'],
    [2, 'verdict', false, null, 'round 2 of 3: the reviewer reads the answer'],
    [2, null, false, '1. No\nsource.', 'round 2 of 3: the answer is being mended; found: 1. No source.'],
    [
      3,
      'human',
      false,
      '1. No.',
      'round 3 of 3: a human is asked whether the answer shall stand; found: 1. No.',
    ],
    [2, null, true, null, 'round 2 of 3: passed'],
  ] as const)('tells how far the review is: round %j, %j', (round, stage, passed, gaps, words) => {
    expect(rows({ review: { round, rounds: 3, stage, passed, gaps } }, 'review')).toEqual([words]);
  });

  it('leaves the review of a run that has ended to the last lines', () => {
    const review = { round: 1, rounds: 3, stage: null, passed: true, gaps: null };
    const result = resultOf({ review: { rounds: 1, passed: true, gaps: null, problem: null } });
    expect(rows({ review, result }, 'review')).toEqual([]);
    expect(show({ review, result }).at(-1)).toBe('  review: passed in round 1');
  });

  it('tells how often the conversation was shortened and where the whole of it is, and steps in circles', () => {
    expect(rows({ compactions: 2 }, 'shortened')).toEqual([
      '2 times; the whole conversation: longhaul transcript r --full',
    ]);
    expect(rows({ repeats: 4 }, 'repeats')).toEqual(['the last 4 steps brought nothing new']);
    expect([rows({}, 'shortened'), rows({ repeats: 1 }, 'repeats'), rows({}, 'review')]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('tells how much of the prompts a cache held', () => {
    expect(rows({ spend: { ...SPEND, cachedTokens: 80 } }, 'tokens')).toEqual([
      '100 in (80 cached) · 20 out · 2 model calls',
    ]);
  });

  it('shows of a pending call how many have approved it', () => {
    const item = {
      kind: 'decision' as const,
      callId: 's0.c0',
      tool: 'pay',
      args: {},
      argsHash: null,
      summary: '',
      requestedAt: 'now',
      expiresAt: null,
      approvals: { by: ['Ada'], needed: 2 },
    };
    expect(show({ pending: [item] })).toContain('      needs 2 approvals, 1 so far: Ada');
  });

  it('lists the artifacts of a run that has ended', () => {
    const artifacts = [{ callId: 's0.c0', id: 'sha256-a', sizeBytes: 1 }];
    expect(show({ result: resultOf({ artifacts }) }).slice(-2)).toEqual([
      '  1 artifact, kept in full:',
      '    longhaul artifact sha256-a  1 byte, from s0.c0',
    ]);
  });
});
