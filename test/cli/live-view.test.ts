import fc from 'fast-check';
import { DeltaGate } from '../../src/cli/delta-gate.js';
import { LiveView } from '../../src/cli/live-view.js';
import { createStyle } from '../../src/cli/style.js';
import { event, resultOf, reset, textDelta } from './support.js';

const plain = createStyle(false);
const newView = () => new LiveView(plain, { showCommands: true });
const started = event({ type: 'step_started' });
const completed = (text: string) => event({ type: 'model_completed', text });

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

  it('ends a line that is under way before anything else, and adds up the cost', () => {
    const view = newView();
    view.event(started);
    view.delta(textDelta('half a line', 0));
    expect(view.event(event({ type: 'run_paused' }))).toBe('\n» paused\n');
    view.skip(completed('skipped'));
    expect(view.event(completed('half a line'))).toContain('$0.002000 so far');
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
    const later = { ...event({ type: 'run_resumed' }), type: 'review_started' } as never;
    expect(newView().event(later)).toBe('» review_started\n');
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
});
