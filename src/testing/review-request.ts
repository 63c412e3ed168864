import type { ChatRequest } from './stand-in/script.js';
import { textOf } from './transcript-rules.js';

/** The answer that a request asks to be reviewed. Empty where it holds none. */
export function answerUnderReview({ messages }: Pick<ChatRequest, 'messages'>): string {
  const brief = messages.map(textOf).join('\n');
  const [, mark = ''] = /^The mark is: (.+)$/m.exec(brief) ?? [];
  const [, answer = ''] = brief.split(`\nThe answer:\n${mark}\n`);
  return mark === '' ? '' : (answer.split(`\n${mark}`)[0] ?? '');
}

/** What reviewers, or people in their place, have found about the answers in a conversation, oldest first. */
export function findingsIn({ messages }: Pick<ChatRequest, 'messages'>): string[] {
  return messages
    .filter(({ role }) => role === 'user')
    .map(textOf)
    .filter((text) => /^A (reviewer has found this about your|human does not accept the) answer/.test(text));
}
