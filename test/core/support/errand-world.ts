import type { ChildReport, ChildState } from '../../../src/core/agents/child-run.js';
import type { JsonObject } from '../../../src/core/json.js';
import { ALREADY_STARTED, type Outcome } from '../../../src/core/outcomes.js';
import type { AccountSpend, DecidedNote, PendingItem, RunResult, Spend } from '../../../src/core/progress.js';
import type { Relayed } from '../../../src/core/human/relays.js';
import type { CheckDecisionInput, DecisionVerdict } from '../../../src/core/human/statement.js';
import type { Dice } from './dice.js';
import { someEdit } from './tool-world.js';
import { NAMES, someFailure } from './world.js';

/** What comes of checking a signature. */
export function someVerdict(dice: Dice, { args }: CheckDecisionInput): Outcome<DecisionVerdict> {
  if (dice.chance(10)) return someFailure(dice, ['SIGNATURE_INVALID', 'no code at all']);
  if (dice.chance(15)) {
    const code =
      args !== undefined && dice.chance(50) ? ('ARGS_INVALID' as const) : ('SIGNATURE_INVALID' as const);
    return { kind: 'ok', value: { ok: false, code, message: 'Not so.' } };
  }
  const edit = args !== undefined && { edit: someEdit(dice) };
  return { kind: 'ok', value: { ok: true, approver: dice.pick(NAMES), ...edit } };
}

/** What another run says to a control. */
export function someRelayed(dice: Dice): Outcome<Relayed> {
  if (dice.chance(15)) return someFailure(dice, ['TEMPORAL_UNREACHABLE', 'no code at all']);
  const code = dice.pick(['ALREADY_DECIDED', 'RUN_CLOSED', 'no code at all'] as const);
  return { kind: 'ok', value: dice.chance(30) ? { refusal: { code, message: 'Not now.' } } : {} };
}

/** What a sub-agent may have spent, within its share. */
function someSpend(dice: Dice, shareNanoUsd: number | null): Spend {
  const most = Math.min(shareNanoUsd ?? 50_000_000, 1e15);
  const costNanoUsd = dice.roll(most + 1);
  const estimatedNanoUsd = dice.chance(30) ? dice.roll(most - costNanoUsd + 1) : 0;
  const calls = 1 + dice.roll(9);
  const account: AccountSpend = { calls, costNanoUsd, estimatedNanoUsd };
  return {
    costUsd: costNanoUsd / 1e9,
    costNanoUsd,
    reservedNanoUsd: 0,
    estimatedNanoUsd,
    lostNanoUsd: 0,
    inheritedNanoUsd: 0,
    promptTokens: dice.roll(900),
    completionTokens: dice.roll(300),
    cachedTokens: 0,
    modelCalls: calls,
    lostModelCalls: dice.roll(2),
    unknownCostCalls: 0,
    byPurpose: { step: account },
    byModel: { 'maker/first': account },
  };
}

/** How a sub-agent may have ended. */
export function someResult(dice: Dice, { runId, shareNanoUsd }: ChildState): RunResult {
  const outcome = dice.pick(['done', 'done', 'limit', 'stopped', 'cancelled', 'failed'] as const);
  return {
    runId,
    outcome,
    limit: outcome === 'limit' ? 'cost' : null,
    limitsReached: outcome === 'limit' ? ['cost'] : [],
    answer: dice.pick(['The drawer is tidy.', '', 'x'.repeat(5_000)] as const),
    steps: 1 + dice.roll(5),
    spend: someSpend(dice, shareNanoUsd),
    unknownOutcomes: dice.chance(20) ? [{ callId: 's1.c0', tool: 'send' }] : [],
    artifacts: dice.chance(20) ? [{ callId: 's0.c0', id: 'a9', sizeBytes: 9 }] : [],
    shared: {},
    taintedBy: dice.chance(20) ? { callId: 's0.c1', tool: 'look' } : null,
    review: null,
    output: null,
    error: outcome === 'failed' ? { code: 'TOOL_FAILED', message: 'It broke.' } : null,
  };
}

/** How the run of a sub-agent ends for the server. */
export function someChildOutcome(dice: Dice, result: RunResult): Outcome<RunResult> {
  if (dice.chance(20)) return { kind: 'timed_out' };
  // It crosses the wire as the details of a failure.
  const details = { ...result } as unknown as JsonObject;
  if (result.outcome === 'failed')
    return { kind: 'failed', code: 'TOOL_FAILED', message: 'It broke.', retryable: false, details };
  if (result.outcome === 'cancelled') return { kind: 'cancelled' };
  if (dice.chance(10))
    return { kind: 'failed', code: ALREADY_STARTED, message: 'There is one.', retryable: false, details: {} };
  return { kind: 'ok', value: result };
}

/** A sub-agent that reports, as the run that has delegated knows it. */
export class ReportingChild {
  readonly sent: ChildReport[] = [];
  #pending: PendingItem[] = [];
  #step = 0;

  constructor(
    readonly key: string,
    readonly child: ChildState,
  ) {}

  /** The next report: something asked, something decided, or the end. One that was sent before may come again. */
  report(dice: Dice): ChildReport {
    const again = dice.pick(this.sent);
    if (again && dice.chance(25)) return again;
    const decided = this.#pending.filter(() => dice.chance(50)).map((item) => someDecided(dice, item));
    this.#pending = this.#pending.filter(({ callId }) => decided.every((one) => one.callId !== callId));
    if (dice.chance(60)) this.#pending = [...this.#pending, this.#request(dice)];
    const ends = dice.chance(25) && { result: someResult(dice, this.child) };
    const report = {
      key: this.key,
      n: (this.sent.at(-1)?.n ?? 0) + 1,
      pending: ends ? [] : this.#pending,
      decided,
      ...ends,
    };
    this.sent.push(report);
    return report;
  }

  #request(dice: Dice): PendingItem {
    const kind = dice.pick(['decision', 'question', 'unknown_outcome'] as const);
    const args = { n: dice.roll(100) };
    return {
      kind,
      callId: `s${this.#step++}.c0`,
      tool: 'send',
      args,
      argsHash: kind === 'decision' ? `sha256:${JSON.stringify(args)}` : null,
      summary: 'May I?',
      requestedAt: '2026-01-01T00:00:00.000Z',
      expiresAt: null,
    };
  }
}

function someDecided(dice: Dice, { callId, tool, kind }: PendingItem): DecidedNote {
  const decision = kind === 'question' ? ('answer' as const) : dice.pick(['approve', 'reject'] as const);
  return { callId, tool, decision, note: null, by: dice.pick(NAMES), editedArgs: null };
}

/** What anybody may send under the name of a report, and that is none. */
export function forgedReport(dice: Dice, key: string): unknown {
  const whole = { key, n: 1_000 + dice.roll(9), pending: [], decided: [] };
  return dice.pick([
    { ...whole, n: -1 },
    { ...whole, n: '7' },
    { ...whole, key: 'constructor' },
    { ...whole, key: 7 },
    { ...whole, pending: [null] },
    { ...whole, decided: 'all' },
    { ...whole, result: 'done' },
    { key, n: 1 },
    'report',
  ] as const);
}
