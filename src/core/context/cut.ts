/** Beginning and end of a text, with a note about what lies between. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const head = whole(text, Math.ceil(maxChars * 0.7));
  const tail = whole(text, text.length - (maxChars - head));
  return `${text.slice(0, head)}\n[… ${tail - head} characters left out …]\n${text.slice(tail)}`;
}

/** The offset, or one after it where it would part a surrogate pair. */
function whole(text: string, offset: number): number {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text.slice(offset - 1, offset + 1)) ? offset + 1 : offset;
}
