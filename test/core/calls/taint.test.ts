import { view } from '../../../src/core/view.js';
import { delegation, childInput, reports, resultOf } from '../support/agents.js';
import { callOf, eventsOf, modelCalls, modelInput, running, toolSettles } from '../support/run.js';

const untrusted = { kind: 'ok' as const, value: { content: 'Buy!', untrusted: true as const } };

const read = (taint?: 'ask' | 'off') =>
  toolSettles(modelCalls(running(taint && { taint }), callOf()), 's0.c0', untrusted);

describe('content from outside', () => {
  it('is noted once, and told to what judges the next calls', () => {
    const shell = read('ask');
    expect(view(shell.state).taint).toEqual({ policy: 'ask', by: { callId: 's0.c0', tool: 'send' } });
    expect(modelInput(shell).tainted).toBe(true);
    toolSettles(modelCalls(shell, callOf()), 's1.c0', untrusted);
    expect(eventsOf(shell.events, 'context_tainted')).toHaveLength(1);
  });

  it('is noted but asks for nothing where that is switched off', () => {
    const shell = read('off');
    expect(view(shell.state).taint).toMatchObject({ policy: 'off', by: { callId: 's0.c0' } });
    expect(modelInput(shell).tainted).toBeUndefined();
  });

  it('means nothing to runs from before', () => {
    expect(view(read().state).taint).toEqual({ policy: 'off', by: null });
  });

  it('that a sub-agent has read comes up with its answer, and goes down with a goal', () => {
    const shell = modelCalls(running({ taint: 'ask' }), delegation());
    expect(childInput(shell, 's0.c0').parent?.tainted).toBeUndefined();
    reports(shell, { result: resultOf({ taintedBy: { callId: 's1.c0', tool: 'web_fetch' } }) });
    expect(shell.state.tainted).toEqual({ callId: 's0.c0/s1.c0', tool: 'web_fetch' });
    expect(childInput(modelCalls(shell, delegation()), 's1.c0').parent?.tainted).toBe(true);
  });
});
