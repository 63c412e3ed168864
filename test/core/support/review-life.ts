import type { ModelResult, Outcome, PlannedCall } from '../../../src/core/outcomes.js';
import { NO_LIMITS } from '../../../src/core/run-input.js';
import { pendingOf } from '../../../src/core/agents/reports.js';
import { someControl } from './control-world.js';
import { Dice } from './dice.js';
import { someModelOutcome, someModelResult, type SimulatedCall } from './model-world.js';
import { CHECK, questionFor, type Review } from './review-world.js';
import { settleAnyhow } from './settle-anyhow.js';
import { Shell, type Fact, type StartedWork } from './shell.js';
import type { Scenario } from './simulator.js';
import { APPROVERS, fakeHash, HOUR_MS, NAMES, preparedWith, someLimits } from './world.js';

/** Rounds after which a run that has not closed never will. */
const MAX_ROUNDS = 600;

const VERDICTS = [
  '[DONE]',
  'All is well.\n[DONE]\n',
  '1. A gap.\n2. Another.',
  '1. A claim that nothing verifies.',
  'It is not [DONE].',
  '[DONE] but for one gap.',
  '[DONE]\nwould be too early.',
  ' \n',
] as const;

/** Plays a run whose answers are reviewed, and the world around it, by the numbers of a scenario. */
export class ReviewLife {
  readonly shell: Shell;
  readonly review: Review;
  /** The last lines that reviewers gave, by the key of their call. */
  readonly verdicts = new Map<string, string>();
  readonly #setup: Dice;
  readonly #hasSchema: boolean;
  readonly #reloads: boolean;
  #generations = 0;
  #calls = 0;

  constructor({ setup, moves }: Scenario, { reloads = false } = {}) {
    const dice = new Dice(setup);
    this.#setup = dice;
    this.#hasSchema = dice.chance(25);
    this.#reloads = reloads;
    this.review = someReview(dice);
    this.shell = new Shell({
      goal: 'Tidy up.',
      review: true,
      ...(dice.chance(20) && { approvers: APPROVERS }),
      ...(dice.chance(10) && { requireApproval: 'never' }),
      ...(this.#hasSchema && { schema: { type: 'object' } }),
    });
    for (const move of moves) this.#move(new Dice(move));
  }

  /** Goes on until the run closes. */
  finish(seed: number): this {
    const dice = new Dice(seed);
    for (let round = 0; round < MAX_ROUNDS && !this.shell.closed; round += 1) {
      if (dice.chance(25) && this.#speak(dice)) continue;
      const [work] = this.shell.started.values();
      if (work) this.shell.deliver(this.#settle(work, dice, round > 60));
      else if (!this.#speak(dice) && this.shell.timerAtMs !== null) this.shell.awaitTimer();
    }
    return this;
  }

  #move(dice: Dice): void {
    const { shell } = this;
    shell.nowMs += dice.chance(60) ? dice.roll(5_000) : 0;
    const kind = dice.roll(100);
    if (kind < 8) shell.advance(dice.roll(2 * HOUR_MS));
    else if (kind < 16 && shell.timerAtMs !== null) shell.awaitTimer();
    else if (kind < 22) shell.deliver(this.#fact(dice), this.#fact(dice));
    else if (kind < 25) shell.reload();
    else shell.deliver(this.#fact(dice));
    if (this.#reloads) shell.reload();
  }

  #fact(dice: Dice): Fact {
    const kind = dice.roll(1_000);
    if (kind < 6) return { type: 'cancel_requested' };
    if (kind < 9) return { type: 'ended_outside', how: 'terminated', message: 'Gone.' };
    if (kind < 40) return { type: 'tick' };
    const work = dice.pick([...this.shell.started.values()]);
    if (work && kind < 800) return this.#settle(work, dice);
    return { type: 'control', ...someControl(dice, this.shell.state) };
  }

  #speak(dice: Dice): boolean {
    const { shell } = this;
    if (shell.state.pause) {
      shell.control('resume');
      return true;
    }
    const item = dice.pick(pendingOf(shell.state));
    if (!item) return false;
    const voice = { callId: item.callId, by: dice.pick(NAMES), signature: 'c2lnbmVk' };
    shell.control('decide', {
      ...voice,
      decision: dice.chance(70) ? 'approve' : 'reject',
      note: 'So be it.',
    });
    return true;
  }

  #settle(work: StartedWork, dice: Dice, isCalm = false): Fact {
    const { shell } = this;
    const { key } = work;
    if (shell.cancelled.has(key) && dice.chance(50) && work.kind !== 'check')
      return shell.settlementOf(key, work.kind, { kind: 'cancelled' });
    switch (work.kind) {
      case 'prepare':
        return shell.settlementOf(key, 'prepare', { kind: 'ok', value: this.#prepared() });
      case 'model':
        return this.#settleModel(work, dice, isCalm);
      case 'judge':
        return shell.settlementOf(key, 'judge', { kind: 'ok', value: { ok: true, approver: 'ada' } });
      case 'child':
      case 'relay':
      case 'report':
      case 'notify':
        throw new Error(`${work.kind} is no work of such a run.`);
      default:
        return settleAnyhow(shell, work, { dice, isCalm });
    }
  }

  #prepared() {
    const dice = this.#setup;
    return preparedWith({
      limits: dice.chance(50) ? someLimits(dice) : NO_LIMITS,
      review: this.review,
      models: dice.chance(30) ? ['maker/second'] : [],
      ...(dice.chance(20) && { budget: 'team' }),
      ...(dice.chance(25) && { idleMs: dice.pick([1, HOUR_MS] as const) }),
      ...(dice.chance(50) && { taint: 'ask' as const }),
    });
  }

  #settleModel(work: Extract<StartedWork, { kind: 'model' }>, dice: Dice, isCalm: boolean): Fact {
    const { shell } = this;
    const held = shell.state.ledger.charges.find(({ id }) => id === work.key);
    const call: SimulatedCall = {
      reservedNanoUsd: held?.nanoUsd ?? null,
      generationId: `gen-${this.#generations++}`,
      lostIds: [],
      nextCallId: () => `call_${this.#calls++}`,
      policies: {},
    };
    const failure = isCalm || dice.chance(80) ? null : someModelOutcome(dice, call);
    if (failure && failure.kind !== 'ok') return shell.settlementOf(work.key, 'model', failure);
    const calls = work.input.purpose === 'step' && !isCalm && dice.chance(40) ? [this.#someCall(dice)] : [];
    const { cacheSourceId: _, ...result } = someModelResult(dice, call, calls);
    const value =
      work.input.purpose === 'review' ? this.#verdict(work, dice, result) : this.#checked(dice, result);
    const outcome: Outcome<ModelResult> = { kind: 'ok', value };
    return shell.settlementOf(work.key, 'model', outcome);
  }

  /** As the activity hands a verdict over. */
  #verdict(work: Extract<StartedWork, { kind: 'model' }>, dice: Dice, result: ModelResult): ModelResult {
    const { text: _text, calls: _calls, reasoning: _reasoning, ...rest } = result;
    const text = dice.pick(VERDICTS);
    this.verdicts.set(work.key, rest.finish === 'length' ? '' : (text.trimEnd().split('\n').at(-1) ?? ''));
    const passes =
      rest.finish !== 'length' && text.trimEnd().endsWith('[DONE]') && text !== 'It is not [DONE].';
    return {
      ...rest,
      text,
      ...(work.input.lastRound && !passes && { calls: [questionFor(text.trim())] }),
    };
  }

  /** As the activity hands an answer over in a run with a schema. */
  #checked(dice: Dice, result: ModelResult): ModelResult {
    if (!this.#hasSchema || (result.calls?.length ?? 0) > 0) return result;
    if (dice.chance(30)) return { ...result, schemaProblem: 'it is no JSON' };
    return { ...result, text: `{"n":${dice.roll(9)}}`, json: [0, 7] };
  }

  #someCall(dice: Dice): PlannedCall {
    const args = JSON.stringify({ n: dice.roll(100) });
    return {
      id: `call_${this.#calls++}`,
      name: dice.pick(['look', 'send'] as const),
      args,
      ...(dice.chance(60) && { effect: 'read' as const }),
      ...(dice.chance(20) && { gate: { argsHash: fakeHash(args), summary: 'May I?' } }),
    };
  }
}

function someReview(dice: Dice): Review {
  const checks = Array.from({ length: dice.roll(4) }, (_, index): PlannedCall => {
    const { effect: _effect, ...once } = CHECK;
    const check = dice.chance(70) ? CHECK : { ...once, onUnknown: 'tell_model' as const };
    const gate = { argsHash: fakeHash(CHECK.args), summary: 'May I?' };
    return { ...check, id: `check${index}`, ...(dice.chance(25) && { gate }) };
  });
  return {
    rounds: dice.chance(50) ? 1 : 1 + dice.roll(4),
    checks,
    ...(dice.chance(40) && { model: 'other/third' }),
    onDisagreement: dice.chance(75) ? 'ask' : 'report',
    ...(dice.chance(50) && { budgetShare: (1 + dice.roll(100)) / 100 }),
  };
}
