/**
 * The first and the last bytes of an output of any length, in bounded memory: the start tells what ran, the end how it went.
 */
export class OutputWindow {
  readonly #head: Buffer;
  /** A ring: byte `n` after the head stands at `n % length`. */
  readonly #tail: Buffer;
  #totalBytes = 0;

  /** @param partBytes how much of each end is kept */
  constructor(partBytes: number) {
    this.#head = Buffer.alloc(partBytes);
    this.#tail = Buffer.alloc(partBytes);
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get omittedBytes(): number {
    return Math.max(0, this.#totalBytes - this.#head.length - this.#tail.length);
  }

  add(chunk: Buffer): void {
    const toHead = this.#totalBytes < this.#head.length ? chunk.copy(this.#head, this.#totalBytes) : 0;
    const rest = chunk.subarray(Math.max(toHead, chunk.length - this.#tail.length));
    const at = (this.#totalBytes + chunk.length - rest.length - this.#head.length) % this.#tail.length;
    // Whatever does not fit before the end of the ring goes to its start.
    const fitted = rest.length > 0 ? rest.copy(this.#tail, at) : 0;
    rest.copy(this.#tail, 0, fitted);
    this.#totalBytes += chunk.length;
  }

  /** What was kept, with a line in the middle about what was not. Bytes that are not UTF-8 become U+FFFD. */
  text(): string {
    const head = this.#head.subarray(0, this.#totalBytes);
    if (this.omittedBytes === 0) return Buffer.concat([head, this.#tailBytes()]).toString('utf8');
    // A character that the cut went through is left out on both sides.
    const start = new TextDecoder('utf-8', { ignoreBOM: true }).decode(head, { stream: true });
    const tail = this.#tailBytes();
    const whole = tail.findIndex((byte) => (byte & 0b1100_0000) !== 0b1000_0000);
    const end = tail.subarray(whole >= 0 && whole < 4 ? whole : 0).toString('utf8');
    return `${start}\n\n[${this.omittedBytes} of ${this.#totalBytes} bytes are left out here.]\n\n${end}`;
  }

  /** The last line that is not blank, of at most `maxBytes`. */
  lastLine(maxBytes: number): string {
    const tail = this.#tailBytes();
    const bytes =
      this.omittedBytes > 0 ? tail : Buffer.concat([this.#head.subarray(0, this.#totalBytes), tail]);
    return (
      bytes
        .subarray(-maxBytes)
        .toString('utf8')
        .trimEnd()
        .split(/[\r\n]/)
        .at(-1) ?? ''
    );
  }

  #tailBytes(): Buffer {
    const written = Math.max(0, this.#totalBytes - this.#head.length);
    if (written <= this.#tail.length) return this.#tail.subarray(0, written);
    const start = written % this.#tail.length;
    return Buffer.concat([this.#tail.subarray(start), this.#tail.subarray(0, start)]);
  }
}
