import type { PendingItem } from '../core/progress.js';

/** What a human chose. `later` leaves the call pending. */
export type Choice = { kind: 'approve' } | { kind: 'reject' | 'answer'; text: string } | { kind: 'later' };

/** What a line means: a choice, a wish to type the text for one, or nothing that fits. */
export type Reading = { choice: Choice } | { textFor: 'reject' | 'answer' } | { unclear: true };

/** The question for a pending call; what is in brackets is typed. */
export function promptFor(kind: PendingItem['kind']): string {
  switch (kind) {
    case 'question':
      return '  answer (empty: later) > ';
    case 'decision':
      return '  [a]pprove  [r]eject  [l]ater > ';
    case 'unknown_outcome':
      return '  [a]gain  [t]ell the result  [r]: leave it unknown  [l]ater > ';
  }
}

/** The question for the text that goes with a choice. */
export function promptForText(choice: 'reject' | 'answer'): string {
  return choice === 'reject' ? '  why? The model reads it (may be empty) > ' : '  what came of it? > ';
}

/** Reads what was typed at {@link promptFor}: a letter or word, for a rejection with the reason behind it. */
export function readLine(kind: PendingItem['kind'], line: string): Reading {
  const text = line.trim();
  if (kind === 'question') return { choice: text === '' ? { kind: 'later' } : { kind: 'answer', text } };
  const [, word = '', rest = ''] = /^(\S*)\s*([^]*)$/.exec(text) ?? [];
  switch (word.toLowerCase()) {
    case 'a':
    case 'y':
    case 'yes':
    case 'approve':
    case 'again':
      return rest === '' ? { choice: { kind: 'approve' } } : { unclear: true };
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
