import { readSnapshot, takeSnapshot } from '../../src/core/snapshot.js';
import { callOf, gatedCall, modelCalls, running } from './support/run.js';

describe('a snapshot', () => {
  it('is the whole state, as plain JSON', () => {
    const { state } = modelCalls(running(), callOf(), gatedCall()).control('say', {
      text: 'Hm.',
      mode: 'queue',
    });
    expect(readSnapshot(JSON.parse(JSON.stringify(takeSnapshot(state))))).toEqual(state);
  });

  it.each([
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { version: 1 },
    { version: 1, state: null },
    { version: 1, state: {} },
  ])('is not read from %j', (value) => {
    expect(readSnapshot(value)).toBeNull();
  });

  it('is not read when its version, or that of its state, is not known', () => {
    const { state } = running();
    expect(readSnapshot({ version: 2, state })).toBeNull();
    expect(readSnapshot({ version: 1, state: { ...state, version: 2 } })).toBeNull();
  });
});
