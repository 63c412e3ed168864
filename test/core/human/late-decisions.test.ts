import { view } from '../../../src/core/view.js';
import { callOf, eventsOf, gatedCall, lastOf, modelCalls, refusal, running } from '../support/run.js';

describe('a decision that comes too late', () => {
  it('in the step in which the run lands is told that the call is not pending', () => {
    const shell = modelCalls(running(), gatedCall()).control('stop');
    expect(refusal(shell.control('approve', { callId: 's0.c0' }))).toBe('CALL_NOT_PENDING');
  });

  it('is refused in a run that is being cancelled', () => {
    const shell = modelCalls(running(), callOf(), gatedCall()).deliver({ type: 'cancel_requested' });
    expect(eventsOf(shell.control('approve', { callId: 's0.c1' }).events, 'decision_made')).toEqual([]);
  });

  it('no question is pending in a run that is being cancelled', () => {
    const shell = modelCalls(
      running(),
      callOf(),
      gatedCall({ control: { kind: 'ask', question: 'Which?' } }),
    ).deliver({ type: 'cancel_requested' });
    shell.control('approve', { callId: 's0.c1' });
    expect(view(shell.state).pending.length).toBe(0);
  });
});

it('tells who edited arguments that they came to nothing when the run lands before they are checked', () => {
  const shell = modelCalls(running(), gatedCall());
  shell.control('decide', { decision: 'approve', args: { n: 2 } }).control('stop');
  expect(lastOf(shell, 'control_rejected')).toMatchObject({ code: 'CALL_NOT_PENDING', callId: 's0.c0' });
});
