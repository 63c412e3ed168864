import { apply } from '../../../src/core/apply.js';
import type { DrawResult } from '../../../src/core/money/budget-draw.js';
import type { ControlName } from '../../../src/core/human/controls.js';
import type { RunEvent } from '../../../src/core/events.js';
import type { ArgsCheck, Input } from '../../../src/core/inputs.js';
import type {
  CostReport,
  ModelResult,
  Outcome,
  ToolResult,
  Verification,
} from '../../../src/core/outcomes.js';
import type { RunResult } from '../../../src/core/progress.js';
import type { Relayed } from '../../../src/core/human/relays.js';
import type { DecisionVerdict } from '../../../src/core/human/statement.js';
import type { Prepared } from '../../../src/core/run-input.js';
import { readSnapshot, takeSnapshot } from '../../../src/core/snapshot.js';
import { startState } from '../../../src/core/start.js';
import type { RunState } from '../../../src/core/state.js';
import { plan, type Plan } from '../../../src/core/work.js';
import { deepFreeze } from './freeze.js';

type WithoutTime<T> = T extends Input ? Omit<T, 'atMs'> : never;

/** An input before the clock has stamped it. */
export type Fact = WithoutTime<Input>;

export type StartedWork = Plan['start'][number];

/** What a piece of work may settle with; which of them fits is known by the work's kind. */
export interface Settlement {
  prepare: Outcome<Prepared>;
  model: Outcome<ModelResult>;
  tool: Outcome<ToolResult>;
  check: Outcome<ArgsCheck>;
  reconcile: Outcome<CostReport>;
  draw: Outcome<DrawResult>;
  verify: Outcome<Verification>;
  judge: Outcome<DecisionVerdict>;
  relay: Outcome<Relayed>;
  report: Outcome<unknown>;
  notify: Outcome<unknown>;
  child: Outcome<RunResult>;
}

/** One application, as it happened. */
export interface Applied {
  input: Input;
  before: RunState;
  after: RunState;
  events: RunEvent[];
  /** How many events there had been before. */
  eventCount: number;
}

/** One thing that was started, and the state that asked for it. */
export interface Start {
  work: StartedWork;
  state: RunState;
  atMs: number;
  eventCount: number;
}

/** How things stood after a workflow task: what the run awaited from then on. */
export interface Moment {
  state: RunState;
  nowMs: number;
  timerAtMs: number | null;
  closed: boolean;
  started: ReadonlyMap<string, StartedWork>;
  eventCount: number;
}

export const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

/**
 * Does what the workflow does, without Temporal: feeds inputs in order, keeps `work` true by `plan`, and writes down all
 * that happens. States and inputs are frozen, so an application that changes either in place throws.
 */
export class Shell {
  state: RunState;
  nowMs = START_MS;
  timerAtMs: number | null = null;
  closed = false;
  readonly events: RunEvent[] = [];
  readonly applied: Applied[] = [];
  readonly starts: Start[] = [];
  readonly moments: Moment[] = [];
  readonly started = new Map<string, StartedWork>();
  readonly cancelled = new Set<string>();

  /** @param run its id and the time at which it starts. */
  constructor(input: unknown = { goal: 'Tidy up.' }, { runId = 'run-1', atMs = START_MS } = {}) {
    this.nowMs = atMs;
    this.state = deepFreeze(startState(input, { runId, firstRunId: 'first-1', atMs }));
    this.#sync();
  }

  /** One workflow task that brings all of `facts`; what they ask for is started after the last of them. */
  deliver(...facts: readonly Fact[]): this {
    for (const fact of facts) this.#take({ ...fact, atMs: this.nowMs });
    this.#sync();
    return this;
  }

  control(name: ControlName, payload?: unknown): this {
    return this.deliver({ type: 'control', name, payload });
  }

  /** The fact that something started has settled. It is no longer under way from here on. */
  settlementOf<K extends keyof Settlement>(key: string, kind: K, outcome: Settlement[K]): Fact {
    this.started.delete(key);
    this.cancelled.delete(key);
    // The outcome belongs to the kind; TypeScript cannot follow the pair through the switch.
    const settled = outcome as Outcome<never>;
    switch (kind) {
      case 'prepare':
        return { type: 'prepared', outcome: settled };
      case 'model':
        return { type: 'model_settled', key, outcome: settled };
      case 'tool':
        return { type: 'tool_settled', key, outcome: settled };
      case 'reconcile':
        return { type: 'cost_reported', key, outcome: settled };
      case 'draw':
        return { type: 'drawn', key, outcome: settled };
      case 'verify':
        return { type: 'verified', key, outcome: settled };
      case 'judge':
        return { type: 'decision_checked', key, outcome: settled };
      case 'relay':
        return { type: 'relayed', key, outcome: settled };
      case 'report':
        return { type: 'reported', key, outcome: settled };
      case 'notify':
        return { type: 'notified', key, outcome: settled };
      case 'child':
        return { type: 'child_settled', key, outcome: settled };
      default:
        return { type: 'args_checked', key, outcome: settled };
    }
  }

  /** Moves the clock and lets the timer fire if it is due by then. */
  advance(ms: number): this {
    this.nowMs += ms;
    return this.timerAtMs !== null && this.timerAtMs <= this.nowMs ? this.deliver({ type: 'tick' }) : this;
  }

  /** Moves the clock to the timer and lets it fire. */
  awaitTimer(): this {
    if (this.timerAtMs === null) throw new Error('There is no timer.');
    return this.advance(Math.max(0, this.timerAtMs - this.nowMs));
  }

  /** What continue-as-new does to the state. */
  reload(): this {
    const state = readSnapshot(JSON.parse(JSON.stringify(takeSnapshot(this.state))));
    if (!state) throw new Error('The snapshot cannot be read.');
    this.state = deepFreeze(state);
    this.#sync();
    return this;
  }

  #take(input: Input): void {
    const before = this.state;
    const { state, events } = apply(before, deepFreeze(input));
    this.state = deepFreeze(state);
    this.applied.push({ input, before, after: state, events, eventCount: this.events.length });
    this.events.push(...events);
  }

  #sync(): void {
    for (let round = 0; round < 100; round++) {
      const next = plan(this.state, new Set(this.started.keys()), this.nowMs);
      this.timerAtMs = next.timerAtMs;
      this.closed = next.close;
      for (const input of next.settled) this.#take(input);
      if (next.settled.length > 0) continue;
      for (const key of next.cancel) this.cancelled.add(key);
      for (const work of next.start) {
        this.started.set(work.key, work);
        this.starts.push({ work, state: this.state, atMs: this.nowMs, eventCount: this.events.length });
      }
      const { state, nowMs, timerAtMs, closed } = this;
      this.moments.push({
        state,
        nowMs,
        timerAtMs,
        closed,
        started: new Map(this.started),
        eventCount: this.events.length,
      });
      return;
    }
    throw new Error('What was called off is never settled.');
  }
}
