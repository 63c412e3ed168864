import fc from 'fast-check';
import { apply } from '../../../src/core/apply.js';
import { isPending } from '../../../src/core/calls/calls.js';
import { toNanoUsd } from '../../../src/core/money/ledger.js';
import { limitsOf } from '../../../src/core/money/limits.js';
import { work } from '../../../src/core/work.js';
import { ReviewLife } from '../support/review-life.js';
import { roundsIn } from '../support/review-world.js';
import { holdsFor, LIVES, scenarios } from '../support/scenario.js';
import type { Scenario } from '../support/simulator.js';
import { problemAtEnd, problemToSend } from '../support/transcript-check.js';

const live = (scenario: Scenario) => new ReviewLife(scenario).finish(scenario.ending);
const lives = fc.sample(scenarios, LIVES).map((scenario) => ({ scenario, life: live(scenario) }));

/** Holds `check`, which only looks, against many whole lives of runs whose answers are reviewed; one that does not pass is shrunk. */
function holds(check: (life: ReviewLife) => void): void {
  for (const { scenario, life } of lives) {
    try {
      check(life);
    } catch {
      fc.assert(
        fc.property(scenarios, (one) => check(live(one))),
        { examples: [[scenario]] },
      );
    }
  }
}

const wasEndedOutside = ({ shell }: ReviewLife) =>
  shell.applied.some(({ input }) => input.type === 'ended_outside');

describe('a run whose answers are reviewed', () => {
  it('ends, and leaves no call of a model or a tool behind', () => {
    holds((life) => {
      const { shell } = life;
      expect(shell.state.phase).toBe('closed');
      const left = [...shell.started.values()].filter(({ kind }) => kind === 'model' || kind === 'tool');
      if (!wasEndedOutside(life)) expect(left).toEqual([]);
    });
  });

  it('sends nothing that a provider would refuse', () => {
    holds(({ shell }) => {
      for (const { work: item, state } of shell.starts)
        if (item.kind === 'model' && item.input.purpose !== 'review')
          expect(problemToSend(state.transcript)).toBeNull();
      expect(problemAtEnd(shell.state.transcript)).toBeNull();
    });
  });

  it('begins no review beyond its share of the ceiling', () => {
    holds(({ shell, review }) => {
      const { budgetShare = 0.25 } = review;
      // A ceiling that is heard together with what made the review due does not bind it any more.
      for (const { before, after: state } of shell.applied) {
        const { maxCostUsd } = limitsOf(state);
        const { call } = state.model;
        if (call?.purpose !== 'review' || call.key === before.model.call?.key || maxCostUsd === null)
          continue;
        const { confirmedNanoUsd = 0, estimatedNanoUsd = 0 } = state.ledger.byPurpose.review ?? {};
        const open = state.ledger.charges.filter(({ purpose }) => purpose === 'review');
        const taken = open.reduce((sum, { nanoUsd }) => sum + (nanoUsd ?? 0), 0);
        expect(confirmedNanoUsd + estimatedNanoUsd + taken).toBeLessThanOrEqual(
          toNanoUsd(maxCostUsd) * budgetShare,
        );
      }
    });
  });

  it('says in its result what its events say', () => {
    holds((life) => {
      const { shell } = life;
      const { review } = shell.state.result ?? {};
      if (!review) return;
      const { started, completed } = roundsIn(shell);
      const last = started.at(-1);
      expect(review.rounds).toBe(last?.round);
      const end = completed.filter(({ seq }) => seq > (last?.seq ?? 0)).at(-1);
      expect(review).toMatchObject({ passed: end?.passed ?? false, gaps: end?.gaps ?? null });
      if (review.passed) expect(review.problem).toBeNull();
    });
  });

  it('passes by the last line of a verdict alone', () => {
    holds((life) => {
      const passed = roundsIn(life.shell).completed.filter((event) => event.passed).length;
      const said = [...life.verdicts.values()].filter((line) => line.trim() === '[DONE]').length;
      expect(passed).toBeLessThanOrEqual(said);
      if (life.shell.state.result?.review?.passed) expect(said).toBeGreaterThan(0);
    });
  });

  it('ends well with the very answer that was reviewed, or says why it was not, and has heard everybody', () => {
    holds(({ shell }) => {
      const { result, review, queue } = shell.state;
      if (result?.outcome !== 'done') return;
      // A session goes on after a turn without an answer, and there was nothing to review.
      const isRefused = shell.events.some(({ type }) => type === 'answer_refused');
      if (isRefused && review.rounds === 0) return;
      expect(result.answer).toBe(review.answer);
      expect(result.review).not.toBeNull();
      const { passed, gaps, problem } = result.review ?? {};
      expect(passed || gaps || problem).toBeTruthy();
      expect(queue).toEqual([]);
    });
  });

  it('goes on after each turn or round as if the state had never been written down', () => {
    holdsFor((scenario) => {
      const plain = new ReviewLife(scenario).finish(scenario.ending);
      const reloaded = new ReviewLife(scenario, { reloads: true }).finish(scenario.ending);
      expect(reloaded.shell.events).toEqual(plain.shell.events);
    }, 0.3);
  });

  it('has something under way, a timer, or a human to wait for as long as it is open', () => {
    holds(({ shell }) => {
      for (const { state, closed, started, timerAtMs } of shell.moments)
        if (!closed && started.size === 0 && timerAtMs === null)
          expect(state.pause ?? state.calls.find(isPending)).toBeTruthy();
    });
  });

  it('asks for no timer that is due already once it has heard the time', () => {
    holds(({ shell }) => {
      for (const { state, nowMs, timerAtMs } of shell.moments) {
        if (timerAtMs === null) continue;
        const atMs = Math.max(timerAtMs, nowMs);
        const next = work(apply(state, { type: 'tick', atMs }).state).find(({ kind }) => kind === 'timer');
        if (next?.kind === 'timer') expect(next.atMs).toBeGreaterThan(atMs);
      }
    });
  });

  it('reviews often enough here to show all of this', () => {
    let passed = 0;
    let asked = 0;
    let failed = 0;
    holds(({ shell }) => {
      const { review } = shell.state.result ?? {};
      passed += review?.passed ? 1 : 0;
      failed += review?.problem ? 1 : 0;
      asked += shell.events.some((event) => event.type === 'decision_requested' && event.reason === 'review')
        ? 1
        : 0;
    });
    for (const count of [passed, asked, failed]) expect(count).toBeGreaterThan(LIVES / 40);
  });
});
