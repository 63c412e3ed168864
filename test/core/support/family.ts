import { checkControl } from '../../../src/core/human/controls-check.js';
import type { ControlName } from '../../../src/core/human/controls.js';
import type { Outcome } from '../../../src/core/outcomes.js';
import type { RunResult } from '../../../src/core/progress.js';
import { answerTo, errandOf, type Relayed } from '../../../src/core/human/relays.js';
import { pendingOf } from '../../../src/core/agents/reports.js';
import { Dice } from './dice.js';
import { someModelResult, type SimulatedCall } from './model-world.js';
import { Shell, START_MS, type StartedWork } from './shell.js';
import {
  someArgsCheck,
  someCalls,
  somePolicies,
  someToolOutcome,
  someVerification,
  type Policies,
} from './tool-world.js';
import { APPROVERS, NAMES, preparedWith } from './world.js';

/** A simulated life of a run with its sub-agents: its circumstances, what happens, and how it goes on after that. */
export interface FamilyLife {
  setup: number;
  moves: readonly number[];
  ending: number;
}

/** A control that a run waits for another one's word about. */
interface Carried {
  from: Shell;
  key: string;
  to: Shell;
  /** What the other one has begun to carry it out. */
  errand: string;
}

type WorkOf<K extends StartedWork['kind']> = Extract<StartedWork, { kind: K }>;

/** A run, its sub-agents and theirs, each with a shell of its own; what goes to and fro between them is carried in any order. */
export class Family {
  readonly root: Shell;
  readonly runs = new Map<string, Shell>();
  /** Runs that the server has ended without asking them. */
  readonly ended = new Set<string>();
  readonly #policies: Policies;
  #carried: Carried[] = [];
  readonly #orphans = new Set<Shell>();
  /** Signals that the server may deliver once more. */
  readonly #signals: { to: Shell; payload: unknown }[] = [];
  #nowMs = START_MS;
  #calls = 0;
  #generations = 0;
  #isCalm = false;

  constructor({ setup, moves }: Pick<FamilyLife, 'setup' | 'moves'>) {
    const dice = new Dice(setup);
    this.#policies = somePolicies(dice);
    this.root = this.#start('root', {
      goal: 'Tidy up.',
      ...(dice.chance(25) && { approvers: APPROVERS }),
      ...(dice.chance(40) && { requestedBy: 'eve' }),
      ...(dice.chance(30) && { webhookUrl: 'https://hooks.example/' }),
      limits: { maxCostUsd: dice.chance(60) ? (1 + dice.roll(3_000)) / 1_000 : null },
    });
    for (const move of moves) this.#move(new Dice(move));
  }

  /** Everything that is under way settles, well, and humans decide at the root, until all runs have ended or nothing happens any more. */
  finish(seed: number): this {
    const dice = new Dice(seed);
    this.#isCalm = true;
    for (let round = 0; round < 2_000 && !this.isOver(); round++) this.#goOn(dice);
    return this;
  }

  isOver(): boolean {
    return [...this.runs.values()].every(({ closed }) => closed);
  }

  /** What has not arrived yet: reports, controls and ends on their way. */
  hasMail(): boolean {
    const mail = ['relay', 'report', 'child'];
    return this.#open().some(({ work }) => mail.includes(work.kind));
  }

  #start(runId: string, input: unknown): Shell {
    const shell = new Shell(input, { runId, atMs: this.#nowMs });
    this.runs.set(runId, shell);
    return shell;
  }

  #open(): { shell: Shell; work: StartedWork }[] {
    return [...this.runs.values()].flatMap((shell) =>
      shell.closed ? [] : [...shell.started.values()].map((work) => ({ shell, work })),
    );
  }

  #move(dice: Dice): void {
    this.#pass(dice.chance(30) ? dice.roll(60_000) : 1);
    const kind = dice.roll(100);
    if (kind < 3) this.root.control(dice.pick(['pause', 'resume', 'stop'] as const));
    else if (kind < 9) this.root.control(dice.pick(['pause', 'resume'] as const));
    else if (kind === 9) this.root.deliver({ type: 'cancel_requested' });
    else if (kind === 10) this.#terminate(dice);
    else if (kind < 15) this.#repeat(dice);
    else if (kind < 40) this.#speak(dice);
    else if (kind < 45) dice.pick([...this.runs.values()])?.reload();
    else this.#settleOne(dice);
    this.#clearUp();
  }

  #goOn(dice: Dice): void {
    this.#pass(1);
    if (this.root.state.pause) this.root.control('resume');
    else if (dice.chance(30)) this.#speak(dice);
    else if (!this.#settleOne(dice)) if (!this.#speak(dice)) this.#awaitTimer();
    this.#clearUp();
  }

  /** What the server does by itself: updates answer, and what a run that has ended leaves behind is told to end. */
  #clearUp(): void {
    this.#answer();
    for (const shell of this.runs.values()) {
      const parent = this.runs.get(shell.state.parent?.runId ?? '');
      if (!parent?.closed || shell.closed || this.#orphans.has(shell)) continue;
      this.#orphans.add(shell);
      shell.deliver({ type: 'cancel_requested' });
    }
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    for (const shell of this.runs.values()) {
      if (shell.closed) continue;
      shell.nowMs = this.#nowMs;
      if (shell.timerAtMs !== null && shell.timerAtMs <= this.#nowMs) shell.deliver({ type: 'tick' });
    }
  }

  #awaitTimer(): void {
    const times = [...this.runs.values()].flatMap(({ closed, timerAtMs }) =>
      closed ? [] : (timerAtMs ?? []),
    );
    if (times.length > 0) this.#pass(Math.max(1, Math.min(...times) - this.#nowMs));
  }

  /** The server may deliver a signal again. */
  #repeat(dice: Dice): void {
    const signal = dice.pick(this.#signals);
    if (signal && !signal.to.closed) signal.to.control('report', signal.payload);
  }

  #terminate(dice: Dice): void {
    const open = ({ closed, state }: Shell) => !closed && state.phase !== 'settling';
    const shell = dice.pick([...this.runs.values()].filter((one) => one !== this.root && open(one)));
    if (!shell) return;
    shell.deliver({ type: 'ended_outside', how: 'terminated', message: 'Gone.' });
    this.ended.add(shell.state.runId);
  }

  /** A human's word at the root. Returns whether one was awaited. */
  #speak(dice: Dice): boolean {
    const item = dice.pick(pendingOf(this.root.state));
    if (!item) return false;
    const { callId, kind, argsHash } = item;
    const voice = { callId, by: dice.pick(NAMES), signature: 'c2lnbmVk' };
    if (kind === 'question') this.root.control('answer', { ...voice, text: 'The blue one.' });
    else
      this.root.control('decide', {
        ...voice,
        decision: dice.chance(75) ? 'approve' : 'reject',
        ...(argsHash !== null && { argsHash }),
        ...(kind === 'decision' && dice.chance(10) && { scope: 'run' }),
      });
    return true;
  }

  #settleOne(dice: Dice): boolean {
    const waiting = new Set(this.#carried.map(({ from, key }) => `${from.state.runId} ${key}`));
    const ready = this.#open().filter(({ shell, work }) => {
      if (waiting.has(`${shell.state.runId} ${work.key}`)) return false;
      if (work.kind !== 'child') return true;
      const child = this.runs.get(work.runId);
      // A sub-agent that goes on has no end to tell yet.
      return (
        !child ||
        child.closed ||
        (shell.cancelled.has(work.key) && !child.state.cancelRequested && child.state.phase !== 'settling')
      );
    });
    const one = dice.pick(ready);
    if (!one) return false;
    this.#settle(one.shell, one.work, dice);
    return true;
  }

  #settle(shell: Shell, work: StartedWork, dice: Dice): void {
    const { key } = work;
    const ok = <T>(value: T): Outcome<T> & { kind: 'ok' } => ({ kind: 'ok', value });
    switch (work.kind) {
      case 'child':
        return this.#carryOn(shell, work);
      case 'relay':
        return this.#relay(shell, work, dice);
      case 'report':
        return this.#report(shell, work, dice);
      case 'prepare': {
        const { limits, parent } = shell.state.input;
        const { maxCostUsd = null, maxSteps = null, maxTokens = null, maxDurationMs = null } = limits ?? {};
        const prepared = preparedWith({
          limits: { maxCostUsd, maxSteps: maxSteps ?? (parent ? 4 : 8), maxTokens, maxDurationMs },
        });
        return void shell.deliver(shell.settlementOf(key, 'prepare', ok(prepared)));
      }
      case 'model':
        return this.#settleModel(shell, work, dice);
      case 'tool': {
        const outcome = this.#isCalm ? ok({ content: 'ok' }) : someToolOutcome(dice);
        return void shell.deliver(
          shell.settlementOf(key, 'tool', shell.cancelled.has(key) ? { kind: 'cancelled' } : outcome),
        );
      }
      case 'verify':
        return void shell.deliver(shell.settlementOf(key, 'verify', someVerification(dice)));
      case 'check':
        return void shell.deliver(shell.settlementOf(key, 'check', someArgsCheck(dice)));
      case 'judge':
        return void shell.deliver(
          shell.settlementOf(key, 'judge', ok({ ok: true as const, approver: dice.pick(NAMES) })),
        );
      case 'notify':
        return void shell.deliver(shell.settlementOf(key, 'notify', ok(undefined)));
      case 'reconcile':
        return void shell.deliver(shell.settlementOf(key, 'reconcile', ok({ found: [] })));
      case 'draw':
        return void shell.deliver(
          shell.settlementOf(key, 'draw', ok({ grantedNanoUsd: work.input.totalNanoUsd })),
        );
    }
  }

  /** Starts a sub-agent, hands a cancellation down, or tells of its end. */
  #carryOn(shell: Shell, { key, runId, input }: WorkOf<'child'>): void {
    const child = this.runs.get(runId);
    if (!child) return void this.#start(runId, input);
    if (!child.closed) return void child.deliver({ type: 'cancel_requested' });
    const { result } = child.state;
    if (!result) throw new Error('A closed run has a result.');
    shell.deliver(shell.settlementOf(key, 'child', this.#endOf(child, result)));
  }

  #endOf({ state }: Shell, result: RunResult): Outcome<RunResult> {
    if (this.ended.has(state.runId)) return { kind: 'timed_out' };
    if (result.outcome === 'cancelled') return { kind: 'cancelled' };
    if (result.outcome !== 'failed') return { kind: 'ok', value: result };
    // It crosses the wire as the details of a failure.
    const details = JSON.parse(JSON.stringify(result));
    return { kind: 'failed', code: 'TOOL_FAILED', message: 'It broke.', retryable: false, details };
  }

  /** Hands a control to another run as an update: refused at once, carried out at once, or later. */
  #relay(from: Shell, work: WorkOf<'relay'>, dice: Dice): void {
    const { key, input } = work;
    const settle = (value: Relayed) =>
      void from.deliver(from.settlementOf(key, 'relay', { kind: 'ok', value }));
    const to = this.runs.get(input.runId);
    if (!to || to.closed)
      return settle({ refusal: { code: 'RUN_CLOSED', message: 'The sub-agent has ended.' } });
    const mayGetLost = input.name === 'decide' || input.name === 'answer';
    if (!this.#isCalm && mayGetLost && dice.chance(3))
      return void from.deliver(from.settlementOf(key, 'relay', { kind: 'timed_out' }));
    const checked = checkControl(to.state, input.name, input.payload);
    if ('refusal' in checked) return settle({ refusal: checked.refusal });
    const before = to.state;
    to.control(input.name, input.payload);
    const errand = this.#errandOf(before, to, input.name);
    if (errand === null) return settle({});
    this.#carried.push({ from, key, to, errand });
  }

  #errandOf(before: Shell['state'], to: Shell, name: ControlName): string | null {
    return name === 'decide' || name === 'answer' ? errandOf(before, to.state) : null;
  }

  /** Updates whose word has come answer. */
  #answer(): void {
    for (const one of this.#carried) {
      const { from, key, to, errand } = one;
      const answered = answerTo(to.state, errand);
      if (!answered && to.state.phase !== 'settling' && to.state.phase !== 'closed') continue;
      this.#carried = this.#carried.filter((other) => other !== one);
      if (from.closed || !from.started.has(key)) continue;
      const refusal = answered
        ? answered.refusal
        : { code: 'RUN_CLOSED' as const, message: 'It ended before.' };
      from.deliver(from.settlementOf(key, 'relay', { kind: 'ok', value: refusal ? { refusal } : {} }));
    }
  }

  /** A report is a signal: it may come more than once, also after later ones. */
  #report(shell: Shell, { key, input }: WorkOf<'report'>, dice: Dice): void {
    const to = this.runs.get(input.runId);
    if (to && !to.closed) {
      to.control('report', input.payload);
      this.#signals.push({ to, payload: input.payload });
      // The worker was lost before it could say that the signal was sent.
      if (dice.chance(15)) return;
    }
    shell.deliver(shell.settlementOf(key, 'report', { kind: 'ok', value: undefined }));
  }

  #settleModel(shell: Shell, work: WorkOf<'model'>, dice: Dice): void {
    if (shell.cancelled.has(work.key))
      return void shell.deliver(shell.settlementOf(work.key, 'model', { kind: 'cancelled' }));
    const call: SimulatedCall = {
      reservedNanoUsd: shell.state.ledger.charges.find(({ id }) => id === work.key)?.nanoUsd ?? null,
      generationId: `gen-${this.#generations++}`,
      lostIds: [],
      nextCallId: () => `call_${this.#calls++}`,
      policies: this.#policies,
    };
    const asks = !this.#isCalm && work.input.purpose === 'step' && dice.chance(90);
    const calls = asks ? someCalls(dice, call.nextCallId, this.#policies).slice(0, 4) : [];
    const { estimated: _, generationId: _id, ...value } = someModelResult(dice, call, calls);
    shell.deliver(
      shell.settlementOf(work.key, 'model', {
        kind: 'ok',
        value: { ...value, costNanoUsd: value.costNanoUsd ?? 0 },
      }),
    );
  }
}
