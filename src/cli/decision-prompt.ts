import type { PendingItem } from '../core/progress.js';
import { printable } from './format.js';

/** Stands for the next message of a session that has answered. */
export const NEXT_MESSAGE = { kind: 'message', callId: 'message' } as const;

/** What a terminal asks for: a word on a pending call, or the next message. */
export type Question = PendingItem | typeof NEXT_MESSAGE;

/** What a human chose. `later` leaves a call pending, `leave` a session waiting. */
export type Choice =
  | { kind: 'approve'; scope?: 'run' }
  | { kind: 'reject' | 'answer' | 'say'; text: string }
  | { kind: 'later' | 'leave' };

/** What a line means: a choice, a wish to type the text for one, or nothing that fits. */
export type Reading = { choice: Choice } | { textFor: 'reject' | 'answer' } | { unclear: true };

/** The line on which a human is asked; what is in brackets is typed. Several calls may wait, so it names its own. */
export function promptFor(question: Question): string {
  if (question.kind === 'message') return '  your next message (empty: leave it waiting) > ';
  // Whether this answer is good enough, or this circle may go on, says nothing about the next one.
  const isOnce = question.reason === 'review' || question.reason === 'loop';
  const every = isOnce ? '' : `  [e]very ${printable(question.tool)} from now on`;
  const ways = {
    question: 'answer (empty: later)',
    decision: `[a]pprove${every}  [r]eject  [l]ater`,
    unknown_outcome: '[a]gain  [t]ell the result  [r]: leave it unknown  [l]ater',
  };
  return `  ${printable(question.callId)}: ${ways[question.kind]} > `;
}

/** The question for the text that goes with a choice. */
export function promptForText(choice: 'reject' | 'answer'): string {
  return choice === 'reject' ? '  why? The model reads it (may be empty) > ' : '  what came of it? > ';
}

/** Reads what was typed at {@link promptFor}: a letter or word, for a rejection with the reason behind it. */
export function readLine(kind: Question['kind'], line: string): Reading {
  const text = line.trim();
  if (kind === 'message') return { choice: text === '' ? { kind: 'leave' } : { kind: 'say', text } };
  if (kind === 'question') return { choice: text === '' ? { kind: 'later' } : { kind: 'answer', text } };
  const [, word = '', rest = ''] = /^(\S*)\s*([^]*)$/.exec(text) ?? [];
  switch (word.toLowerCase()) {
    case 'a':
    case 'y':
    case 'yes':
    case 'approve':
    case 'again':
      return rest === '' ? { choice: { kind: 'approve' } } : { unclear: true };
    case 'e':
    case 'every':
      if (kind !== 'decision' || rest !== '') return { unclear: true };
      return { choice: { kind: 'approve', scope: 'run' } };
    case 'r':
    case 'n':
    case 'no':
    case 'reject':
      return rest === '' ? { textFor: 'reject' } : { choice: { kind: 'reject', text: rest } };
    case 't':
    case 'tell':
      if (kind !== 'unknown_outcome') return { unclear: true };
      return rest === '' ? { textFor: 'answer' } : { choice: { kind: 'answer', text: rest } };
    case 'l':
    case 'later':
    case 's':
    case 'skip':
      return { choice: { kind: 'later' } };
    default:
      return { unclear: true };
  }
}
