import { EMPTY_HASH, hashItems } from '../../src/core/transcript.js';
import { holds } from './support/scenario.js';
import { problemAtEnd, problemToSend } from './support/transcript-check.js';

describe('the transcript', () => {
  it('is one that every provider takes, whenever a model is asked', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts)
        if (work.kind === 'model') expect(problemToSend(state.transcript)).toBeNull();
    });
  });

  it('is complete and valid when the run has ended', () => {
    holds(({ shell }) => expect(problemAtEnd(shell.state.transcript)).toBeNull());
  });

  it('is what the model activity was told by number of items and hash, and stays so while the call is under way', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts) {
        if (work.kind !== 'model') continue;
        expect(work.input.version).toBe(state.transcript.length);
        expect(work.input.hash).toBe(hashItems(EMPTY_HASH, state.transcript));
      }
    });
  });

  it('only ever grows', () => {
    holds(({ shell }) => {
      for (const { before, after } of shell.applied)
        expect(after.transcript.slice(0, before.transcript.length)).toEqual(before.transcript);
    });
  });

  it('has one result for each call that a step asked for', () => {
    holds(({ shell, asked }) => {
      const results = shell.state.transcript.flatMap((item) => (item.role === 'tool' ? [item.callId] : []));
      const wanted = shell.events.flatMap((event) =>
        event.type === 'model_completed' ? event.calls.map(({ callId }) => asked.get(callId)?.id) : [],
      );
      expect(results).toEqual(wanted);
    });
  });
});
