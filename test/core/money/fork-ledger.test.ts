import { chargedNanoUsd } from '../../../src/core/money/ledger.js';
import { promptSize } from '../../../src/core/context/prompt-size.js';
import { takeSnapshot } from '../../../src/core/snapshot.js';
import {
  callOf,
  costFound,
  modelAnswers,
  modelCalls,
  modelFails,
  modelKey,
  running,
  toolAnswers,
} from '../support/run.js';
import { Shell } from '../support/shell.js';
import { preparedWith } from '../support/world.js';
import type { Prepared } from '../../../src/core/run-input.js';

/** A prepared run that goes on from where another one stands. */
function forkOf(past: Shell, prepared: Partial<Prepared> = {}): Shell {
  const snapshot = JSON.parse(JSON.stringify(takeSnapshot(past.state)));
  const shell = new Shell({ goal: 'Tidy up.', fork: { of: 'run-0', snapshot } });
  const outcome = { kind: 'ok' as const, value: preparedWith(prepared) };
  return shell.deliver(shell.settlementOf('prepare', 'prepare', outcome));
}

/** A run whose first call was lost, and then refused for good. */
function failed(): Shell {
  const shell = modelFails(running(), 'MODEL_STALLED', true, { sent: true, generationId: 'gen-1' });
  return modelFails(shell.advance(2_000), 'MODEL_AUTH', false, { unbilled: true });
}

describe('a run that goes on from where another one stood', () => {
  it('keeps what lost calls of that one may have cost apart from its own calls of the same name', () => {
    const past = failed();
    const pastNanoUsd = chargedNanoUsd(past.state.ledger);
    const shell = forkOf(past);
    expect([modelKey(shell), shell.state.ledger.inheritedNanoUsd]).toEqual(['s0.m0', pastNanoUsd]);
    modelAnswers(shell, { text: 'Done.', costNanoUsd: 1_000 });
    expect(chargedNanoUsd(shell.state.ledger)).toBe(pastNanoUsd + 1_000);
    costFound(shell, 'gen-1', 300);
    expect(shell.state.result?.spend).toMatchObject({ costNanoUsd: 1_300, estimatedNanoUsd: 0 });
  });

  it('keeps those of all runs before it apart when it is gone on from in turn', () => {
    const second = modelFails(forkOf(failed()), 'MODEL_STALLED', true, { sent: true, generationId: 'gen-2' });
    const third = forkOf(modelFails(second.advance(2_000), 'MODEL_AUTH', false, { unbilled: true }));
    const ids = third.state.ledger.charges.map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([3, 3]);
  });

  it('counts its prompt anew, for it may have other tools', () => {
    const past = toolAnswers(modelCalls(running(), callOf()), 's0.c0');
    const shell = forkOf(past, { toolsSizeBytes: 200_000 });
    expect(promptSize(shell.state).mostTokens).toBeGreaterThan(200_000);
  });
});
