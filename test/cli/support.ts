import { PassThrough } from 'node:stream';
import type { CliContext, Run, Runs } from '../../src/cli/context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { createStyle } from '../../src/cli/style.js';
import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import { signStatement } from '../../src/adapters/signing/sign-statement.js';
import { checkRunInput } from '../../src/adapters/run-input.js';
import type { Delta } from '../../src/client/deltas.js';
import type { WatchedEvent } from '../../src/client/run-handle.js';
import type { Progress, RunResult, Spend } from '../../src/core/progress.js';

type EventOf<Type extends WatchedEvent['type']> = Extract<WatchedEvent, { type: Type }>;
type Fields<Type extends WatchedEvent['type']> = Partial<EventOf<Type>> & { type: Type };

const AT = '2026-01-01T00:00:00.000Z';

export const SPEND: Spend = {
  costUsd: 0.5,
  costNanoUsd: 500_000_000,
  reservedNanoUsd: 0,
  estimatedNanoUsd: 0,
  lostNanoUsd: 0,
  inheritedNanoUsd: 0,
  promptTokens: 100,
  completionTokens: 20,
  cachedTokens: 0,
  modelCalls: 2,
  lostModelCalls: 0,
  unknownCostCalls: 0,
  byPurpose: { step: { calls: 2, costNanoUsd: 500_000_000, estimatedNanoUsd: 0 } },
  byModel: { m: { calls: 2, costNanoUsd: 500_000_000, estimatedNanoUsd: 0 } },
};

export function resultOf(fields: Partial<RunResult> = {}): RunResult {
  return {
    runId: 'r',
    outcome: 'done',
    limit: null,
    limitsReached: [],
    answer: 'the answer',
    steps: 2,
    spend: SPEND,
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

export function progressOf(fields: Partial<Progress> = {}): Progress {
  return {
    runId: 'r',
    status: 'running',
    waiting: null,
    goal: 'do it',
    model: 'm',
    step: 2,
    limits: { maxCostUsd: 2.5, maxSteps: null, maxTokens: null, maxDurationMs: null },
    budget: null,
    spend: SPEND,
    settling: false,
    pending: [],
    taint: { policy: 'ask', by: null },
    standing: [],
    agents: [],
    idle: null,
    shared: {},
    review: null,
    compactions: 0,
    repeats: 0,
    queuedMessages: 0,
    lastRefused: null,
    startedAt: AT,
    closedAt: null,
    result: null,
    ...fields,
  };
}

/** An event with plain values where none are given. */
export function event<Type extends WatchedEvent['type']>(fields: Fields<Type>): WatchedEvent {
  const defaults = {
    seq: 0,
    at: AT,
    runId: 'r',
    step: 0,
    attempt: 1,
    callId: 's0.c0',
    tool: 'look',
    args: {},
    model: 'm',
    purpose: 'step',
    by: null,
    note: null,
    goal: 'do it',
    limits: { maxCostUsd: 1, maxSteps: null, maxTokens: null, maxDurationMs: null },
    warnings: [],
    calls: [],
    text: '',
    finishReason: 'stop',
    promptTokens: 100,
    completionTokens: 20,
    cachedTokens: 0,
    costNanoUsd: 1_000_000,
    costEstimated: false,
    cached: false,
    status: 'ok',
    content: 'fine',
    artifactId: null,
    kind: 'decision',
    argsHash: null,
    summary: '',
    requestedAt: AT,
    expiresAt: null,
    decision: 'approve',
    editedArgs: null,
    result: resultOf(),
    message: null,
    reason: 'asked',
    outcome: 'limit',
    limit: 'cost',
    code: 'MODEL_UNAVAILABLE',
    from: 'm',
    to: 'n',
    retryAt: null,
    used: 0,
    ceiling: 1,
    generationId: 'g',
    estimatedNanoUsd: null,
    mode: 'steer',
    messageId: 'm1',
    position: 0,
    control: 'approve',
    verdict: 'executed',
    have: 1,
    needed: 2,
    answer: 'the answer',
    idleUntil: AT,
    notice: 'decision_requested',
  };
  // Every field that any event has is there, which is more than each of them needs.
  return { ...defaults, ...fields } as unknown as WatchedEvent;
}

export function textDelta(text: string, offset: number, step = 0): Delta {
  return { type: 'text_delta', at: AT, runId: 'r', step, attempt: 1, n: 1, text, offset };
}

export function reset(step = 0): Delta {
  return { type: 'step_reset', at: AT, runId: 'r', step, attempt: 2, n: 0 };
}

const refuseCall = async (): Promise<never> => {
  throw new Error('The test does not expect this call.');
};

/** A run that only does what the test gives it. */
export function fakeRun(parts: Partial<Run>): Run {
  const names = [
    'progress',
    'record',
    'transcript',
    'pending',
    'result',
    'approve',
    'reject',
    'answer',
    'say',
    'pause',
    'resume',
    'stop',
    'setLimits',
    'cancel',
    'fork',
    'unpolledQueue',
  ];
  const base = {
    runId: 'r',
    async *events() {},
    async *deltas() {},
    ...Object.fromEntries(names.map((name) => [name, refuseCall])),
  };
  // The names above are all that a run has.
  return { ...base, ...parts } as unknown as Run;
}

/** Runs a command line against fakes. */
export async function cli(
  args: readonly string[],
  parts: { run?: Partial<Run>; runs?: Partial<Runs>; context?: Partial<CliContext> } = {},
) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const run = fakeRun(parts.run ?? {});
  const runs: Runs = {
    start: async () => Object.assign(run, { temporalRunId: 't' }),
    run: () => run,
    list: async () => [],
    close: async () => undefined,
    budgets: { set: refuseCall, show: refuseCall, list: refuseCall, release: refuseCall },
    ...parts.runs,
  };
  const context = {
    stdin: new PassThrough(),
    stdout,
    stderr,
    style: createStyle(false),
    exitCode: 0,
    userName: 'tester',
    homeDir: '/nowhere',
    signing: { generateKey: generateApproverKey, sign: signStatement },
    connect: async () => runs,
    readArtifact: async () => null,
    checkInput: checkRunInput,
    webUiUrl: () => 'http://ui',
    ...parts.context,
    // Plain streams take the place of a terminal's.
  } as unknown as CliContext;
  const code = await runCli(args, context, '1.2.3');
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
