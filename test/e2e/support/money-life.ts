import { setTimeout as delay } from 'node:timers/promises';
import type { RunHandle } from '../../../src/client/run-handle.js';
import { isAgentError } from '../../../src/core/errors.js';
import { toNanoUsd } from '../../../src/core/money/ledger.js';
import type { RunResult } from '../../../src/core/progress.js';
import type { LimitsInput, RunInput } from '../../../src/core/run-input.js';
import type { Fault } from '../../../src/testing/stand-in/faults.js';
import type { StandInModel } from '../../../src/testing/stand-in/models.js';
import type { Script } from '../../../src/testing/stand-in/script.js';
import { Dice } from '../../core/support/dice.js';
import type { World } from '../../support/run-support.js';
import { storyOf } from './money-bill.js';
import { seedOf } from './random-life.js';

/** Time-outs short enough for hanging servers to be part of a life. */
export const MONEY_ENV = {
  LONGHAUL_CONTINUE_AS_NEW_EVENTS: '60',
  LONGHAUL_STALL_TIMEOUT_MS: '1500',
  LONGHAUL_FIRST_CONTENT_TIMEOUT_MS: '3000',
} as const;

/** Of providers that stop when the client hangs up, and of one that does not. */
const GOES_ON = 'stand-in/three';
const MODEL_IDS = ['stand-in/one', 'anthropic/two', GOES_ON, 'openai/four', 'stand-in/five'] as const;

/** Models at random prices. None is free, so that doubt always shows as an estimate. */
export function randomModels(dice: Dice): StandInModel[] {
  return MODEL_IDS.map((id) => {
    const promptNanoUsd = 1 + dice.roll(5_000);
    const completionNanoUsd = 1 + dice.roll(25_000);
    const hasCache = dice.chance(40);
    const hasTier = dice.chance(50);
    return {
      id,
      cancellable: id !== GOES_ON,
      promptNanoUsd,
      completionNanoUsd,
      byok: dice.chance(25),
      requestNanoUsd: dice.pick([0, 0, dice.roll(20_000_000)]),
      ...(hasCache && {
        cacheReadNanoUsd: Math.ceil(promptNanoUsd / 10),
        cacheWriteNanoUsd: Math.ceil(promptNanoUsd * 1.25),
      }),
      ...(hasTier && {
        tiers: [
          {
            abovePromptTokens: 600 + dice.roll(1_500),
            promptNanoUsd: promptNanoUsd * 2,
            completionNanoUsd: Math.ceil(completionNanoUsd * 1.5),
          },
        ],
      }),
    };
  });
}

/** What went wrong with answers, by run and kind. */
export class FaultLog {
  private readonly counts = new Map<string, number>();

  add(runId: string, kind: string): void {
    const key = `${runId} ${kind}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  of(runId: string, kind: string): number {
    return this.counts.get(`${runId} ${kind}`) ?? 0;
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }
}

/** A model that works for some steps, at random, and whose server fails at random, but not for ever. What it does goes by the number at the end of the run's id. */
export function moneyScript(faults: FaultLog, seed: number): Script {
  return (request, { metadata, stepIndex, attempt, model }) => {
    const { longhaul_run: run = '', longhaul_purpose: purpose } = metadata;
    const life = `${seed}/${run.split('-').at(-1)}`;
    const dice = new Dice(seedOf(`${life}/${stepIndex}`));
    const fault = randomFault(
      new Dice(seedOf(`${life}/${stepIndex}/${purpose}/${attempt}/${model}`)),
      attempt,
    );
    if (fault) faults.add(run, fault.kind);
    const isLast = request.tool_choice === 'none' || stepIndex >= 3 + new Dice(seedOf(life)).roll(5);
    return {
      text: `Step ${stepIndex}. ${'more words '.repeat(dice.roll(60))}`,
      ...(dice.chance(30) && { reasoning: 'I think about it. '.repeat(1 + dice.roll(5)) }),
      chunkDelayMs: dice.pick([0, 5, 20, 60]),
      usage: { cachedTokens: dice.roll(200), cacheWriteTokens: dice.roll(200) },
      ...(!isLast && {
        toolCalls: [
          { name: dice.pick(['read_act', 'idempotent_act']), args: { ms: dice.roll(200) } },
          ...(dice.chance(20) ? [{ name: 'read_act', args: { ms: 10 } }] : []),
        ],
      }),
      ...(fault && { fault }),
    };
  };
}

/** After as many failures in a row an agent waits for minutes. */
const MAX_FAULTY_ATTEMPTS = 4;

function randomFault(dice: Dice, attempt: number): Fault | undefined {
  if (attempt > MAX_FAULTY_ATTEMPTS || !dice.chance(40)) return undefined;
  if (dice.chance(2)) return { kind: 'hang-before-headers' };
  const afterChunks = 1 + dice.roll(6);
  return dice.pick<Fault>([
    { kind: 'http', status: 429, headers: { 'retry-after': '1' } },
    { kind: 'http', status: 429 },
    { kind: 'http', status: 500 },
    { kind: 'http', status: 503, headers: { 'retry-after-ms': '300' } },
    { kind: 'mid-stream-error', code: 502, afterChunks },
    { kind: 'mid-stream-error', code: 'server_error', afterChunks, choices: 'absent' },
    { kind: 'event-error', afterChunks },
    { kind: 'ok-with-error' },
    { kind: 'html' },
    { kind: 'truncate', afterChunks },
    { kind: 'reset', afterChunks },
    { kind: 'cut-json', afterChunks },
    { kind: 'garbage-line', afterChunks },
    { kind: 'no-usage' },
    { kind: 'no-done' },
    { kind: 'no-final-blank-line' },
    { kind: 'hold-open-after-done' },
    { kind: 'cost' },
    { kind: 'cost', value: null },
    { kind: 'cost', value: Number.NaN },
    { kind: 'cost', value: -1 },
    { kind: 'stall', afterChunks, comments: dice.chance(50) },
  ]);
}

/** What a life is started with: a ceiling between less than one call and half a dozen of them, or none. */
export function randomInput(models: readonly StandInModel[], dice: Dice): RunInput {
  const [first, ...others] = [...models].sort(() => dice.roll(3) - 1);
  if (first === undefined) throw new Error('There are no models.');
  const fallbacks = dice.chance(30) ? others.slice(0, 1 + dice.roll(2)) : [];
  const callNanoUsd = Math.max(
    ...[first, ...fallbacks].map(
      ({ promptNanoUsd, completionNanoUsd, requestNanoUsd = 0 }) =>
        requestNanoUsd + 6_000 * (promptNanoUsd ?? 0) + 1_500 * (completionNanoUsd ?? 0),
    ),
  );
  const limits: LimitsInput = {
    ...(dice.chance(85) && { maxCostUsd: (callNanoUsd * (4 + dice.roll(70))) / 10 / 1e9 }),
    ...(dice.chance(15) && { maxTokens: 6_000 + dice.roll(40_000) }),
    ...(dice.chance(15) && { maxSteps: 2 + dice.roll(6) }),
  };
  return {
    goal: 'Live.',
    model: first.id,
    ...(fallbacks.length > 0 && { models: fallbacks.map(({ id }) => id) }),
    tools: ['read_act', 'idempotent_act'],
    ...(dice.chance(60) && { maxOutputTokens: dice.pick([100, 400, 1_000]) }),
    limits,
  };
}

/** How a life went. */
export interface MoneyLife {
  run: RunHandle;
  result: RunResult;
  /** The highest ceiling it was ever given; `null`: none. */
  ceilingNanoUsd: number | null;
  /** It had ended, and was told not to wait for its last costs. */
  isHurried: boolean;
}

/** A life that takes longer hangs. */
const LONGEST_LIFE_MS = 300_000;

/** Lives a whole life: talks into it, holds it up, gives it more money, and may end it. */
export async function liveOnMoney(
  world: World,
  { id, input, dice }: { id: string; input: RunInput; dice: Dice },
): Promise<MoneyLife> {
  const run = await world.client.start(input, { id });
  const ended = new AbortController();
  const tooLong = AbortSignal.timeout(LONGEST_LIFE_MS);
  const ending = run.result({ signal: tooLong }).finally(() => ended.abort());
  // Awaited at the end; a failure before that must not go unheard in between.
  ending.catch(() => undefined);
  const meddler = new Meddler(run, input, dice);
  while (!ended.signal.aborted) {
    await delay(200 + dice.roll(1_300), undefined, { signal: ended.signal }).catch(() => undefined);
    if (!ended.signal.aborted) await unlessTooLate(() => meddler.meddle());
  }
  if (tooLong.aborted) throw new Error(`The run hangs: ${await storyOf(world.temporal, run.runId)}`);
  const result = await ending;
  const { ceilingUsd, wasCancelled } = meddler;
  return {
    run,
    result,
    ceilingNanoUsd: ceilingUsd === null ? null : toNanoUsd(ceilingUsd),
    isHurried: wasCancelled && result.outcome !== 'cancelled',
  };
}

/** Who does something to a run now and then. */
class Meddler {
  /** The highest ceiling that the run was given. */
  ceilingUsd: number | null;
  wasCancelled = false;
  private deeds = 0;
  private readonly ending: 'stop' | 'cancel' | null;
  private readonly endAt: number;

  constructor(
    private readonly run: RunHandle,
    input: RunInput,
    private readonly dice: Dice,
  ) {
    this.ceilingUsd = input.limits?.maxCostUsd ?? null;
    this.ending = dice.pick([null, null, null, 'stop', 'cancel']);
    this.endAt = 2 + dice.roll(8);
  }

  async meddle(): Promise<void> {
    const { run, dice, ending, endAt } = this;
    this.deeds += 1;
    const { status, settling } = await run.progress();
    if (settling) return;
    if (status === 'paused') return run.resume();
    if (this.deeds === endAt && ending !== null) return ending === 'stop' ? run.stop() : this.cancel();
    if (this.deeds > 15 || !dice.chance(45)) return;
    const text = `A word, number ${dice.roll(100)}.`;
    await dice.pick([
      () => run.say(text, { mode: 'interrupt' }),
      () => run.say(text, { mode: 'interrupt' }),
      () => run.say(text),
      () => run.pause(),
      () => this.raise(),
    ])();
  }

  private async cancel(): Promise<void> {
    await this.run.cancel();
    this.wasCancelled = true;
  }

  private async raise(): Promise<void> {
    if (this.ceilingUsd === null) return;
    // It may be taken in even though the answer is lost with a worker.
    this.ceilingUsd *= 1 + this.dice.roll(10) / 10;
    await this.run.setLimits({ maxCostUsd: this.ceilingUsd });
  }
}

/** What comes too late is answered with a code; what meets no living worker in time may come again. */
async function unlessTooLate(deed: () => Promise<void>): Promise<void> {
  try {
    await deed();
  } catch (error) {
    if (!isAgentError(error) || !['RUN_CLOSED', 'TEMPORAL_UNREACHABLE'].includes(error.code)) throw error;
  }
}
