import type { JsonObject } from '../core/json.js';
import type { ModelListener } from '../ports/model.js';
import { TAIL_CHARS, type Tail } from './heartbeat.js';

/** Collects the end of what streams in, for the heartbeat. */
export class AnswerTail implements ModelListener {
  /** The server knows that the request goes out. */
  isSent = false;
  /** Is called once the server has named the generation. */
  onId: () => void = () => undefined;
  private generationId: string | null = null;
  private text = '';
  private textStart = 0;
  private reasoning = '';
  private reasoningStart = 0;

  constructor(private readonly attempt: number) {}

  onHeaders({ generationId }: { generationId: string | null }): void {
    this.generationId = generationId;
    this.onId();
  }

  onText(piece: string): void {
    [this.text, this.textStart] = keepEnd(this.text + piece, this.textStart);
  }

  onReasoning(piece: string): void {
    [this.reasoning, this.reasoningStart] = keepEnd(this.reasoning + piece, this.reasoningStart);
  }

  /** What is left behind of a call without an answer, see `traceOf`. */
  trace(): JsonObject {
    if (!this.isSent) return { unsent: true };
    return { sent: true, ...(this.generationId !== null && { generationId: this.generationId }) };
  }

  read(): Tail {
    return {
      attempt: this.attempt,
      ...(this.isSent && { sent: true }),
      ...(this.generationId !== null && { generationId: this.generationId }),
      ...(this.text !== '' && { offset: this.textStart, text: this.text }),
      ...(this.reasoning !== '' && { reasoningOffset: this.reasoningStart, reasoning: this.reasoning }),
    };
  }
}

function keepEnd(text: string, start: number): [string, number] {
  const excess = Math.max(0, text.length - TAIL_CHARS);
  return [text.slice(excess), start + excess];
}
