import type { Outcome, PlannedCall } from '../../../src/core/outcomes.js';
import { pendingOf } from '../../../src/core/agents/reports.js';
import { someControl } from './control-world.js';
import type { Prepared } from '../../../src/core/run-input.js';
import { Dice } from './dice.js';
import {
  forgedReport, ReportingChild, someChildOutcome, someRelayed, someResult, someVerdict,
} from './errand-world.js'; // prettier-ignore
import { Shell, type Fact, type StartedWork } from './shell.js';
import { someModelOutcome, someModelResult, type SimulatedCall } from './model-world.js';
import { settleAnyhow } from './settle-anyhow.js';
import { judged, somePolicies, type Policies } from './tool-world.js';
import {
  NAMES,
  preparedWith,
  someFailure,
  someLongInput,
  someLongPrepared,
  somePrepared,
  someRunInput,
} from './world.js';

/** A simulated life of a run: a number for its circumstances, one for each thing that happens, one for how it goes on after that. */
export interface Scenario {
  setup: number;
  moves: readonly number[];
  ending: number;
}

/** Rounds after which a run that has not closed never will: more than an outage of a day takes, with every call of its last steps. */
const MAX_ROUNDS = 600;

/** Plays the workflow and the world around it, by the numbers of a scenario. */
export class Simulator {
  readonly shell: Shell;
  /** Every call that a model asked for in a step, by our call id. */
  readonly asked = new Map<string, PlannedCall>();
  /** Every sub-agent, by the key of its work. */
  readonly children = new Map<string, ReportingChild>();
  readonly policies: Policies;
  readonly #reloads: boolean;
  readonly #isLong: boolean;
  readonly #input: Record<string, unknown>;
  readonly #lostIds: string[] = [];
  #calls = 0;
  #generations = 0;

  /**
   * @param options.reloads whether the state goes through JSON after everything that happens
   * @param options.isLong whether the run goes on for as long as it can: each move brings it on, and little else happens
   */
  constructor(scenario: Scenario, options: { reloads?: boolean; isLong?: boolean } = {}) {
    const setup = new Dice(scenario.setup);
    this.#isLong = options.isLong === true;
    this.#input = this.#isLong ? someLongInput(setup) : someRunInput(setup);
    this.policies = somePolicies(setup, this.#isLong);
    this.shell = new Shell(this.#input);
    this.#reloads = options.reloads === true;
    for (const move of scenario.moves) this.#move(new Dice(move));
  }

  /** Names of the tools at which this run stops. */
  get stopTools(): readonly string[] {
    return 'stopOnTool' in this.#input ? ['hand_in'] : [];
  }

  /** Goes on until the run closes: all that was started settles, timers fire, and humans, if there are any, answer. */
  finish(seed: number, humans: 'answer' | 'silent' = 'answer'): this {
    const dice = new Dice(seed);
    if (humans === 'answer' && dice.chance(25)) this.shell.control('stop', { note: 'Enough.' });
    else if (humans === 'answer' && dice.chance(15)) this.shell.deliver({ type: 'cancel_requested' });
    for (let round = 0; round < MAX_ROUNDS && !this.shell.closed; round++)
      this.#goOn(dice, { humans, calm: round > 60 });
    return this;
  }

  #goOn(dice: Dice, how: { humans: 'answer' | 'silent'; calm: boolean }): void {
    const { shell } = this;
    // What waits for a human is not held up by what runs beside it.
    if (how.humans === 'answer' && dice.chance(25) && this.#speak(dice)) return;
    this.#meetChildren();
    const [work] = shell.started.values();
    if (work) return void shell.deliver(this.#settle(work, dice, how.calm));
    if (how.humans === 'answer' && this.#speak(dice)) return;
    if (shell.timerAtMs !== null) shell.awaitTimer();
  }

  /** A human's word where one is awaited. Returns whether it was. */
  #speak(dice: Dice): boolean {
    const { shell } = this;
    if (shell.state.pause) {
      shell.control('resume');
      return true;
    }
    const item = dice.pick(pendingOf(shell.state));
    if (!item) return false;
    const { callId, kind } = item;
    const voice = { callId, by: dice.pick(NAMES), signature: 'c2lnbmVk' };
    if (kind === 'question' || dice.chance(20))
      shell.control(kind === 'decision' ? 'reject' : 'answer', { ...voice, text: 'Yes.' });
    else shell.control('decide', { ...voice, decision: dice.chance(70) ? 'approve' : 'reject' });
    return true;
  }

  #move(dice: Dice): void {
    const { shell } = this;
    shell.nowMs += dice.chance(60) ? dice.roll(5_000) : 0;
    const kind = dice.roll(100);
    if (this.#isLong && dice.chance(95)) this.#goOn(dice, { humans: 'answer', calm: false });
    else if (kind < 12) this.#passTime(dice);
    else if (kind < 24) shell.deliver(...Array.from({ length: 2 + dice.roll(3) }, () => this.#fact(dice)));
    else if (kind < 28) shell.reload();
    else shell.deliver(this.#fact(dice));
    if (this.#reloads) shell.reload();
    this.#meetChildren();
  }

  /** Takes note of sub-agents that were started. */
  #meetChildren(): void {
    for (const { work, state } of this.shell.starts) {
      if (work.kind !== 'child') continue;
      const { key } = work;
      const call = state.calls.find(({ child }) => child?.input.parent?.key === key);
      if (call?.child && !this.children.has(key)) this.children.set(key, new ReportingChild(key, call.child));
    }
  }

  #passTime(dice: Dice): void {
    const { shell } = this;
    // Time may pass unheard, while no worker is up: what comes next then comes before the timer.
    if (dice.chance(25)) shell.nowMs += dice.roll(7_200_000);
    else if (shell.timerAtMs !== null && dice.chance(60)) shell.awaitTimer();
    else if (dice.chance(93)) shell.advance(dice.roll(7_200_000));
    else shell.advance(100_000_000);
  }

  #fact(dice: Dice): Fact {
    const { shell } = this;
    const kind = dice.roll(1_000);
    if (kind < 8) return { type: 'cancel_requested' };
    if (kind < 11)
      return {
        type: 'ended_outside',
        how: dice.pick(['terminated', 'timed_out', 'failed'] as const),
        message: 'Gone.',
      };
    if (kind < 40) return { type: 'tick' };
    if (kind < 70) return this.#staleFact(dice);
    if (kind < 85)
      return { type: 'control', name: 'report', payload: forgedReport(dice, this.#someKey(dice)) };
    const child = dice.pick([...this.children.values()]);
    if (child && kind < 220) return { type: 'control', name: 'report', payload: child.report(dice) };
    const work = dice.pick([...shell.started.values()]);
    if (work && kind < 760) return this.#settle(work, dice);
    return { type: 'control', ...someControl(dice, shell.state) };
  }

  /** The key of a sub-agent, or of what never was one. */
  #someKey(dice: Dice): string {
    return dice.pick([...this.children.keys()]) ?? 's0.c0';
  }

  /** Something that settles what is not, or no longer, under way. */
  #staleFact(dice: Dice): Fact {
    const key = dice.pick(this.shell.starts)?.work.key ?? 's9.m0';
    if (this.shell.started.has(key)) return { type: 'tick' };
    const facts: readonly [Fact, ...Fact[]] = [
      { type: 'prepared', outcome: { kind: 'cancelled' } },
      { type: 'model_settled', key, outcome: { kind: 'timed_out' } },
      { type: 'tool_settled', key, outcome: { kind: 'ok', value: { content: 'late' } } },
      { type: 'args_checked', key, outcome: { kind: 'timed_out' } },
      { type: 'cost_reported', key, outcome: { kind: 'timed_out' } },
      { type: 'drawn', key, outcome: { kind: 'timed_out' } },
      { type: 'verified', key, outcome: { kind: 'ok', value: { verdict: 'not_executed' } } },
      { type: 'decision_checked', key, outcome: { kind: 'ok', value: { ok: true, approver: 'ada' } } },
      { type: 'relayed', key, outcome: { kind: 'ok', value: {} } },
      { type: 'reported', key, outcome: { kind: 'timed_out' } },
      { type: 'notified', key, outcome: { kind: 'timed_out' } },
      { type: 'child_settled', key, outcome: { kind: 'timed_out' } },
    ];
    return key === 'prepare' || this.shell.state.phase !== 'preparing' ? dice.pick(facts) : { type: 'tick' };
  }

  #settle(work: StartedWork, dice: Dice, calm = false): Fact {
    const { shell } = this;
    const { key } = work;
    if (shell.cancelled.has(key) && dice.chance(50) && work.kind !== 'check')
      return shell.settlementOf(key, work.kind, { kind: 'cancelled' });
    switch (work.kind) {
      case 'prepare':
        return shell.settlementOf(
          key,
          'prepare',
          calm ? { kind: 'ok', value: preparedWith() } : this.#prepared(dice),
        );
      case 'model':
        return this.#settleModel(work, dice, calm);
      case 'judge':
        return shell.settlementOf(key, 'judge', someVerdict(dice, work.input));
      case 'relay':
        return shell.settlementOf(key, 'relay', someRelayed(dice));
      case 'report':
      case 'notify':
        return shell.settlementOf(
          key,
          work.kind,
          dice.chance(80) ? { kind: 'ok', value: undefined } : someFailure(dice, ['WEBHOOK_FAILED']),
        );
      case 'child':
        return this.#settleChild(work, dice);
      default:
        return settleAnyhow(shell, work, { dice, isCalm: calm });
    }
  }

  #prepared(dice: Dice): Outcome<Prepared> {
    return this.#isLong ? someLongPrepared(dice) : somePrepared(dice);
  }

  #settleChild({ key }: Extract<StartedWork, { kind: 'child' }>, dice: Dice): Fact {
    const one = this.children.get(key);
    if (!one) throw new Error(`${key} is no sub-agent.`);
    const result = one.sent.find((report) => report.result)?.result ?? someResult(dice, one.child);
    return this.shell.settlementOf(key, 'child', someChildOutcome(dice, result));
  }

  #settleModel(work: Extract<StartedWork, { kind: 'model' }>, dice: Dice, calm: boolean): Fact {
    const { shell } = this;
    const held = shell.state.ledger.charges.find(({ id }) => id === work.key);
    const call: SimulatedCall = {
      reservedNanoUsd: held?.nanoUsd ?? null,
      generationId: `gen-${this.#generations++}`,
      lostIds: this.#lostIds,
      nextCallId: () => `call_${this.#calls++}`,
      policies: this.policies,
      isKeen: this.#isLong,
    };
    const drawn = calm
      ? { kind: 'ok' as const, value: someModelResult(dice, call, []) }
      : someModelOutcome(dice, call);
    const { purpose, asks } = work.input;
    const outcome =
      drawn.kind === 'ok' && purpose === 'step' && drawn.value.calls
        ? { ...drawn, value: { ...drawn.value, calls: drawn.value.calls.map((one) => judged(one, asks)) } }
        : drawn;
    if (outcome.kind !== 'ok' && outcome.details?.['generationId'] !== undefined)
      this.#lostIds.push(call.generationId);
    const calls = outcome.kind === 'ok' ? (outcome.value.calls ?? []) : [];
    if (purpose === 'step')
      for (const [index, one] of calls.entries()) this.asked.set(`s${work.input.step}.c${index}`, one);
    return shell.settlementOf(work.key, 'model', outcome);
  }
}
