import type { Delta } from '../client/deltas.js';
import type { WatchedEvent } from '../client/run-handle.js';
import { formatDuration, indented, oneLine, printable } from './format.js';
import { renderEvent } from './render-event.js';
import { howToSettle } from './render-pending.js';
import { renderResult } from './render-result.js';
import { SpendTally } from './spend-tally.js';
import type { Style } from './style.js';

const INDENT = '  ';

/** What of the model's words in the step under way is on the screen. */
interface Step {
  /** All text so far, from its start on, without gaps. */
  text: string;
  /** Characters of it that were written. */
  written: number;
  /** Pieces are missing, so the rest waits for the end of the step. */
  hasGap: boolean;
  showsReasoning: boolean;
}

const newStep = (): Step => ({ text: '', written: 0, hasGap: false, showsReasoning: false });

/**
 * Turns a run's events and deltas into text to append to a terminal: what was written stays, and the model's words are never written
 * wrong or twice. Knows of no stream; {@link DeltaGate} puts the deltas into their place before.
 */
export class LiveView {
  private step: Step | null = null;
  private isMidLine = false;
  private readonly spend = new SpendTally();
  private startedAt: string | null = null;
  private lastText = '';
  private lastVerdict = '';

  /** @param options.showCommands whether a pending call is shown with the commands that settle it. */
  constructor(
    private readonly style: Style,
    private readonly options: { showCommands: boolean },
  ) {}

  /** Takes note of an event that is not shown. */
  skip(event: WatchedEvent): void {
    if (event.type === 'run_started') this.startedAt = event.at;
    this.spend.take(event);
  }

  /** What to append for an event. */
  event(event: WatchedEvent): string {
    this.skip(event);
    switch (event.type) {
      case 'step_started': {
        const revoked = this.revoke();
        this.step = newStep();
        return revoked + this.block(renderEvent(event, this.style));
      }
      case 'model_failed': {
        const revoked = this.revoke();
        this.step = null;
        return revoked + this.block(renderEvent(event, this.style));
      }
      case 'model_completed':
        return this.complete(event);
      case 'decision_requested':
      case 'decision_reminder':
        return this.block([...renderEvent(event, this.style), ...this.commands(event)]);
      case 'turn_completed':
        return this.block([
          ...this.answer(event.answer),
          ...renderEvent(event, this.style),
          ...(this.options.showCommands ? [this.style.dim(`    longhaul say ${event.runId} "TEXT"`)] : []),
        ]);
      case 'run_completed':
        return this.end(event);
      default:
        return this.block(renderEvent(event, this.style));
    }
  }

  /** What to append for a delta of something that is under way. */
  delta(delta: Delta): string {
    switch (delta.type) {
      case 'text_delta':
        return this.text(delta);
      case 'reasoning_delta':
        return this.reasoning(delta.text);
      case 'tool_progress':
        return this.block([this.style.dim(`${INDENT}· ${delta.callId} ${oneLine(delta.text, 200)}`)]);
      case 'step_reset': {
        const revoked = this.revoke();
        this.step = newStep();
        return revoked;
      }
    }
  }

  private text(delta: { text: string; offset: number }): string {
    this.step ??= newStep();
    const { step } = this;
    if (step.hasGap) return '';
    if (delta.offset > step.text.length) {
      step.hasGap = true;
      return this.block([
        this.style.dim(`${INDENT}(joined in the middle of an answer; it follows when it is complete)`),
      ]);
    }
    step.text += delta.text.slice(step.text.length - delta.offset);
    const begins = step.showsReasoning && step.written === 0 ? this.endLine() : '';
    // Half of a surrogate pair waits for its other half.
    const end = /[\ud800-\udbff]$/.test(step.text) ? step.text.length - 1 : step.text.length;
    const piece = step.text.slice(step.written, end);
    step.written = end;
    return begins + this.flow(piece);
  }

  private reasoning(text: string): string {
    this.step ??= newStep();
    // Thoughts that come between words would tear them apart.
    if (this.step.written > 0) return '';
    this.step.showsReasoning = true;
    return this.flow(text, this.style.dim);
  }

  private complete(event: Extract<WatchedEvent, { type: 'model_completed' }>): string {
    const [usage = ''] = renderEvent(event, this.style);
    const total = this.style.dim(` · ${this.spend.words()}`);
    // A summary is for the model; what became of the conversation is told next.
    if (event.purpose === 'compaction') return this.block([usage + total]);
    const step = this.step ?? newStep();
    this.step = null;
    if (event.purpose === 'review') this.lastVerdict = event.text;
    else this.lastText = event.text;
    const written = step.text.slice(0, step.written);
    const fits = event.text.startsWith(written);
    const before = fits
      ? ''
      : this.block([this.style.yellow(`${INDENT}(what was shown is not what was said in the end)`)]);
    const rest = fits ? event.text.slice(written.length) : event.text;
    const begins = step.showsReasoning && step.written === 0 ? this.endLine() : '';
    return before + begins + this.flow(rest.trimEnd()) + this.block([usage + total]);
  }

  private end(event: Extract<WatchedEvent, { type: 'run_completed' }>): string {
    const { answer, error, review } = event.result;
    // What the reviewer found stands above.
    const isShown = review?.gaps?.trim() === this.lastVerdict.trim();
    const result = { ...event.result, review: review && { ...review, gaps: isShown ? null : review.gaps } };
    const tookMs = this.startedAt === null ? null : Date.parse(event.at) - Date.parse(this.startedAt);
    const [title = '', ...rest] = renderResult(result, this.style, this.spend.ceilingUsd);
    return this.block([
      ...this.answer(answer, error?.message),
      `${title}${tookMs === null ? '' : ` · ${formatDuration(tookMs)}`}`,
      ...rest,
    ]);
  }

  /** An answer that is not on the screen yet, as words of the model or because an error says the same. */
  private answer(answer: string, error = ''): string[] {
    const isShown = ['', this.lastText.trim(), error.trim()].includes(answer.trim());
    return isShown ? [] : indented(answer.trim(), INDENT);
  }

  private commands(
    event: Extract<WatchedEvent, { type: 'decision_requested' | 'decision_reminder' }>,
  ): string[] {
    if (!this.options.showCommands) return [];
    return howToSettle(event, event.runId).map((line) => this.style.dim(`      ${line}`));
  }

  /** Says that what the step has shown so far does not count. */
  private revoke(): string {
    const { step } = this;
    if (!step || (step.written === 0 && !step.showsReasoning)) return '';
    return this.block([this.style.yellow(`${INDENT}(revoked: the call is made again)`)]);
  }

  /** Ends a line that is under way, as something else is about to be written. */
  endLine(): string {
    if (!this.isMidLine) return '';
    this.isMidLine = false;
    return '\n';
  }

  private block(lines: readonly string[]): string {
    return lines.length === 0 ? '' : `${this.endLine()}${lines.join('\n')}\n`;
  }

  /** Text that goes on where the last piece ended. */
  private flow(text: string, paint: (line: string) => string = (line) => line): string {
    let out = '';
    for (const [index, line] of printable(text).split('\n').entries()) {
      if (index > 0) {
        out += '\n';
        this.isMidLine = false;
      }
      if (line === '') continue;
      out += (this.isMidLine ? '' : INDENT) + paint(line);
      this.isMidLine = true;
    }
    return out;
  }
}
