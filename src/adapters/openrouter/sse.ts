import { AgentError } from '../../core/errors.js';

/** One server-sent event that carries data. */
export interface SseEvent {
  event: string;
  data: string;
}

const FIELDS = new Set(['data', 'event', 'id', 'retry']);
const MAX_STRAY_CHARS = 1_048_576;
/** The longest event, 32 Mi characters: an answer of the greatest length in one piece, with room for its escapes. */
export const MAX_EVENT_CHARS = 33_554_432;

/**
 * Decodes a body of server-sent events. Comments are dropped. Unlike the decoder of `openai` 6.49 it shows `[DONE]`, gives the last
 * event when its blank line is missing, and keeps what is no event stream at all (`stray`), so that a JSON error or a page of HTML
 * sent in place of a stream is not taken for an empty answer. It takes time in proportion to the bytes, however they are cut.
 */
export class SseDecoder {
  private readonly utf8 = new TextDecoder();
  /** The line that has no end yet, in the pieces in which it came. */
  private pieces: string[] = [];
  private sizeChars = 0;
  private event = '';
  private data: string[] = [];
  /** Lines that belong to no event; none is added beyond 1 MiB. */
  stray = '';

  /**
   * Takes bytes and gives back the events that are whole by now.
   * @throws AgentError `MESSAGE_TOO_LARGE` for an event that does not end within {@link MAX_EVENT_CHARS}
   */
  push(bytes: Uint8Array): SseEvent[] {
    const text = this.utf8.decode(bytes, { stream: true });
    const events: SseEvent[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.keep(text.slice(start, end));
      this.line(events);
      start = end + 1;
    }
    this.keep(text.slice(start));
    return events;
  }

  /** Ends the body; the events that lacked their blank line. */
  end(): SseEvent[] {
    const events: SseEvent[] = [];
    this.keep(this.utf8.decode());
    this.line(events);
    this.line(events);
    return events;
  }

  private keep(piece: string): void {
    if (piece === '') return;
    this.pieces.push(piece);
    this.sizeChars += piece.length;
    if (this.sizeChars > MAX_EVENT_CHARS)
      throw new AgentError(
        'MESSAGE_TOO_LARGE',
        `The model API sent an event of more than ${MAX_EVENT_CHARS} characters; ask for less at a time.`,
      );
  }

  private line(events: SseEvent[]): void {
    const raw = this.pieces.join('');
    this.pieces = [];
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') {
      if (this.data.length > 0) events.push({ event: this.event, data: this.data.join('\n') });
      this.event = '';
      this.data = [];
      this.sizeChars = 0;
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const isData = field === 'data';
    // Only the lines of an event add up to its size.
    if (!isData) this.sizeChars -= raw.length;
    if (field === '') return;
    if (!FIELDS.has(field)) {
      if (this.stray.length < MAX_STRAY_CHARS) this.stray += `${line}\n`;
      return;
    }
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (isData) this.data.push(value);
    if (field === 'event') this.event = value;
  }
}
