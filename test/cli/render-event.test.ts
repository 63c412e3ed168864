import { LiveView } from '../../src/cli/live-view.js';
import { howToSettle } from '../../src/cli/render-pending.js';
import { createStyle } from '../../src/cli/style.js';
import type { WatchedEvent } from '../../src/client/run-handle.js';
import { event, resultOf } from './support.js';

const AT = '2026-01-01T00:00:00.000Z';

const shown = (one: WatchedEvent, options = { showCommands: true }): string[] =>
  new LiveView(createStyle(false), options).event(one).split('\n').slice(0, -1);

describe('an event on the screen', () => {
  it('tells that nobody has decided yet, with the commands but without the arguments again', () => {
    const reminder = event({ type: 'decision_reminder', tool: 'pay', args: { usd: 5 }, expiresAt: AT });
    expect(shown(reminder)).toEqual([
      `  ? s0.c0 pay still waits for a decision  until ${AT}`,
      '      longhaul approve r s0.c0',
      '      longhaul reject r s0.c0 --note "WHY"',
    ]);
    expect(shown(reminder, { showCommands: false })).toHaveLength(1);
    const words = (kind: 'question' | 'unknown_outcome') =>
      shown(event({ type: 'decision_reminder', kind }))[0];
    expect(words('question')).toContain('still waits for an answer');
    expect(words('unknown_outcome')).toContain('still waits for a word on its unknown outcome');
  });

  it('counts approvals', () => {
    const counted = event({ type: 'approval_counted', tool: 'pay', by: 'Ada', have: 1, needed: 2 });
    expect(shown(counted)).toEqual(['  approved s0.c0 pay by Ada: 1 of 2']);
  });

  it('says why a decision is asked for, and how many it needs', () => {
    const approvals = { by: ['Ada'], needed: 3 };
    const asked = { type: 'decision_requested', tool: 'pay', args: { usd: 5 } } as const;
    const lines = (fields: object) => shown(event({ ...asked, ...fields })).slice(1, -3);
    expect(lines({ reason: 'taint', approvals })).toEqual([
      '      asked because text from outside was read before',
      '      needs 3 approvals, 1 so far: Ada',
    ]);
    expect(lines({ reason: 'changed', approvals: { by: [], needed: 2 } })).toEqual([
      '      asked because its server has changed what it says of the tool',
      '      needs 2 approvals',
    ]);
    // What a server says may look like the end of the note.
    const summary = '[its server has changed it, now: a] b] pay {"usd":5}';
    expect(lines({ reason: 'changed', summary })).toEqual([
      '      asked because its server has changed it, now: a] b',
    ]);
    expect(lines({ summary: 'pay {"memo":"[x] pay y"}' })).toEqual([]);
    expect(shown(event({ ...asked, kind: 'question', summary: '[a] pay b' }))[1]).toBe('      usd: 5');
  });

  it('marks what a sub-agent asks for, and names it as the run takes it', () => {
    expect(shown(event({ type: 'decision_requested', callId: 's0.c0/s1.c0' }))).toEqual([
      '  ? s0.c0/s1.c0 look (of a sub-agent) waits for a decision',
      '      (no arguments)',
      '      longhaul approve r s0.c0/s1.c0',
      '      longhaul reject r s0.c0/s1.c0 --note "WHY"',
    ]);
  });

  it.each([
    [{ scope: 'run' }, '  approved s0.c0 pay for the rest of the run by Ada'],
    [{ signed: true }, '  approved s0.c0 pay by Ada (signed)'],
    [{ approvedBy: ['Bob', 'Ada'] }, '  approved s0.c0 pay by Bob, Ada'],
    [
      { signed: true, editedArgs: { usd: 1 }, note: 'Less.' },
      '  approved s0.c0 pay with other arguments usd=1 by Ada (signed): Less.',
    ],
    [{ decision: 'expired', by: null }, '  expired s0.c0 pay'],
  ] as const)('tells how a decision was made: %j', (fields, line) => {
    const made = event({ type: 'decision_made', tool: 'pay', by: 'Ada', ...(fields as object) });
    expect(shown(made)).toEqual([line]);
  });

  it.each([
    ['executed', 'it did run, says the tool itself'],
    ['not_executed', 'it did not run, says the tool itself'],
    ['unknown', 'the tool itself cannot tell whether it ran'],
  ] as const)('tells that a tool was asked what became of a call: %s', (verdict, words) => {
    expect(shown(event({ type: 'outcome_verified', verdict }))).toEqual([`  ? s0.c0 look ${words}`]);
  });

  it('warns of text from outside once it is in the context', () => {
    expect(shown(event({ type: 'context_tainted', tool: 'web_fetch' }))).toEqual([
      '! s0.c0 web_fetch has brought in text from outside',
      '    from here on side effects wait for a decision, unless the run has --taint off',
    ]);
  });

  it('names the run of a sub-agent and how to watch it', () => {
    const started = event({ type: 'tool_started', tool: 'delegate', childRunId: 'r/s0.c0' });
    expect(shown(started)).toEqual(['  → s0.c0 delegate', '      sub-agent r/s0.c0: longhaul watch r/s0.c0']);
  });

  it('ends a turn of a session with its answer, where that was not shown, and says how to go on', () => {
    const turn = event({ type: 'turn_completed', answer: 'Blue.', idleUntil: AT });
    expect(shown(turn)).toEqual([
      '  Blue.',
      `» waits for the next message  until ${AT}`,
      '    longhaul say r "TEXT"',
    ]);
    const view = new LiveView(createStyle(false), { showCommands: false });
    view.event(event({ type: 'model_completed', text: 'Blue.' }));
    expect(view.event(turn)).toBe(`» waits for the next message  until ${AT}\n`);
  });

  it.each([
    [{ type: 'review_started', round: 2, rounds: 3, model: 'strict' }, ['review 2 of 3  strict']],
    [{ type: 'review_completed', passed: true }, ['  ✓ the reviewer accepts the answer']],
    [
      { type: 'review_completed', passed: false, gaps: '1. No source.' },
      ['  ✗ the reviewer does not accept the answer'],
    ],
    [
      { type: 'review_completed', passed: false, problem: 'The reviewer said nothing.' },
      ['  ! no verdict: The reviewer said nothing.'],
    ],
    [
      { type: 'answer_refused', problem: '/count must be integer' },
      ['! the answer is refused: /count must be integer'],
    ],
    [
      { type: 'compacted', by: 'summary' },
      ['» conversation shortened by a summary: 84 → 12 messages, about 91,000 → 20,000 tokens'],
    ],
    [
      { type: 'compacted', by: 'cut' },
      ['» conversation shortened by leaving out parts of it: 84 → 12 messages, about 91,000 → 20,000 tokens'],
    ],
    [
      { type: 'loop_detected', rung: 'tell', repeats: 3, tools: ['read_file', 'look\u001b'] },
      ['! 3 steps in a row brought nothing new (read_file, look\\x1b); the model is told'],
    ],
    [
      { type: 'loop_detected', rung: 'land', repeats: 9, tools: ['look'] },
      ['! 9 steps in a row brought nothing new (look); the run ends'],
    ],
    [{ type: 'fallback_used', code: 'LOOP', from: 'm', to: 'n' }, ['! asking n instead of m for a step']],
    [
      { type: 'fallback_used', code: 'MODEL_STALLED', from: 'm', to: 'n' },
      ['! MODEL_STALLED: going on with n instead of m'],
    ],
    [{ type: 'fallback_ended', from: 'n', to: 'm' }, ['» asking m again instead of n']],
    [{ type: 'landing_started', limit: 'loop' }, ['» landing: the run gets nowhere']],
  ] as const)('tells what the run does about its own work: %j', (fields, lines) => {
    const sizes = { messagesBefore: 84, messagesAfter: 12, tokensBefore: 91_000, tokensAfter: 20_000 };
    const all = { gaps: null, problem: null, ...sizes, ...fields };
    // More than each of them needs.
    expect(shown(event(all as { type: 'compacted' }))).toEqual(lines);
  });

  it('shows what a reviewer says as it is, and neither the answer before it nor the gaps again at the end', () => {
    const view = new LiveView(createStyle(false), { showCommands: false });
    view.event(event({ type: 'model_completed', text: 'It is blue.', spentNanoUsd: 0 }));
    const verdict = view.event(
      event({ type: 'model_completed', purpose: 'review', text: '1. Why blue?', spentNanoUsd: 0 }),
    );
    expect(verdict).toBe('  1. Why blue?\n  100 in · 20 out · $0.001000 · $0 so far\n');
    const review = { rounds: 1, passed: false, gaps: '1. Why blue?', problem: null };
    const end = view.event(
      event({ type: 'run_completed', result: resultOf({ answer: 'It is blue.', review }) }),
    );
    expect(end).not.toMatch(/blue/);
    expect(end).toContain('  review: not passed after 1 round\n  Have it mended further: longhaul fork r');
  });

  it('tells what a summary cost, and not what it says', () => {
    const summary = event({
      type: 'model_completed',
      purpose: 'compaction',
      text: 'Much was done.',
      cachedTokens: 90,
      spentNanoUsd: 0,
    });
    expect(shown(summary)).toEqual([
      '  summary of the conversation: 100 in (90 cached) · 20 out · $0.001000 · $0 so far',
    ]);
  });

  it('says what becomes of an answer that a human is asked about', () => {
    const asked = event({ type: 'decision_requested', tool: 'accept_answer', args: { gaps: '1. No.' } });
    expect(shown({ ...asked, reason: 'review' } as WatchedEvent)).toEqual([
      '  ? s0.c0 accept_answer waits for a decision',
      '      asked because the reviewer is not content with the answer',
      '      gaps: 1. No.',
      '      longhaul approve r s0.c0   (the answer stands as it is)',
      '      longhaul reject r s0.c0 --note "WHY"   (it is mended once more)',
    ]);
  });

  it.each([
    [{ rounds: 2, passed: true, gaps: null, problem: null }, ['  review: passed in round 2']],
    [{ rounds: 0, passed: false, gaps: null, problem: null }, ['  review: none, the run ended before it']],
    [
      { rounds: 3, passed: false, gaps: '1. One.\n2. Two.', problem: null },
      [
        '  review: not passed after 3 rounds',
        '    1. One.',
        '    2. Two.',
        '  Have it mended further: longhaul fork r --say "TEXT"',
      ],
    ],
    [
      { rounds: 1, passed: false, gaps: '1. One.', problem: 'No cost left.' },
      ['  review: not passed after 1 round: No cost left.', '    1. One.'],
    ],
  ])('ends with the verdict %j', (review, lines) => {
    const [, ...rest] = shown(event({ type: 'run_completed', result: resultOf({ answer: '', review }) }));
    expect(rest).toEqual(lines);
  });

  it('ends with the value of an answer that fits its schema', () => {
    const result = resultOf({ output: { count: 3, text: 'x'.repeat(400) } });
    expect(shown(event({ type: 'run_completed', result })).at(-1)).toMatch(
      /^  output: {"count":3,"text":"x+…$/,
    );
  });

  it('says that the webhook was not told', () => {
    const failed = event({
      type: 'webhook_failed',
      code: 'WEBHOOK_FAILED',
      message: 'It said 500.',
    } as const);
    expect(shown(failed)).toEqual([
      '! the webhook was not told (decision_requested): WEBHOOK_FAILED It said 500.',
    ]);
  });

  it('tells the place of a message, and which run this one goes on from', () => {
    const taken = { type: 'message_accepted', messageId: 'm7' } as const;
    expect(shown(event({ ...taken, position: 2, by: 'Ada' }))).toEqual([
      '» message m7 taken (steer), 2 before it by Ada',
    ]);
    expect(shown(event(taken))).toEqual(['» message m7 taken (steer)']);
    expect(shown(event({ type: 'run_started', forkOf: 'old' }))[1]).toBe('goes on from old');
  });

  it('lists what tools have kept when the run ends, the first ten of it', () => {
    const artifacts = Array.from({ length: 12 }, (_, index) => ({
      callId: 's0.c0',
      id: `sha256-${index}`,
      sizeBytes: 12_345,
      ...(index === 0 && { name: 'news\u001b.txt' }),
    }));
    const lines = shown(event({ type: 'run_completed', result: resultOf({ artifacts }) })).slice(-12);
    expect(lines.slice(0, 3)).toEqual([
      '  12 artifacts, kept in full:',
      '    longhaul artifact sha256-0  news\\x1b.txt, 12.3 KB, from s0.c0',
      '    longhaul artifact sha256-1  12.3 KB, from s0.c0',
    ]);
    expect(lines.at(-1)).toBe('    and 2 more: longhaul show r --json');
  });
});

it('commands that settle a call are no more than they seem, whatever the run is called', () => {
  expect(howToSettle({ kind: 'question', callId: 's0.c0' }, 'a; rm -rf x')).toEqual([
    `longhaul answer 'a; rm -rf x' s0.c0 "TEXT"`,
  ]);
  expect(howToSettle({ kind: 'unknown_outcome', callId: 's0.c0/s1.c0' }, 'r')).toEqual([
    'longhaul approve r s0.c0/s1.c0   (runs it again)',
    'longhaul answer r s0.c0/s1.c0 "TEXT"   (what came of it)',
    'longhaul reject r s0.c0/s1.c0 --note "WHY"   (stays unknown)',
  ]);
});
