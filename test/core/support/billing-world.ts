import { isPending } from '../../../src/core/calls/calls.js';
import { chargedNanoUsd } from '../../../src/core/money/ledger.js';
import type { Outcome } from '../../../src/core/outcomes.js';
import type { RunResult } from '../../../src/core/progress.js';
import { spendOf } from '../../../src/core/money/spend.js';
import type { RunState } from '../../../src/core/state.js';
import { BilledCalls, type Bad } from './billing-calls.js';
import { Notes, someText, type Attempt } from './billing-notes.js';
import { BillingServer } from './billing-server.js';
import { someCeiling, somePrice, someSetup, type Setup } from './billing-setup.js';
import { Dice } from './dice.js';
import { Shell, type StartedWork } from './shell.js';

/** A life by numbers: its circumstances, what happens one after the other, and how it goes on after that. */
export interface Life {
  setup: number;
  moves: readonly number[];
  ending: number;
}

/** What is left of a life. */
export interface Report {
  life: Life;
  attempts: Attempt[];
  result: RunResult | null;
  finalNanoUsd: { reserved: number; charged: number };
  /** After the last zombie. */
  billedNanoUsd: number;
  /** The dearest price that any attempt could meet was known to the run when it reserved for it. */
  pricesKnown: boolean;
  /** Generations whose cost the run was told by the server in time. */
  resolved: ReadonlySet<string>;
  /** A cached answer named one of several lost calls for which different amounts were held. */
  ambiguous: boolean;
  limitsLowered: boolean;
  neverLimited: boolean;
  /** Less was on record than on the bill. */
  unseen: { billed: number; charged: number } | null;
  overCeiling: { charged: number; ceiling: number } | null;
  reconciledTwice: boolean;
  /** A lost generation whose name the run was told, and did not take down. */
  forgotten: string | null;
  answers: number;
  lostCalls: number;
  tokens: { prompt: number; completion: number };
  seen: ReadonlyMap<string, number>;
}

const MAX_ROUNDS = 2_500;
const MINUTE_MS = 60_000;
/** Plays the workflow, its workers, its humans, and a model server that keeps books. */
export class BillingWorld {
  readonly shell: Shell;
  readonly server: BillingServer;
  readonly attempts: Attempt[] = [];
  readonly #life: Life;
  readonly #setup: Setup;
  readonly #notes = new Notes();
  readonly #calls: BilledCalls;
  readonly #byKey = new Map<string, Attempt>();
  readonly #resolved = new Set<string>();
  #limitsLowered = false;
  #neverLimited: boolean;
  #unseen: Report['unseen'] = null;
  #overCeiling: Report['overCeiling'] = null;
  #otherStarts = 0;

  constructor(life: Life) {
    this.#life = life;
    this.#setup = someSetup(new Dice(life.setup));
    this.#neverLimited = this.#setup.prepared.limits.maxCostUsd === null && this.#setup.poolNanoUsd === null;
    this.server = new BillingServer(this.#setup.models);
    this.shell = new Shell(this.#setup.input);
    this.#calls = new BilledCalls({
      shell: this.shell,
      server: this.server,
      setup: this.#setup,
      notes: this.#notes,
      onBill: () => this.#checkSeen(),
    });
    this.shell.deliver(
      this.shell.settlementOf('prepare', 'prepare', { kind: 'ok', value: this.#setup.prepared }),
    );
    this.#look();
    for (const move of life.moves) if (!this.shell.closed) this.#move(new Dice(move));
  }

  /** Goes on until the run closes. */
  finish(): this {
    const dice = new Dice(this.#life.ending);
    for (let round = 0; round < MAX_ROUNDS && !this.shell.closed; round++) {
      this.#calls.isCalm = round > 600;
      if (this.#calls.isCalm || !dice.chance(this.#setup.humanPercent) || !this.#speak(dice))
        this.#goOn(dice);
      this.#look();
    }
    return this;
  }

  report(): Report {
    const { shell, server } = this;
    const { result, ledger } = shell.state;
    const spend = spendOf(ledger);
    const final = { reserved: spend.reservedNanoUsd, charged: chargedNanoUsd(ledger) };
    for (const work of shell.started.values()) {
      if (work.kind !== 'model') continue;
      this.#calls.abandon(work, this.#attemptAt(work.key), new Dice(this.#life.setup));
    }
    server.passTime(Infinity);
    const reconciled = shell.events.flatMap((event) =>
      event.type === 'cost_reconciled' ? event.generationId : [],
    );
    return {
      life: this.#life,
      attempts: this.attempts,
      result,
      finalNanoUsd: final,
      billedNanoUsd: server.billedNanoUsd,
      pricesKnown: this.#notes.pricesKnown,
      resolved: this.#resolved,
      ambiguous: this.#notes.ambiguous,
      limitsLowered: this.#limitsLowered,
      neverLimited: this.#neverLimited,
      unseen: this.#unseen,
      overCeiling: this.#overCeiling,
      forgotten: this.#notes.forgotten,
      reconciledTwice: new Set(reconciled).size < reconciled.length,
      answers: this.#notes.answers,
      lostCalls: this.#notes.lostCalls,
      tokens: this.#notes.tokens,
      seen: this.#notes.seen,
    };
  }

  #move(dice: Dice): void {
    const { shell } = this;
    shell.nowMs += dice.chance(60) ? dice.roll(20_000) : 0;
    const kind = dice.roll(100);
    if (kind < 8) this.#passTime(dice);
    else if (kind < 12) this.#reload();
    else if (kind < 18) this.#changePrices(dice);
    else if (kind < 28) this.#speak(dice);
    else this.#goOn(dice);
    this.#look();
  }

  #goOn(dice: Dice): void {
    const { shell } = this;
    const work = dice.pick([...shell.started.values()]);
    const isQuiet = work?.kind === 'reconcile' && shell.timerAtMs !== null && dice.chance(20);
    if (work && !isQuiet) return this.#settle(work, dice);
    if (this.#decide(dice)) return;
    if (shell.timerAtMs !== null) shell.awaitTimer();
  }

  #passTime(dice: Dice): void {
    const { shell } = this;
    if (dice.chance(25)) shell.nowMs += dice.roll(20 * MINUTE_MS);
    else if (shell.timerAtMs !== null && dice.chance(60)) shell.awaitTimer();
    else shell.advance(dice.roll(90 * MINUTE_MS));
  }

  #reload(): void {
    this.#notes.note('continued as new');
    this.shell.reload();
  }

  #changePrices(dice: Dice): void {
    const model = dice.pick([...this.#setup.models.values()]);
    if (!model) return;
    const { price } = model;
    const scale = Math.max(price.promptNanoUsdPerMillion, price.completionNanoUsdPerMillion / 4);
    model.price = somePrice(scale * (dice.pick([0.5, 1.3, 4] as const) ?? 1), dice);
  }

  /** Something that a human says unasked. Returns whether there was anything to say. */
  #speak(dice: Dice): boolean {
    const { shell } = this;
    const kind = dice.roll(100);
    if (kind < 30) this.#setLimits(dice);
    else if (kind < 50) shell.control(shell.state.pause ? 'resume' : 'pause');
    else if (kind < 80) {
      if ([...shell.started.values()].some((work) => work.kind === 'model'))
        this.#notes.note('words in mid-call');
      shell.control('say', {
        text: someText(dice, 200),
        mode: dice.pick(['steer', 'interrupt', 'queue'] as const),
      });
    } else if (kind < 88) shell.control('stop', { note: 'Enough.' });
    else if (kind < 92) shell.deliver({ type: 'cancel_requested' });
    else if (kind < 95)
      shell.deliver({
        type: 'ended_outside',
        how: dice.pick(['terminated', 'failed'] as const),
        message: 'Gone.',
      });
    else return false;
    return true;
  }

  #setLimits(dice: Dice): void {
    const { shell } = this;
    const before = ceilingOf(shell.state);
    const spent = Math.max(chargedNanoUsd(shell.state.ledger), 100);
    const kind = dice.roll(10);
    const maxCostUsd =
      kind === 0 ? null : someCeiling(before !== null && kind < 6 ? before : spent, dice) / 1e9;
    shell.control('setLimits', dice.chance(80) ? { maxCostUsd } : { maxSteps: 1 + dice.roll(30) });
    const after = ceilingOf(shell.state);
    if (after !== null) this.#neverLimited = false;
    if (after !== null && after < (before ?? Infinity)) {
      this.#limitsLowered = true;
      this.#notes.note('ceiling lowered');
    } else if (after !== before) this.#notes.note('ceiling raised');
  }

  /** A human's word where one is awaited. */
  #decide(dice: Dice): boolean {
    const { shell } = this;
    if (shell.state.pause) {
      if (shell.state.pause.reason === 'payment' && this.#calls.isCalm) shell.control('stop');
      else shell.control('resume');
      return true;
    }
    const call = dice.pick(shell.state.calls.filter(isPending));
    if (!call) return false;
    const { id: callId, status } = call;
    if (status === 'asking') shell.control('answer', { callId, text: someText(dice, 100) });
    else
      shell.control('decide', {
        callId,
        decision: dice.chance(75) && status === 'gated' ? 'approve' : 'reject',
      });
    return true;
  }

  #settle(work: StartedWork, dice: Dice): void {
    const { shell } = this;
    switch (work.kind) {
      case 'model':
        shell.nowMs += dice.roll(30_000);
        return this.#calls.settle(work, this.#attemptAt(work.key), dice);
      case 'tool':
        return this.#settleTool(work.key, dice);
      case 'reconcile':
        return this.#settleInquiry(work, dice);
      case 'draw':
        return this.#settleDraw(work, dice);
      default:
        throw new Error(`Nobody asked for ${work.kind}.`);
    }
  }

  #settleTool(key: string, dice: Dice): void {
    const { shell } = this;
    const bad: Bad = shell.cancelled.has(key)
      ? { kind: 'cancelled' }
      : dice.chance(50)
        ? { kind: 'timed_out' }
        : { kind: 'failed', code: 'TOOL_FAILED', message: 'No.', retryable: false, details: {} };
    const isBad = shell.cancelled.has(key) || (!this.#calls.isCalm && dice.chance(8));
    shell.deliver(
      shell.settlementOf(
        key,
        'tool',
        isBad ? bad : { kind: 'ok', value: { content: someText(dice, dice.chance(10) ? 9_000 : 600) } },
      ),
    );
  }

  #settleDraw({ key, input }: Extract<StartedWork, { kind: 'draw' }>, dice: Dice): void {
    const { shell } = this;
    const granted = Math.min(input.totalNanoUsd, this.#setup.poolNanoUsd ?? 0);
    this.#notes.note('drawn from a shared budget');
    const outcome: Outcome<{ grantedNanoUsd: number }> = dice.chance(4)
      ? { kind: 'timed_out' }
      : { kind: 'ok', value: { grantedNanoUsd: granted } };
    shell.started.delete(key);
    shell.deliver({ type: 'drawn', key, outcome });
  }

  #settleInquiry({ key, input }: Extract<StartedWork, { kind: 'reconcile' }>, dice: Dice): void {
    const { shell, server } = this;
    shell.started.delete(key);
    if (!this.#calls.isCalm && dice.chance(10)) {
      this.#notes.note('questions unanswered');
      shell.deliver({ type: 'cost_reported', key, outcome: { kind: 'timed_out' } });
      return;
    }
    const found = input.generationIds.flatMap((generationId) => {
      const generation = server.ask(generationId);
      return generation ? [{ generationId, ...generation }] : [];
    });
    if (shell.state.inquiry?.key === key)
      for (const { generationId, promptTokens, completionTokens } of found) {
        this.#notes.note('reconciled');
        this.#resolved.add(generationId);
        const charge = shell.state.ledger.charges.find((one) => one.generationId === generationId);
        if (charge?.lost || charge?.uncounted) this.#notes.countTokens({ promptTokens, completionTokens });
      }
    if (found.length < input.generationIds.length) this.#notes.note('not known yet');
    shell.deliver({ type: 'cost_reported', key, outcome: { kind: 'ok', value: { found } } });
  }

  #attemptAt(key: string): Attempt {
    const attempt = this.#byKey.get(key);
    if (!attempt) throw new Error('An attempt was started unseen.');
    return attempt;
  }

  /** Takes down what was started, and holds the run's money against the server's books. */
  #look(): void {
    const { shell, server } = this;
    for (const { work, state } of shell.starts.slice(this.#byKey.size + this.#otherStarts)) {
      if (work.kind !== 'model') {
        this.#otherStarts += 1;
        continue;
      }
      if (state.model.call?.allowance?.clampedBy) this.#notes.note('clamped');
      const charge = state.ledger.charges.find(({ id }) => id === work.key);
      const attempt: Attempt = {
        key: work.key,
        reservedNanoUsd: charge?.nanoUsd ?? null,
        ceilingNanoUsd: this.#ceilingFor(work.key),
        generation: null,
        told: 'nothing',
        chargedNanoUsd: null,
      };
      this.#byKey.set(work.key, attempt);
      this.attempts.push(attempt);
    }
    server.passTime(shell.nowMs);
    this.#checkSeen();
    const charged = chargedNanoUsd(shell.state.ledger);
    const ceiling = ceilingOf(shell.state);
    if (ceiling !== null && charged > ceiling && !this.#limitsLowered)
      this.#overCeiling ??= { charged, ceiling };
    if (
      shell.state.model.call === null &&
      shell.state.phase === 'model' &&
      shell.state.model.retryAtMs === null
    )
      if (!shell.state.pause && !shell.state.draw?.call) this.#notes.note('waited for what lost calls cost');
  }

  /** The ceiling in force when the money for a call was set aside. What is due comes before a word that lowers the ceiling. */
  #ceilingFor(key: string): number | null {
    const decided = [...this.shell.applied]
      .reverse()
      .find(({ before, after }) => after.model.call?.key === key && before.model.call?.key !== key);
    if (!decided) throw new Error(`Nothing was set aside for ${key}.`);
    const [before, after] = [ceilingOf(decided.before), ceilingOf(decided.after)];
    return before === null || after === null ? null : Math.max(before, after);
  }

  #checkSeen(): void {
    const billed = this.server.billedNanoUsd;
    const charged = chargedNanoUsd(this.shell.state.ledger);
    if (charged < billed && this.#notes.pricesKnown) this.#unseen ??= { billed, charged };
  }
}

/** The ceiling in force, in whole nano-dollars. */
function ceilingOf({ prepared, draw }: RunState): number | null {
  const maxCostUsd = prepared?.limits.maxCostUsd ?? null;
  const own = maxCostUsd === null ? null : Math.round(maxCostUsd * 1e9);
  return draw === null ? own : Math.min(own ?? Infinity, draw.grantedNanoUsd);
}
