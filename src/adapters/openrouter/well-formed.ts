/** Text with every lone surrogate replaced by U+FFFD: a lone half is no Unicode, and a server may refuse the request that carries it. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Joins streamed pieces of text so that no emitted piece ends in the middle of a surrogate pair. The pieces together are `wellFormed` of the whole. */
export class PairJoiner {
  private half = '';

  /** Takes a piece and gives back what can be shown by now. */
  push(piece: string): string {
    const text = this.half + piece;
    const last = text.charCodeAt(text.length - 1);
    const endsInHalf = last >= 0xd800 && last <= 0xdbff;
    this.half = endsInHalf ? text.slice(-1) : '';
    return wellFormed(endsInHalf ? text.slice(0, -1) : text);
  }
}
