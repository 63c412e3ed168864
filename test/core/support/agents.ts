import type { ChildReport } from '../../../src/core/agents/child-run.js';
import type { Delegation } from '../../../src/core/outcomes.js';
import type { PendingItem, RunResult } from '../../../src/core/progress.js';
import type { RunInput } from '../../../src/core/run-input.js';
import { EMPTY_LEDGER } from '../../../src/core/money/ledger.js';
import { spendOf } from '../../../src/core/money/spend.js';
import { callOf } from './run.js';
import type { Shell } from './shell.js';

/** A call that hands a part of the work to a sub-agent. */
export function delegation(fields: Partial<Delegation> = {}) {
  return callOf({
    name: 'delegate',
    effect: 'read',
    control: { kind: 'delegate', goal: 'Tidy the drawer.', ...fields },
  });
}

/** The input of the sub-agent that is the work of this key. */
export function childInput(shell: Shell, key: string): RunInput {
  const work = shell.started.get(key);
  if (work?.kind !== 'child') throw new Error(`${key} is no sub-agent.`);
  return work.input;
}

/** How a sub-agent may have ended. */
export function resultOf(fields: Partial<RunResult> = {}, costNanoUsd = 5_000): RunResult {
  const account = { calls: 1, costNanoUsd, estimatedNanoUsd: 0 };
  const spend = { ...spendOf(EMPTY_LEDGER), costNanoUsd, costUsd: costNanoUsd / 1e9, modelCalls: 1 };
  return {
    runId: 'run-1/s0.c0',
    outcome: 'done',
    limit: null,
    limitsReached: [],
    answer: 'The drawer is tidy.',
    steps: 1,
    spend: { ...spend, byPurpose: { step: account }, byModel: { 'maker/first': account } },
    unknownOutcomes: [],
    artifacts: [],
    shared: {},
    taintedBy: null,
    review: null,
    output: null,
    error: null,
    ...fields,
  };
}

/** What a sub-agent asks of a human. */
export function request(fields: Partial<PendingItem> = {}): PendingItem {
  return {
    kind: 'decision',
    callId: 's2.c0',
    tool: 'send',
    args: { n: 1 },
    argsHash: 'sha256:one',
    summary: 'May I?',
    requestedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: null,
    ...fields,
  };
}

/** A sub-agent reports. */
export function reports(shell: Shell, fields: Partial<ChildReport> = {}): Shell {
  const report: ChildReport = { key: 's0.c0', n: 1, pending: [], decided: [], ...fields };
  return shell.control('report', report);
}
