import type { JsonObject } from '../../../src/core/json.js';
import { MAX_SHARED_CHARS } from '../../../src/core/run-input.js';
import { view } from '../../../src/core/view.js';
import { callOf, modelCalls, resultObject, running, toolSettles } from '../support/run.js';

const shares = (shell: ReturnType<typeof running>, key: string, shared: JsonObject) =>
  toolSettles(shell, key, { kind: 'ok', value: { content: 'ok', shared } });

const sharedKey = (shell: ReturnType<typeof running>, key: string) => {
  const work = shell.started.get(key);
  return work?.kind === 'tool' ? work.input.shared : undefined;
};

describe('the values that tools share', () => {
  it('begin with those of the input, and change key by key', () => {
    const shell = modelCalls(running({}, { goal: 'x', shared: { a: 1, b: 2 } }), callOf(), callOf());
    shares(shares(shell, 's0.c1', { a: 3 }), 's0.c0', { b: null, c: [4] });
    expect(view(shell.state).shared).toEqual({ a: 3, c: [4] });
  });

  it('are named to the next call by their hash, and not at all where there are none', () => {
    const shell = modelCalls(running(), callOf());
    expect(sharedKey(shell, 's0.c0')).toBeUndefined();
    modelCalls(shares(shell, 's0.c0', { a: 1 }), callOf());
    const first = sharedKey(shell, 's1.c0');
    modelCalls(shares(shell, 's1.c0', { a: 2 }), callOf());
    expect([typeof first, sharedKey(shell, 's2.c0') === first]).toEqual(['string', false]);
  });

  it('are not changed by a call that did not do what was asked', () => {
    const shell = modelCalls(running(), callOf());
    toolSettles(shell, 's0.c0', {
      kind: 'ok',
      value: { content: 'No.', status: 'failed', shared: { a: 1 } },
    });
    expect(shell.state.shared).toEqual({});
  });

  it('stay as they were when calls beside each other would fill them beyond their size', () => {
    const shell = modelCalls(running(), callOf(), callOf());
    const half = 'x'.repeat(MAX_SHARED_CHARS * 0.6);
    shares(shares(shell, 's0.c0', { a: half }), 's0.c1', { b: half });
    expect(Object.keys(shell.state.shared)).toEqual(['a']);
    expect(resultObject(shell)).toMatchObject({ status: 'failed' });
  });
});
