import { COMPACTION, LOOP } from '../../src/core/behaviour.js';
import { FIXED_ITEMS } from '../../src/core/context/compact-items.js';
import { chargedNanoUsd } from '../../src/core/money/ledger.js';
import { ceilingNanoUsd } from '../../src/core/money/quote.js';
import type { RunEvent } from '../../src/core/events.js';
import { eventsOf } from './support/run.js';
import { promptItems } from '../../src/core/context/prompt-items.js';
import { holdsForLong as holds } from './support/scenario.js';
import { problemAtEnd, problemToSend } from './support/transcript-check.js';

describe('a run that is watched over', () => {
  it('asks for nothing that a provider would refuse, and leaves a transcript that is whole', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts) {
        if (work.kind !== 'model') continue;
        const { purpose, version } = work.input;
        expect(problemToSend(promptItems(purpose, state.transcript.slice(0, version)))).toBeNull();
      }
      expect(problemAtEnd(shell.state.transcript)).toBeNull();
    });
  });

  it('comes to an end, with nothing under way', () => {
    holds(({ shell }) => {
      expect(shell.state.phase).toBe('closed');
      const isEndedOutside = shell.applied.some(({ input }) => input.type === 'ended_outside');
      const open = [...shell.started.values()].filter(({ kind }) => kind === 'model' || kind === 'tool');
      if (!isEndedOutside) expect(open).toEqual([]);
    });
  });

  it('goes beyond no ceiling on cost', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts) {
        const ceiling = ceilingNanoUsd(state);
        if (work.kind === 'model' && ceiling !== null)
          expect(chargedNanoUsd(state.ledger)).toBeLessThanOrEqual(ceiling);
      }
    });
  });

  it('has its conversation shortened no more than twice before a step: by itself, and because a server refuses it', () => {
    holds(({ shell }) => {
      const steps = eventsOf(shell.events, 'compacted').map(({ step }) => step);
      for (const step of steps) expect(steps.filter((one) => one === step).length).toBeLessThanOrEqual(2);
      expect(shell.state.compaction.steps.length).toBeLessThanOrEqual(COMPACTION.inARow);
    });
  });

  it('has a conversation that is shorter once it was shortened', () => {
    holds(({ shell }) => {
      for (const { tokensBefore, tokensAfter } of eventsOf(shell.events, 'compacted'))
        expect(tokensAfter).toBeLessThanOrEqual(tokensBefore);
    });
  });

  it('keeps system prompt and goal to its end', () => {
    holds(({ shell }) => {
      const beginning = shell.moments[0]?.state.transcript.slice(0, FIXED_ITEMS);
      for (const { state } of shell.moments)
        expect(state.transcript.slice(0, FIXED_ITEMS)).toEqual(beginning);
    });
  });

  it('pays for summaries as for any other call, and books them as what they are', () => {
    holds(({ shell }) => {
      const answered = eventsOf(shell.events, 'model_completed').filter(
        ({ purpose }) => purpose === 'compaction',
      );
      const { calls = 0 } = shell.state.ledger.byPurpose.compaction ?? {};
      expect(calls).toBeGreaterThanOrEqual(answered.filter(({ cached }) => !cached).length);
      for (const { work, state } of shell.starts)
        if (work.kind === 'model' && work.input.purpose === 'compaction')
          expect(state.ledger.charges).toContainEqual(
            expect.objectContaining({ id: work.key, purpose: 'compaction' }),
          );
    });
  });

  it('climbs the ladder rung by rung, and lands on the last', () => {
    holds(({ shell }) => {
      const order = Object.keys(LOOP.rungs);
      let below = -1;
      for (const event of shell.events) {
        if (event.type !== 'loop_detected') continue;
        const rung = order.indexOf(event.rung);
        // Where nobody is to be asked, that rung is passed over; and from the first one on it may begin anew.
        expect(rung <= 0 || rung > below).toBe(true);
        below = rung;
        if (event.rung === 'land') expect(landingAfter(shell.events, event)).toMatchObject({ limit: 'loop' });
      }
      expect(shell.state.loop.seen.length).toBeLessThanOrEqual(LOOP.window);
    });
  });

  it('has a human asked about what it repeats only where humans are asked', () => {
    holds(({ shell }) => {
      if (shell.state.input.requireApproval !== 'never') return;
      expect(eventsOf(shell.events, 'loop_detected').filter(({ rung }) => rung === 'ask')).toEqual([]);
    });
  });

  it('asks each model that it has, and no other', () => {
    holds(({ shell }) => {
      for (const { work, state } of shell.starts)
        if (work.kind === 'model')
          expect([state.prepared?.model, ...(state.prepared?.models ?? [])]).toContain(work.input.model);
    });
  });
});

function landingAfter(events: readonly RunEvent[], { seq }: RunEvent): RunEvent | undefined {
  return events.find((event) => event.type === 'landing_started' && event.seq > seq);
}
