import { view } from '../../src/core/view.js';
import { takeSnapshot } from '../../src/core/snapshot.js';
import type { RunState } from '../../src/core/state.js';
import {
  callOf,
  gatedCall,
  limited,
  modelAnswers,
  modelCalls,
  modelSettles,
  toolAnswers,
} from './support/run.js';
import { Shell } from './support/shell.js';
import { preparedWith } from './support/world.js';
import { NO_LIMITS, type Limits } from '../../src/core/run-input.js';

/** A run that goes on from another one, prepared with these ceilings. */
function forkOf(
  past: RunState,
  { limits = {}, say }: { limits?: Partial<Limits>; say?: string } = {},
): Shell {
  const fork = {
    of: past.runId,
    snapshot: JSON.parse(JSON.stringify(takeSnapshot(past))),
    ...(say && { say }),
  };
  const shell = new Shell({ goal: 'Tidy up.', fork });
  const prepared = preparedWith({ limits: { ...NO_LIMITS, ...limits } });
  return shell.deliver(shell.settlementOf('prepare', 'prepare', { kind: 'ok', value: prepared }));
}

/** A run of two steps that has spent a thousandth of a dollar on each, and is done. */
function ended(): Shell {
  const shell = limited({});
  modelCalls(shell, callOf());
  toolAnswers(shell, 's0.c0');
  return modelAnswers(shell, { text: 'Done.', costNanoUsd: 1_000_000 });
}

describe('a run that goes on from another one', () => {
  it('has its transcript, and hears that it may go on, or what was said', () => {
    const past = ended().state;
    const [plain, told] = [forkOf(past), forkOf(past, { say: 'Now the attic.' })];
    expect(plain.state.transcript.slice(0, -1)).toEqual(past.transcript);
    expect(plain.state.transcript.at(-1)).toMatchObject({
      role: 'user',
      content: expect.stringContaining('Go on'),
    });
    expect(told.state.transcript.at(-1)).toEqual({ role: 'user', content: 'Now the attic.' });
  });

  it('counts on from the steps and the money of the other one', () => {
    const past = ended().state;
    const shell = forkOf(past, { limits: { maxSteps: 3 } });
    expect(shell.started.has('s2.m0')).toBe(true);
    const { spend } = view(shell.state);
    expect(spend.costNanoUsd).toBe(view(past).spend.costNanoUsd);
    expect(spend.inheritedNanoUsd).toBe(spend.costNanoUsd);
    modelCalls(shell, callOf());
    expect(shell.state.landing).toMatchObject({ limit: 'steps' });
  });

  it('shares one ceiling on cost with the other one, however often it is taken up again', () => {
    const first = ended();
    const maxCostUsd = 0.05;
    let past = first.state;
    for (let again = 0; again < 3; again += 1) {
      const shell = forkOf(past, { limits: { maxCostUsd } });
      const { costNanoUsd, reservedNanoUsd, estimatedNanoUsd } = view(shell.state).spend;
      expect(costNanoUsd + reservedNanoUsd + estimatedNanoUsd).toBeLessThanOrEqual(maxCostUsd * 1e9);
      modelAnswers(shell, { text: 'More.', costNanoUsd: 10_000_000 });
      past = shell.state;
    }
    expect(view(past).spend.costNanoUsd).toBe(view(first.state).spend.costNanoUsd + 30_000_000);
    expect(forkOf(past, { limits: { maxCostUsd: 0.03 } }).state.result).toMatchObject({
      outcome: 'limit',
      limit: 'cost',
    });
  });

  it('gives calls that were still open a result', () => {
    const shell = limited({});
    modelCalls(shell, gatedCall(), callOf({ effect: 'read' }));
    toolAnswers(shell, 's0.c1', 'Seen.');
    const results = forkOf(shell.state).state.transcript.flatMap((item) =>
      item.role === 'tool' ? [item.content] : [],
    );
    expect(results).toEqual([expect.stringContaining('"status":"cancelled"'), 'Seen.']);
    expect(results[0]).toContain('taken up again before the call had ended');
  });

  it('pays for nothing that is under way in the other one, and asks on what that could not find out', () => {
    const shell = limited({});
    modelSettles(shell, { kind: 'timed_out', details: { sent: true, generationId: 'gen-1' } });
    const before = view(shell.state).spend;
    expect(before.reservedNanoUsd).toBeGreaterThan(0);
    const fork = forkOf(shell.state);
    expect(view(fork.state).spend).toMatchObject({
      estimatedNanoUsd: before.estimatedNanoUsd,
      inheritedNanoUsd: before.estimatedNanoUsd,
    });
    const [key] = [...fork.started.keys()].filter((one) => one.startsWith('g'));
    const found = [{ generationId: 'gen-1', costNanoUsd: 500, promptTokens: 3, completionTokens: 4 }];
    fork.deliver(fork.settlementOf(key ?? '', 'reconcile', { kind: 'ok', value: { found } }));
    expect(view(fork.state).spend).toMatchObject({
      costNanoUsd: 500,
      estimatedNanoUsd: 0,
      inheritedNanoUsd: 500,
    });
  });

  it('does not ask for a lost call whose generation nobody knows', () => {
    const shell = limited({});
    modelSettles(shell, { kind: 'timed_out', details: { sent: true } });
    const fork = forkOf(shell.state);
    expect(view(fork.state).spend.estimatedNanoUsd).toBe(view(shell.state).spend.estimatedNanoUsd);
    expect([...fork.started.keys()].filter((key) => key.startsWith('g'))).toEqual([]);
  });

  it('begins with the step that the other one never finished', () => {
    const fork = forkOf(limited({}).state);
    expect([...fork.started.keys()]).toEqual(['s0.m0']);
  });

  it('hears that it may go on where nothing is said', () => {
    const said = forkOf(ended().state, { say: ' \n' }).state.transcript.at(-1);
    expect(said).toEqual(forkOf(ended().state).state.transcript.at(-1));
  });

  it('goes on from a run of no name where none is given', () => {
    const snapshot = JSON.parse(JSON.stringify(takeSnapshot(ended().state)));
    expect(new Shell({ goal: 'Tidy up.', fork: { of: 7, snapshot } }).state.forkOf).toBeNull();
  });

  it('says which run it goes on from', () => {
    expect(forkOf(ended().state).events[0]).toMatchObject({ type: 'run_started', forkOf: 'run-1' });
  });
});
