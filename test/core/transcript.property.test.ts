import { FIXED_ITEMS } from '../../src/core/context/compact-items.js';
import { promptItems } from '../../src/core/context/prompt-items.js';
import { EMPTY_HASH, hashItems } from '../../src/core/transcript.js';
import { holds } from './support/scenario.js';
import { problemAtEnd, problemToSend } from './support/transcript-check.js';

describe('the transcript', () => {
  it('is one that every provider takes, whenever a model is asked', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts)
        if (work.kind === 'model') {
          const { purpose, version } = work.input;
          expect(problemToSend(promptItems(purpose, state.transcript.slice(0, version)))).toBeNull();
        }
    });
  });

  it('is complete and valid when the run has ended', () => {
    holds(({ shell }) => expect(problemAtEnd(shell.state.transcript)).toBeNull());
  });

  it('is what the model activity was told by number of items and hash, and stays so while the call is under way', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts) {
        if (work.kind !== 'model') continue;
        const { purpose, version, hash } = work.input;
        if (purpose !== 'compaction') expect(version).toBe(state.transcript.length);
        expect(version).toBeLessThanOrEqual(state.transcript.length);
        expect(hash).toBe(hashItems(EMPTY_HASH, state.transcript.slice(0, version)));
      }
    });
  });

  it('only ever grows, until it is shortened, which leaves system prompt and goal as they are', () => {
    holds(({ shell }) => {
      for (const { before, after, events } of shell.applied) {
        const isShortened = events.some(({ type }) => type === 'compacted');
        const kept = isShortened ? FIXED_ITEMS : before.transcript.length;
        expect(after.transcript.slice(0, kept)).toEqual(before.transcript.slice(0, kept));
      }
    });
  });

  it('has one result for each call that a step asked for, but for those of the beginning that were left out', () => {
    holds(({ shell, asked }) => {
      const results = shell.state.transcript.flatMap((item) => (item.role === 'tool' ? [item.callId] : []));
      const wanted = shell.events.flatMap((event) =>
        event.type === 'model_completed' ? event.calls.map(({ callId }) => asked.get(callId)?.id) : [],
      );
      const isShortened = shell.state.compaction.count > 0;
      expect(results).toEqual(wanted.slice(isShortened ? wanted.length - results.length : 0));
    });
  });
});
