import type { CallState } from '../state.js';

/** What a human added to a call, in words for the model. */
export function humanWords(call: CallState): string | undefined {
  const words: string[] = [];
  if (call.edited) words.push(`A human changed the arguments of this call before it ran, to: ${call.args}`);
  if (call.note !== undefined) words.push(`A human noted: ${call.note}`);
  return words.length === 0 ? undefined : words.join(' ');
}

/** What a tool gave back, with what a human added to the call, so that the model learns of it with the very next request. */
export function withHumanWords(call: CallState, content: string): string {
  const words = humanWords(call);
  return words === undefined ? content : `[${words}]\n${content}`;
}
