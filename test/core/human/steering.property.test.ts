import fc from 'fast-check';
import { startState } from '../../../src/core/start.js';
import { takeSnapshot } from '../../../src/core/snapshot.js';
import { eventsOf, running } from '../support/run.js';
import { LIVES } from '../support/scenario.js';
import { START_MS } from '../support/shell.js';
import { moves, SteeredRun } from '../support/steered-run.js';

/** Holds `check` against many lives, as they stand after their last move. */
function holds(check: (run: SteeredRun) => void): void {
  fc.assert(
    fc.property(moves, (life) => check(new SteeredRun(life))),
    { numRuns: LIVES },
  );
}

const isOpen = ({ shell }: SteeredRun) => !['settling', 'closed'].includes(shell.state.phase);
const textsOf = (messages: readonly { text: string }[]) => messages.map(({ text }) => text);

describe('a message that a run has accepted', () => {
  it('is heard once or waits, and is neither lost nor doubled, as long as the run goes on', () => {
    holds((run) => {
      const known = [...run.heard(), ...run.waiting];
      expect(new Set(known).size).toBe(known.length);
      if (isOpen(run)) expect(new Set(known)).toEqual(new Set(textsOf(run.accepted)));
    });
  });

  it('is heard, or is still there as one that nobody has heard, when the run has ended', () => {
    holds((run) => {
      run.finish();
      const known = [...run.heard(), ...run.waiting];
      expect(known).toHaveLength(run.accepted.length);
      expect(new Set(known)).toEqual(new Set(textsOf(run.accepted)));
    });
  });

  it('is heard after those of its mode that came before it, and steering ones are heard in the order in which they came', () => {
    holds((run) => {
      const { accepted } = run.finish();
      for (const isQueued of [true, false]) {
        const inMode = (text: string) => (run.modeOf(text) === 'queue') === isQueued;
        const heard = run.heard().filter(inMode);
        expect(heard).toEqual(textsOf(accepted).filter(inMode).slice(0, heard.length));
      }
    });
  });

  it('is heard in the order in which all came, among those that are taken at once', () => {
    holds((run) => {
      const { shell, accepted } = run.finish();
      const order = textsOf(accepted);
      for (const { before, after } of shell.applied) {
        const taken = run.heard(after.transcript.slice(before.transcript.length));
        expect(taken).toEqual(order.filter((text) => taken.includes(text)));
      }
    });
  });

  it('is in the next request to the model, unless it is queued', () => {
    holds((run) => {
      const { shell } = run.finish();
      for (const { work, state } of shell.starts)
        if (work.kind === 'model')
          expect(state.queue.filter(({ mode }) => mode !== 'queue' || state.landing)).toEqual([]);
    });
  });

  it('is not heard before the run would have ended, when it is queued', () => {
    holds((run) => {
      for (const { before, after } of run.finish().shell.applied) {
        const taken = run.heard(after.transcript.slice(before.transcript.length));
        if (!taken.some((text) => run.modeOf(text) === 'queue') || after.landing) continue;
        const said = after.transcript.filter(({ role }) => role !== 'user').at(-1);
        expect(said).toMatchObject({ role: 'assistant', content: expect.stringContaining('Answer') });
      }
    });
  });

  it('calls the answer under way off when it interrupts, and only then', () => {
    holds(({ shell }) => {
      for (const { input, before, after } of shell.applied) {
        const { call } = before.model;
        const isSaid =
          input.type === 'control' && input.name === 'say' && after.queue.length > before.queue.length;
        if (!isSaid || call?.status !== 'running' || after.model.call?.key !== call.key) continue;
        const interrupts = after.queue.at(-1)?.mode === 'interrupt';
        expect(after.model.call.status).toBe(interrupts && !after.pause ? 'cancelling' : 'running');
      }
    });
  });
});

describe('a message id', () => {
  it('names one message, and sent again changes nothing', () => {
    holds(({ shell }) => {
      const ids = eventsOf(shell.events, 'message_accepted').map(({ messageId }) => messageId);
      expect(new Set(ids).size).toBe(ids.length);
      const known = new Set<unknown>();
      for (const { input, events } of shell.applied) {
        if (input.type === 'control' && known.has(Object(input.payload).messageId))
          expect(events).toEqual([]);
        for (const { messageId } of eventsOf(events, 'message_accepted')) known.add(messageId);
      }
    });
  });

  it('of a human is never taken for one that the run has given itself', () => {
    const shell = running();
    const names = Array.from({ length: 20 }, (_, n) => `m${n}`);
    for (const name of names)
      shell
        .control('say', { text: `unnamed, before ${name}` })
        .control('say', { text: name, messageId: name });
    expect(textsOf(shell.state.queue).filter((text) => names.includes(text))).toEqual(names);
  });

  it('that is empty is none', () => {
    const shell = running();
    for (const text of ['A.', 'B.']) shell.control('say', { text, messageId: '' });
    expect(textsOf(shell.state.queue)).toEqual(['A.', 'B.']);
  });
});

describe('a paused run', () => {
  it('starts no call of a model or a tool', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts)
        if (work.kind === 'model' || work.kind === 'tool') expect(state.pause).toBeNull();
    });
  });
});

describe('a fork', () => {
  it('of a run at any moment has heard what that had heard, once, and still has to hear what waited there', () => {
    holds((run) => {
      const { shell } = run;
      const snapshot = JSON.parse(JSON.stringify(takeSnapshot(shell.state)));
      const input = { goal: 'Tidy up.', fork: { of: 'run-1', snapshot, say: 'Go on.' } };
      const forked = startState(input, { runId: 'run-2', firstRunId: 'first-2', atMs: START_MS });
      expect(run.heard(forked.transcript)).toEqual(run.heard());
      expect(textsOf(forked.queue)).toEqual(run.waiting);
    });
  });
});
