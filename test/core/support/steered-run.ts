import fc from 'fast-check';
import { isPending } from '../../../src/core/calls/calls.js';
import type { SayMode } from '../../../src/core/human/controls.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import {
  callOf, eventsOf, gatedCall, modelAnswers, modelCalledOff, modelCalls, modelFails, running, toolSettles,
} from './run.js'; // prettier-ignore
import type { Shell, StartedWork } from './shell.js';

/** One thing that happens to a run under steering. */
export type Move =
  | { do: 'say'; mode: SayMode; named: boolean }
  /** Sends a message again that was sent before. */
  | { do: 'repeat'; which: number }
  /** The oldest piece of work settles, well or badly. */
  | { do: 'settle'; how: number }
  | { do: 'pause' | 'resume' | 'reload' | 'wait' | 'stop' | 'cancel' };

const MODES = ['queue', 'steer', 'interrupt'] as const;

/** Moves of a life: mostly words and work. */
export const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('say' as const),
        mode: fc.constantFrom(...MODES),
        named: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat(40) }) },
    { weight: 12, arbitrary: fc.record({ do: fc.constant('settle' as const), how: fc.nat(99) }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume', 'resume', 'reload', 'wait') }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'cancel', 'reload', 'wait') }) },
  ),
  { maxLength: 60, size: 'max' },
);

interface Sent {
  text: string;
  mode: SayMode;
  messageId?: string;
}

/** A run that is spoken to all its life. Every message that is sent says something of its own. */
export class SteeredRun {
  readonly shell: Shell = running();
  /** Everything that was sent, also what was refused. */
  readonly sent: Sent[] = [];
  /** Of these, those that the run has accepted, in the order in which it did. */
  readonly accepted: (Sent & { id: string })[] = [];

  constructor(life: readonly Move[]) {
    for (const move of life) this.#make(move);
  }

  /** Settles what is under way, well, until the run has ended. */
  finish(): this {
    for (let round = 0; round < 500 && this.shell.state.phase !== 'closed'; round += 1) {
      const { state, started } = this.shell;
      if (state.pause) this.shell.control('resume');
      else if (started.size > 0 || state.calls.some(isPending)) this.#settle(99);
      else this.shell.awaitTimer();
    }
    return this;
  }

  /** Texts of messages in a transcript, in order. */
  heard(items: readonly TranscriptItem[] = this.shell.state.transcript): string[] {
    const own = new Set(this.sent.map(({ text }) => text));
    return items.flatMap(({ role, content }) => (role === 'user' && own.has(content) ? content : []));
  }

  /** Texts of the messages that wait. */
  get waiting(): string[] {
    return this.shell.state.queue.map(({ text }) => text);
  }

  modeOf(text: string): SayMode | undefined {
    return this.sent.find((one) => one.text === text)?.mode;
  }

  #make(move: Move): void {
    const { shell } = this;
    if (shell.state.phase === 'closed') return;
    switch (move.do) {
      case 'say':
        return this.#say({
          text: `message ${this.sent.length}`,
          mode: move.mode,
          ...(move.named && { messageId: `id-${this.sent.length}` }),
        });
      case 'repeat': {
        const named = this.sent.filter(({ messageId }) => messageId !== undefined);
        const first = named[move.which % (named.length || 1)];
        if (first) this.#say({ ...first, text: `repeat ${this.sent.length}` });
        return;
      }
      case 'settle':
        return this.#settle(move.how);
      case 'pause':
      case 'resume':
      case 'stop':
        return void shell.control(move.do);
      case 'reload':
        return void shell.reload();
      case 'wait':
        return void (shell.timerAtMs !== null && shell.awaitTimer());
      case 'cancel':
        return void shell.deliver({ type: 'cancel_requested' });
    }
  }

  #say(message: Sent): void {
    const before = this.shell.events.length;
    this.sent.push(message);
    this.shell.control('say', message);
    for (const { messageId } of eventsOf(this.shell.events.slice(before), 'message_accepted'))
      this.accepted.push({ ...message, id: messageId });
  }

  #settle(how: number): void {
    const [work] = this.shell.started.values();
    if (work?.kind === 'model') this.#settleModel(work.key, how);
    else if (work) this.#settleOther(work);
    else this.#decide();
  }

  #settleModel(key: string, how: number): void {
    const { shell } = this;
    if (shell.cancelled.has(key) && how < 80) return void modelCalledOff(shell, { sent: true });
    if (how < 10) return void modelFails(shell, 'MODEL_UNAVAILABLE', true, { sent: true });
    if (how < 12) return void modelFails(shell, 'MODEL_AUTH', false, { unsent: true });
    if (how < 60)
      return void modelCalls(shell, callOf({ effect: 'read' }), ...(how < 25 ? [gatedCall()] : []));
    modelAnswers(shell, { text: `Answer to ${key}.` });
  }

  #settleOther({ key, kind }: StartedWork): void {
    const { shell } = this;
    if (kind === 'tool') return void toolSettles(shell, key, { kind: 'ok', value: { content: 'ok' } });
    if (kind === 'reconcile')
      return void shell.deliver(shell.settlementOf(key, kind, { kind: 'ok', value: { found: [] } }));
    throw new Error(`${kind} is not expected to be under way.`);
  }

  #decide(): void {
    const { shell } = this;
    const call = shell.state.calls.find(isPending);
    if (call) shell.control('approve', { callId: call.id });
  }
}
