import fc from 'fast-check';
import { view } from '../../../src/core/view.js';
import { work } from '../../../src/core/work.js';
import { renderDetails } from '../../../src/workflows/details.js';
import { delegation, reports, request, resultOf } from '../support/agents.js';
import { modelCalls, running } from '../support/run.js';
import type { Shell } from '../support/shell.js';

const delegated = () => modelCalls(running(), delegation());

/** Whatever a run does after an input: show itself, plan, be stored. */
function showsItself({ state, events }: Shell): void {
  JSON.stringify([events, state, work(state)]);
  renderDetails(view(state));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
  for (const { at, runId } of events) expect([typeof Date.parse(at), runId]).toEqual(['number', 'run-1']);
}

const frame = { seq: 3, type: 'run_completed', at: 'never', runId: 'other', step: 'no' };

describe('what anybody may send as a report', () => {
  it.each([
    ['a result that is none', { result: {} }],
    ['a result without accounts', { result: { spend: { costNanoUsd: 1 }, outcome: 'done', answer: '' } }],
    [
      'a result with amounts that are none',
      { result: resultOf({ spend: { ...resultOf().spend, costNanoUsd: -5 } }) },
    ],
    [
      'a result with accounts of nothing',
      { result: { ...resultOf(), spend: { ...resultOf().spend, byModel: { m: null } } } },
    ],
    ['a result with outcomes of nothing', { result: { ...resultOf(), unknownOutcomes: [null] } }],
    ['a result with an end that is none', { result: { ...resultOf(), outcome: 'won' } }],
    ['a request of nothing', { pending: [{}] }],
    ['a request that numbers events', { pending: [{ ...request(), ...frame }] }],
    ['a decision that numbers events', { decided: [{ ...request(), decision: 'approve', ...frame }] }],
    ['a decision of nothing', { decided: [{}] }],
    ['a count that is none', { n: 0.5 }],
  ])('is refused, and changes nothing: %s', (_, fields) => {
    const shell = delegated();
    const { calls, ledger } = shell.state;
    // What comes over the wire may be anything.
    reports(shell, fields as object);
    showsItself(shell);
    expect(shell.events.at(-1)).toMatchObject({
      type: 'control_rejected',
      control: 'report',
      code: 'INPUT_INVALID',
    });
    expect([shell.state.calls, shell.state.ledger]).toEqual([calls, ledger]);
  });

  it('of any shape makes nothing throw, and breaks no event', () => {
    const spoiled = <T extends object>(whole: T) =>
      fc
        .tuple(fc.constantFrom(...Object.keys(whole)), fc.oneof(fc.jsonValue(), fc.constant(undefined)))
        .map(([key, value]) => ({ ...whole, [key]: value }));
    const note = {
      callId: 's2.c0',
      tool: 'send',
      decision: 'approve',
      note: null,
      by: null,
      editedArgs: null,
    };
    const parts = fc.record(
      {
        key: fc.constantFrom<unknown>('s0.c0', 's0.c1', null),
        n: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
        pending: fc.oneof(fc.array(fc.oneof(spoiled(request()), fc.constant(request()))), fc.jsonValue()),
        decided: fc.oneof(fc.array(fc.oneof(spoiled(note), fc.constant(note))), fc.jsonValue()),
        result: fc.oneof(
          spoiled(resultOf()),
          spoiled(resultOf().spend).map((spend) => ({ ...resultOf(), spend })),
          fc.jsonValue(),
        ),
      },
      { requiredKeys: ['key'] },
    );
    fc.assert(
      fc.property(parts, (payload) =>
        showsItself(delegated().control('report', { n: 1, pending: [], decided: [], ...payload })),
      ),
      { numRuns: 500 },
    );
  });
});
