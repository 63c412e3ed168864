import fc from 'fast-check';
import { DeltaGate } from '../../src/cli/delta-gate.js';
import { LiveView } from '../../src/cli/live-view.js';
import { createStyle } from '../../src/cli/style.js';
import { event, resultOf, reset, SPEND, textDelta } from './support.js';

const plain = createStyle(false);
const newView = () => new LiveView(plain, { showCommands: true });
const started = event({ type: 'step_started' });
const completed = (text: string, spentNanoUsd = 1_000_000) =>
  event({ type: 'model_completed', text, spentNanoUsd });

/** The lines between the title of the step and its usage. */
function wordsIn(shown: string): string {
  const lines = shown.split('\n').slice(1);
  return lines
    .slice(
      0,
      lines.findIndex((line) => line.includes(' in · ')),
    )
    .join('\n');
}

describe('the live view', () => {
  it('completes what was shown live, without doubling it', () => {
    const view = newView();
    const shown =
      view.event(started) +
      view.delta(textDelta('Hello ', 0)) +
      view.delta(textDelta('wor', 6)) +
      view.event(completed('Hello world.\nBye.'));
    expect(wordsIn(shown)).toBe('  Hello world.\n  Bye.');
  });

  it('holds back what comes after a gap until the whole text is there', () => {
    const view = newView();
    const shown =
      view.event(started) +
      view.delta(textDelta('late', 900)) +
      view.delta(textDelta('r', 904)) +
      view.event(completed('The whole.'));
    expect(wordsIn(shown)).toBe(
      '  (joined in the middle of an answer; it follows when it is complete)\n  The whole.',
    );
  });

  it('says that revoked text does not count, and shows the new one from its start', () => {
    const view = newView();
    const shown =
      view.event(started) +
      view.delta(textDelta('Wrong', 0)) +
      view.delta(reset()) +
      view.delta(textDelta('Right', 0)) +
      view.event(completed('Right!'));
    expect(wordsIn(shown)).toBe('  Wrong\n  (revoked: the call is made again)\n  Right!');
  });

  it('shows the whole text when another one was shown live', () => {
    const view = newView();
    const shown = view.event(started) + view.delta(textDelta('Wrong', 0)) + view.event(completed('Right!'));
    expect(wordsIn(shown)).toBe('  Wrong\n  (what was shown is not what was said in the end)\n  Right!');
  });

  it('shows exactly the model’s words, however they are cut into pieces', () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '😀'), minLength: 1 }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(pieces, fc.nat(8), (parts, known) => {
        const view = newView();
        const text = `x${parts.join('')}y`;
        let offset = 0;
        let shown = view.event(started);
        for (const part of ['x', ...parts].slice(0, known)) {
          for (const half of [part.slice(0, 1), part.slice(1)].filter(Boolean)) {
            shown += view.delta(textDelta(half, offset));
            offset += half.length;
          }
        }
        shown += view.event(completed(text));
        const expected = text
          .split('\n')
          .map((line) => (line === '' ? '' : `  ${line}`))
          .join('\n');
        expect(wordsIn(shown)).toBe(expected);
      }),
    );
  });

  it('does not print an answer again that was just shown, and prints any other', () => {
    const view = newView();
    view.event(started);
    view.event(completed('the answer'));
    expect(view.event(event({ type: 'run_completed' }))).not.toContain('the answer');
    expect(
      newView().event(event({ type: 'run_completed', result: resultOf({ answer: 'put together' }) })),
    ).toContain('  put together');
  });

  it('ends a line that is under way before anything else', () => {
    const view = newView();
    view.event(started);
    view.delta(textDelta('half a line', 0));
    expect(view.event(event({ type: 'run_paused' }))).toBe('\n» paused\n');
    expect(view.event(completed('half a line', 2_000_000))).toContain('$0.002000 so far');
  });

  it('holds what was spent against the ceiling in force', () => {
    const view = newView();
    const limits = { maxCostUsd: 0.01, maxSteps: null, maxTokens: null, maxDurationMs: null };
    const usage = (shown: string) => shown.trimEnd().split(' · ').at(-1);
    view.event(event({ type: 'run_started', limits }));
    expect(usage(view.event(completed('one')))).toBe('$0.001000 of $0.0100 (10 %) so far');
    view.event(event({ type: 'limits_changed', limits: { ...limits, maxCostUsd: 0.02 } }));
    expect(usage(view.event(completed('two', 2_000_000)))).toBe('$0.002000 of $0.0200 (10 %) so far');
    const spend = { ...SPEND, costUsd: 0.003, costNanoUsd: 3_000_000 };
    expect(view.event(event({ type: 'run_completed', result: resultOf({ spend }) }))).toContain(
      '$0.003000 of $0.0200 (15 %)',
    );
  });

  it('shows what the run was charged so far, as each event says it', () => {
    const view = newView();
    const usage = (shown: string) => shown.trimEnd().split(' · ').at(-1);
    view.event(event({ type: 'model_failed', message: 'No.', spentNanoUsd: 9_000_000 }));
    expect(usage(view.event(completed('x', 10_000_000)))).toBe('$0.0100 so far');
    view.event(event({ type: 'cost_reconciled', estimatedNanoUsd: 9_000_000, spentNanoUsd: 3_000_000 }));
    expect(usage(view.event(completed('y', 4_000_000)))).toBe('$0.004000 so far');
  });

  it('counts a call of which neither cost nor price is known apart, until the server says what it cost', () => {
    const view = newView();
    const usage = (shown: string) => shown.trimEnd().split(' · ').at(-1);
    view.event(event({ type: 'model_completed', costNanoUsd: null, spentNanoUsd: 0 }));
    expect(usage(view.event(completed('x', 1_000_000)))).toBe('$0.001000 + 1 call of unknown cost so far');
    view.event(event({ type: 'cost_reconciled', estimatedNanoUsd: null, spentNanoUsd: 1_500_000 }));
    expect(usage(view.event(completed('y', 2_500_000)))).toBe('$0.002500 so far');
  });

  it.each([
    [null, 'MODEL_UNAVAILABLE, attempt 2 with m'],
    ['2026-01-01T00:00:00.000Z', 'MODEL_UNAVAILABLE, attempt 2 with m; the next one at once'],
    ['2026-01-01T00:00:02.100Z', 'MODEL_UNAVAILABLE, attempt 2 with m; the next one in 2 s'],
    ['2026-01-01T00:05:00.000Z', 'MODEL_UNAVAILABLE, attempt 2 with m; the next one in 5 min'],
  ])('says when a failed attempt is followed by the next one (%s)', (retryAt, words) => {
    const failed = event({ type: 'model_failed', attempt: 2, message: 'It is down.', retryAt });
    expect(newView().event(failed)).toBe(`  ! It is down.\n    ${words}\n`);
  });

  it.each([
    ['cost', 415_000_000, 500_000_000, '$0.4150 of $0.5000 (83 %)'],
    ['steps', 4, 5, '4 of 5 (80 %)'],
    ['tokens', 81_999, 100_000, '81,999 of 100,000 (81 %)'],
    ['duration', 2_880_000, 3_600_000, '48 min of 60 min (80 %)'],
  ] as const)('warns of the %s limit in its own unit', (limit, used, ceiling, words) => {
    expect(newView().event(event({ type: 'limit_warning', limit, used, ceiling }))).toBe(
      `! near the ${limit} limit: ${words}; the model is told to finish\n`,
    );
  });

  it('tells what a call cost after all', () => {
    const reconciled = { type: 'cost_reconciled', costNanoUsd: 829_000 } as const;
    const said = '  $ the server says that a call to m cost $0.000829';
    expect(newView().event(event({ ...reconciled, estimatedNanoUsd: 17_300_000 }))).toBe(
      `${said} (held: $0.0173)\n`,
    );
    expect(newView().event(event(reconciled))).toBe(`${said} (unknown before)\n`);
  });

  it('says once what a run failed of', () => {
    const error = { code: 'MODEL_AUTH', message: 'The key is wrong.' } as const;
    const result = resultOf({ outcome: 'failed', answer: error.message, error });
    expect(
      newView()
        .event(event({ type: 'run_completed', result }))
        .split(error.message),
    ).toHaveLength(2);
  });

  it('shows a pending call in full with the commands that settle it', () => {
    const shown = newView().event(
      event({ type: 'decision_requested', tool: 'pay', args: { usd: 5, memo: 'a\nb' } }),
    );
    expect(shown.split('\n')).toEqual([
      '  ? s0.c0 pay waits for a decision',
      '      usd: 5',
      '      memo:',
      '        | a',
      '        | b',
      '      longhaul approve r s0.c0',
      '      longhaul reject r s0.c0 --note "WHY"',
      '',
    ]);
  });

  it('says why a call did not run, out of the JSON for the model', () => {
    const content = JSON.stringify({ status: 'rejected', message: 'A human said no.', note: 'too dear' });
    expect(newView().event(event({ type: 'tool_completed', status: 'rejected', content }))).toBe(
      '  ✗ s0.c0 look rejected too dear\n',
    );
  });

  it('survives an event of a later version', () => {
    // A type that this version does not know.
    const later = { ...event({ type: 'run_resumed' }), type: 'moon_risen' } as never;
    expect(newView().event(later)).toBe('» moon_risen\n');
  });
});

describe('the gate for deltas', () => {
  it('holds deltas until their step has started and drops them when it has ended', () => {
    const gate = new DeltaGate();
    expect(gate.delta(textDelta('early', 0))).toEqual([]);
    expect(gate.event(started)).toEqual([textDelta('early', 0)]);
    expect(gate.delta(textDelta('!', 5))).toHaveLength(1);
    expect(gate.isBusy()).toBe(true);
    gate.event(completed('early!'));
    expect(gate.delta(textDelta('late', 6))).toEqual([]);
    expect(gate.isBusy()).toBe(false);
    expect(gate.event(event({ type: 'step_started', step: 1 }))).toEqual([]);
  });

  it('revokes what was shown as soon as its attempt is known to have failed, and once only', () => {
    const gate = new DeltaGate();
    const retryAt = '2026-01-01T00:00:00.000Z';
    gate.event(started);
    expect(gate.event(event({ type: 'model_failed', attempt: 1, retryAt }))).toEqual([]);
    gate.delta(textDelta('wrong', 0));
    expect(gate.event(event({ type: 'model_failed', attempt: 2, retryAt }))).toMatchObject([
      { type: 'step_reset', step: 0, attempt: 3 },
    ]);
    expect(gate.delta(reset())).toEqual([]);
    expect(gate.delta(textDelta('right', 0))).toHaveLength(1);
    expect(gate.delta(reset())).toHaveLength(1);
  });

  it.each([
    ['soon', '2026-01-01T00:01:00.000Z', true],
    ['after a long wait', '2026-01-01T00:05:00.000Z', false],
    ['never', null, false],
  ])('stays open for the next attempt when that comes %s', (_when, retryAt, isOpen) => {
    const gate = new DeltaGate();
    gate.event(started);
    gate.event(event({ type: 'model_failed', retryAt }));
    expect(gate.isBusy()).toBe(isOpen);
    expect(gate.delta(textDelta('again', 0))).toHaveLength(isOpen ? 1 : 0);
    gate.event(started);
    expect(gate.delta(textDelta('again', 0))).toHaveLength(1);
  });
});
