import type { JsonObject } from '../../../src/core/json.js';
import type { Input } from '../../../src/core/inputs.js';
import { toolKey } from '../../../src/core/keys.js';
import type { Ledger } from '../../../src/core/money/ledger.js';
import { ALREADY_STARTED, type ModelResult, type Outcome } from '../../../src/core/outcomes.js';
import type { Spend } from '../../../src/core/progress.js';
import { spendOf } from '../../../src/core/money/spend.js';
import { eventsOf } from '../support/run.js';
import { holds } from '../support/scenario.js';
import type { Applied, Shell } from '../support/shell.js';

/** All that is charged for calls that have ended. */
function booked({ confirmedNanoUsd, estimatedNanoUsd, charges }: Ledger): number {
  const open = charges.filter(({ status }) => status === 'estimated');
  return open.reduce((sum, { nanoUsd }) => sum + (nanoUsd ?? 0), confirmedNanoUsd + estimatedNanoUsd);
}

interface Settled extends Applied {
  key: string;
  outcome: Outcome<ModelResult>;
  /** What was held for the call. */
  heldNanoUsd: number;
}

/** The applications in which a model call ended that was under way. */
function settlements({ applied }: Shell): Settled[] {
  return applied.flatMap((one) => {
    const { input, before } = one;
    if (input.type !== 'model_settled' || before.model.call?.key !== input.key) return [];
    if (['settling', 'closed'].includes(before.phase)) return [];
    const held = before.ledger.charges.find(({ id }) => id === input.key);
    return [{ ...one, key: input.key, outcome: input.outcome, heldNanoUsd: held?.nanoUsd ?? 0 }];
  });
}

/** Whether a call without an answer can have cost anything, by what it left behind. */
function mayHaveCost(outcome: Exclude<Outcome<never>, { kind: 'ok' }>): boolean {
  const details: JsonObject = outcome.details ?? {};
  if (details['unbilled'] === true) return false;
  return outcome.kind === 'failed' ? details['unsent'] !== true : details['sent'] === true;
}

/** The ledger after each application that changed it. */
function ledgers({ applied }: Shell): Ledger[] {
  return applied.flatMap(({ before, after }) => (before.ledger === after.ledger ? [] : [after.ledger]));
}

/** What became of each sub-agent that has ended: what it said that it spent, or `null` where nobody said anything. */
function endsOfAgents({ applied }: Shell): { key: string; spend: Spend | null; isLost: boolean }[] {
  return applied.flatMap(({ input, before, after }) => {
    // In the end calls are settled all the same, whatever becomes of what was under way.
    if (input.type === 'ended_outside') return [];
    return before.calls.flatMap((call) => {
      const isOver = after.calls.find(({ id }) => id === call.id)?.status ?? 'done';
      if (!call.child || call.status === 'done' || isOver !== 'done') return [];
      return [{ key: toolKey(call), ...endOf(input) }];
    });
  });
}

function endOf(input: Input): { spend: Spend | null; isLost: boolean } {
  if (input.type === 'control') return { spend: Object(Object(input.payload).result).spend, isLost: false };
  if (input.type !== 'child_settled') throw new Error(`${input.type} ends no sub-agent.`);
  const { outcome } = input;
  if (outcome.kind === 'ok') return { spend: outcome.value.spend, isLost: false };
  const { spend } = Object(outcome.details);
  const neverBegan =
    (outcome.kind === 'cancelled' && outcome.neverStarted) ||
    (outcome.kind === 'failed' && outcome.code === ALREADY_STARTED);
  return { spend: spend ?? null, isLost: spend === undefined && !neverBegan };
}

const sumOf = (accounts: object, field: string): number =>
  Object.values(accounts).reduce((sum: number, account) => sum + Number(Object(account)[field]), 0);

describe('the ledger', () => {
  it('books an answer at its cost, or at the worst case where nobody says what it cost', () => {
    holds(({ shell }) => {
      for (const { outcome, before, after, heldNanoUsd } of settlements(shell)) {
        if (outcome.kind !== 'ok' || outcome.value.cacheSourceId !== undefined) continue;
        const { costNanoUsd = heldNanoUsd, promptTokens, completionTokens } = outcome.value;
        expect(booked(after.ledger) - booked(before.ledger)).toBe(costNanoUsd);
        expect(after.ledger.promptTokens - before.ledger.promptTokens).toBe(promptTokens);
        expect(after.ledger.completionTokens - before.ledger.completionTokens).toBe(completionTokens);
        expect(after.ledger.modelCalls - before.ledger.modelCalls).toBe(1);
      }
    });
  });

  it('keeps what was held for a call without an answer, unless it certainly cost nothing', () => {
    holds(({ shell }) => {
      for (const { outcome, before, after, heldNanoUsd } of settlements(shell)) {
        if (outcome.kind === 'ok') continue;
        const kept = mayHaveCost(outcome) ? heldNanoUsd : 0;
        expect(booked(after.ledger) - booked(before.ledger)).toBe(kept);
        expect(after.ledger.lostModelCalls - before.ledger.lostModelCalls).toBe(mayHaveCost(outcome) ? 1 : 0);
      }
    });
  });

  it('pays for a generation once, however often cached answers name it', () => {
    holds(({ shell }) => {
      const twice = ledgers(shell).filter(({ charges, bookedGenerations }) => {
        const open = charges.flatMap(({ generationId }) => generationId ?? []);
        const all = [...open, ...bookedGenerations];
        return new Set(all).size !== all.length;
      });
      expect(twice).toEqual([]);
      const reconciled = eventsOf(shell.events, 'cost_reconciled').map(({ generationId }) => generationId);
      expect(new Set(reconciled).size).toBe(reconciled.length);
    });
  });

  it('confirms what answers and later reports said, and nothing else', () => {
    holds(({ shell }) => {
      const answered = eventsOf(shell.events, 'model_completed').filter(
        ({ costEstimated }) => !costEstimated,
      );
      const reported = eventsOf(shell.events, 'cost_reconciled');
      const confirmed = [...answered, ...reported].reduce((sum, event) => sum + (event.costNanoUsd ?? 0), 0);
      const theirs = endsOfAgents(shell).reduce((sum, { spend }) => sum + (spend?.costNanoUsd ?? 0), 0);
      expect(shell.state.ledger.confirmedNanoUsd).toBe(confirmed + theirs);
      expect(shell.state.ledger.byPurpose.child?.confirmedNanoUsd ?? 0).toBe(theirs);
    });
  });

  it('is whole in its parts: purposes and models sum up to all of it, in whole nano-dollars', () => {
    holds(({ shell }) => {
      const torn = ledgers(shell).filter((ledger) => {
        const { confirmedNanoUsd, estimatedNanoUsd, lostNanoUsd, modelCalls, byPurpose, byModel } = ledger;
        const isWhole = [byPurpose, byModel].every(
          (accounts) =>
            sumOf(accounts, 'calls') === modelCalls &&
            sumOf(accounts, 'confirmedNanoUsd') === confirmedNanoUsd &&
            sumOf(accounts, 'estimatedNanoUsd') === estimatedNanoUsd,
        );
        const isLostContained = lostNanoUsd <= confirmedNanoUsd + estimatedNanoUsd;
        return !isWhole || !isLostContained || !Number.isSafeInteger(booked(ledger));
      });
      expect(torn).toEqual([]);
    });
  });

  it('is shown to watchers whole: confirmed, estimated and held', () => {
    holds(({ shell }) => {
      const torn = ledgers(shell).filter((ledger) => {
        const { costNanoUsd, estimatedNanoUsd, byPurpose, byModel } = spendOf(ledger);
        const isWhole = [byPurpose, byModel].every(
          (accounts) =>
            sumOf(accounts, 'costNanoUsd') === costNanoUsd &&
            sumOf(accounts, 'estimatedNanoUsd') === estimatedNanoUsd,
        );
        return !isWhole || costNanoUsd + estimatedNanoUsd !== booked(ledger);
      });
      expect(torn).toEqual([]);
    });
  });

  it('holds money for exactly the model call or the sub-agents that are under way', () => {
    holds(({ shell }) => {
      const wrong = shell.applied.filter(({ after }) => {
        const held = after.ledger.charges.flatMap(({ status, id }) => (status === 'reserved' ? [id] : []));
        const agents = after.calls.filter(({ child, status }) => child && status !== 'done').map(toolKey);
        const awaited = after.model.call ? [after.model.call.key, ...agents] : agents;
        return held.sort().join() !== awaited.sort().join();
      });
      expect(wrong).toEqual([]);
    });
  });

  it('has every model call that was started: completed, lost, or known to have cost nothing', () => {
    holds(({ shell }) => {
      if (shell.applied.some(({ input }) => input.type === 'ended_outside')) return;
      const calls = settlements(shell).map(({ outcome }) => outcome);
      const answered = calls.filter(({ kind }) => kind === 'ok').length;
      const lost = calls.filter((outcome) => outcome.kind !== 'ok' && mayHaveCost(outcome)).length;
      expect(calls.length).toBeGreaterThanOrEqual(
        shell.starts.filter(({ work }) => work.kind === 'model').length,
      );
      const agents = endsOfAgents(shell);
      const theirs = agents.reduce((sum, { spend }) => sum + (spend?.modelCalls ?? 0), 0);
      const theirLost = agents.reduce(
        (sum, { spend, isLost }) => sum + (spend?.lostModelCalls ?? (isLost ? 1 : 0)),
        0,
      );
      expect(shell.state.ledger).toMatchObject({
        modelCalls: answered + theirs,
        lostModelCalls: lost + theirLost,
      });
    });
  });

  it('of a run that has ended awaits nothing', () => {
    holds(({ shell }) => {
      expect(shell.state.ledger.charges.filter(({ status }) => status === 'reserved')).toEqual([]);
      expect(shell.state.result?.spend).toEqual(spendOf(shell.state.ledger));
    });
  });

  it('keeps what was held for a sub-agent of which nobody says what it spent', () => {
    holds(({ shell }) => {
      for (const { before, after, input } of shell.applied) {
        if (input.type !== 'child_settled' || !endsWithoutAWord(input)) continue;
        const held = before.ledger.charges.find(
          ({ id, status }) => id === input.key && status === 'reserved',
        );
        if (held?.nanoUsd) expect(booked(after.ledger) - booked(before.ledger)).toBe(held.nanoUsd);
      }
    });
  });
});

function endsWithoutAWord(input: Input): boolean {
  return endOf(input).isLost;
}
