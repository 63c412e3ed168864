/** One server-sent event that carries data. */
export interface SseEvent {
  event: string;
  data: string;
}

const FIELDS = new Set(['data', 'event', 'id', 'retry']);
const MAX_STRAY_CHARS = 1_048_576;

/**
 * Decodes a body of server-sent events. Comments are dropped. Unlike the decoder of `openai` 6.49 it shows `[DONE]`, gives the last
 * event when its blank line is missing, and keeps what is no event stream at all (`stray`), so that a JSON error or a page of HTML
 * sent in place of a stream is not taken for an empty answer.
 */
export class SseDecoder {
  private readonly utf8 = new TextDecoder();
  private buffer = '';
  private event = '';
  private data: string[] = [];
  /** Lines that belong to no event, at most 1 MiB. */
  stray = '';

  /** Takes bytes and gives back the events that are whole by now. */
  push(bytes: Uint8Array): SseEvent[] {
    const searchFrom = this.buffer.length;
    this.buffer += this.utf8.decode(bytes, { stream: true });
    const events: SseEvent[] = [];
    let start = 0;
    for (let end = this.buffer.indexOf('\n', searchFrom); end >= 0; end = this.buffer.indexOf('\n', start)) {
      this.line(this.buffer.slice(start, end), events);
      start = end + 1;
    }
    this.buffer = this.buffer.slice(start);
    return events;
  }

  /** Ends the body; the events that lacked their blank line. */
  end(): SseEvent[] {
    const events: SseEvent[] = [];
    this.line(this.buffer + this.utf8.decode(), events);
    this.buffer = '';
    this.line('', events);
    return events;
  }

  private line(raw: string, events: SseEvent[]): void {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') {
      if (this.data.length > 0) events.push({ event: this.event, data: this.data.join('\n') });
      this.event = '';
      this.data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field === '') return;
    if (!FIELDS.has(field)) {
      if (this.stray.length < MAX_STRAY_CHARS) this.stray += `${line}\n`;
      return;
    }
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.data.push(value);
    if (field === 'event') this.event = value;
  }
}
