import { DeltaGate } from '../../src/cli/delta-gate.js';
import { event, reset, textDelta } from './support.js';

const started = event({ type: 'step_started' });
const types = (deltas: readonly { type: string }[]) => deltas.map(({ type }) => type);

/** A gate that has let the beginning of the first answer of a step pass. */
function shown(): DeltaGate {
  const gate = new DeltaGate();
  gate.event(started);
  gate.delta(textDelta('Hel', 0));
  return gate;
}

describe('the gate for deltas, when a step starts again because its answer was called off', () => {
  it('revokes what was shown, though nobody may ever see a delta of the next answer', () => {
    expect(types(shown().event(started))).toEqual(['step_reset']);
  });

  it('revokes it once, and lets the next answer pass', () => {
    const gate = shown();
    gate.event(started);
    expect(types(gate.delta(reset()))).toEqual([]);
    expect(types(gate.delta(textDelta('Bye', 0)))).toEqual(['text_delta']);
  });

  it('revokes nothing of the next answer, which may be seen before the event', () => {
    const gate = shown();
    expect(types(gate.delta(reset()))).toEqual(['step_reset']);
    expect(types(gate.delta(textDelta('Bye', 0)))).toEqual(['text_delta']);
    expect(gate.event(started)).toEqual([]);
  });

  it('lets an answer stand that was complete when the closing one of its step begins', () => {
    const gate = shown();
    gate.event(event({ type: 'model_completed' }));
    expect(gate.event(event({ type: 'step_started', purpose: 'landing' }))).toEqual([]);
  });
});
