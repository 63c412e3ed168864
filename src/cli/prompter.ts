import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Streams } from './context.js';
import { promptFor, promptForText, readLine, type Choice, type Question } from './decision-prompt.js';

/** What was typed before a question was there is no answer to it; it arrives within this time. So do the lines of one paste. */
const BURST_MS = 60;

interface Asked {
  item: Question;
  /** The choice that waits for its text. */
  textFor: 'reject' | 'answer' | null;
  /** What was typed so far: pasted text has several lines. */
  lines: string[];
}

/**
 * Asks for decisions and messages on the last line of a terminal while other lines go on appearing above it. One question at a time, in
 * the order in which they came up; a question that was settled elsewhere goes away.
 */
export class Prompter {
  private queue: Question[] = [];
  private question: Asked | null = null;
  private readline: Interface | null = null;
  private isShown = false;
  private isClosed = false;
  private isMidLine = false;
  /** A line that is not complete waits here while a question has the last line. */
  private heldBack = '';

  /** @param on.choose hears of each choice. @param on.interrupt hears of Ctrl-C. */
  constructor(
    private readonly streams: Pick<Streams, 'stdin' | 'stdout'>,
    private readonly on: { choose(item: Question, choice: Choice): void; interrupt(): void },
  ) {}

  /** Asks, when the questions before are settled. What was asked before under the same id is not asked any more. */
  ask(item: Question): void {
    this.withdraw(item.callId);
    if (this.isClosed) return this.leave(item);
    this.queue.push(item);
    if (!this.question) void this.next();
  }

  /** Forgets a question that was settled, and those of the sub-agent that had carried the call out. */
  withdraw(callId: string): void {
    const isSettled = (item: Question) => item.callId === callId || item.callId.startsWith(`${callId}/`);
    this.queue = this.queue.filter((item) => !isSettled(item));
    if (!this.question || !isSettled(this.question.item)) return;
    this.hide();
    void this.next();
  }

  /** Writes above the question. */
  print(text: string): void {
    if (!this.isShown) return this.write(text);
    const all = this.heldBack + text;
    const end = all.lastIndexOf('\n') + 1;
    this.heldBack = all.slice(end);
    if (end === 0) return;
    this.hide();
    this.write(all.slice(0, end));
    this.show();
  }

  /** Gives the terminal back. */
  close(): void {
    this.isClosed = true;
    this.hide();
    this.release();
  }

  private async next(): Promise<void> {
    const item = this.queue.shift();
    this.question = item ? { item, textFor: null, lines: [] } : null;
    const { question } = this;
    if (!question || this.isClosed) return this.release();
    const readline = this.readline ?? this.open();
    readline.removeAllListeners('line');
    await delay(BURST_MS);
    if (this.isClosed || this.question !== question) return;
    readline.write(null, { ctrl: true, name: 'u' });
    readline.on('line', (line) => void this.gather(question, line));
    this.show();
  }

  private open(): Interface {
    const { stdin, stdout } = this.streams;
    const readline = createInterface({
      input: stdin,
      output: stdout,
      terminal: true,
      prompt: '',
      historySize: 0,
    });
    this.readline = readline;
    readline.on('SIGINT', () => this.on.interrupt());
    // Ctrl-D: the questions stay for later, and the watching goes on.
    readline.on('close', () => {
      if (this.readline !== readline) return;
      const { question } = this;
      this.isClosed = true;
      this.hide();
      this.release();
      if (question) this.leave(question.item);
    });
    return readline;
  }

  /** Whoever can be asked no more says nothing more to a session. */
  private leave(item: Question): void {
    if (item.kind === 'message') this.on.choose(item, { kind: 'leave' });
  }

  private release(): void {
    const { readline } = this;
    this.question = null;
    this.readline = null;
    readline?.close();
    this.write(this.heldBack);
    this.heldBack = '';
  }

  private async gather(question: Asked, line: string): Promise<void> {
    this.isShown = false;
    const count = question.lines.push(line);
    await delay(BURST_MS);
    // Settled elsewhere meanwhile, more lines have come, or one more is under way.
    if (this.question !== question || question.lines.length !== count || this.readline?.line) return;
    this.take(question, question.lines.splice(0).join('\n'));
  }

  private take(question: Asked, line: string): void {
    const { item, textFor } = question;
    const reading =
      textFor === null
        ? readLine(item.kind, line)
        : { choice: { kind: textFor, text: line.trim() } as const };
    if ('choice' in reading) {
      if (reading.choice.kind !== 'later') this.on.choose(item, reading.choice);
      void this.next();
      return;
    }
    if ('textFor' in reading) question.textFor = reading.textFor;
    this.show();
  }

  private show(): void {
    const { question, readline } = this;
    if (!question || !readline) return;
    if (this.isMidLine) this.write('\n');
    readline.setPrompt(
      question.textFor === null ? promptFor(question.item) : promptForText(question.textFor),
    );
    readline.prompt(true);
    this.isShown = true;
  }

  /** Takes the question off the screen; what was typed so far is kept. */
  private hide(): void {
    if (!this.isShown || !this.readline) return;
    const { stdout } = this.streams;
    moveCursor(stdout, 0, -this.readline.getCursorPos().rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    this.isShown = false;
  }

  private write(text: string): void {
    if (text === '') return;
    this.streams.stdout.write(text);
    this.isMidLine = !text.endsWith('\n');
  }
}
