import fc from 'fast-check';
import {
  callLines,
  charsOf,
  dropBodies,
  findCut,
  FIXED_ITEMS,
  replaceBeginning,
  sizeOf,
} from '../../../src/core/context/compact-items.js';
import { promptItems } from '../../../src/core/context/prompt-items.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import { conversations } from '../support/conversations.js';
import { problemToSend } from '../support/transcript-check.js';

const BEGINNING: TranscriptItem[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Tidy up.' },
];

/** A step of one call with a result of so many characters. */
function step(id: string, resultChars: number, args = '{}'): TranscriptItem[] {
  return [
    { role: 'assistant', content: '', calls: [{ id, name: 'look', args }] },
    { role: 'tool', callId: id, content: 'x'.repeat(resultChars) },
  ];
}

const said = (chars: number): TranscriptItem => ({ role: 'user', content: 'y'.repeat(chars) });
const lastStepOf = (items: readonly TranscriptItem[]) =>
  items.map(({ role }) => role).lastIndexOf('assistant');
const chars = fc.oneof(fc.nat(3_000), fc.nat(100_000), fc.constant(Infinity));

describe('where a conversation is cut', () => {
  it('is never between calls and their results, so that what is summed up and what is left can both be sent', () => {
    fc.assert(
      fc.property(conversations, chars, chars, (items, keepChars, freeChars) => {
        const from = findCut(items, { keepChars, freeChars });
        expect(problemToSend(promptItems('compaction', items.slice(0, from)))).toBeNull();
        expect(problemToSend(replaceBeginning(items, from, 'A note.'))).toBeNull();
      }),
    );
  });

  it('leaves system prompt and goal where they are', () => {
    fc.assert(
      fc.property(conversations, chars, chars, (items, keepChars, freeChars) => {
        const from = findCut(items, { keepChars, freeChars });
        expect(from).toBeGreaterThanOrEqual(FIXED_ITEMS);
        expect(replaceBeginning(items, from, 'A note.').slice(0, FIXED_ITEMS)).toEqual(
          items.slice(0, FIXED_ITEMS),
        );
      }),
    );
  });

  it('keeps no more steps before the last one than fit in', () => {
    fc.assert(
      fc.property(conversations, chars, (items, keepChars) => {
        const from = findCut(items, { keepChars, freeChars: Infinity });
        const last = Math.max(FIXED_ITEMS, lastStepOf(items));
        expect(from === last || charsOf(items.slice(from)) <= keepChars || from === FIXED_ITEMS).toBe(true);
      }),
    );
  });

  it('keeps as many of the last steps as fit in', () => {
    const items = [...BEGINNING, ...step('a', 100), ...step('b', 100), ...step('c', 100)];
    const kept = (keepChars: number) => items.slice(findCut(items, { keepChars, freeChars: 1_000 }));
    expect(kept(220)).toEqual([...step('b', 100), ...step('c', 100)]);
    expect(kept(210)).toEqual([...step('b', 100), ...step('c', 100)].slice(2));
    expect(kept(1_000)).toEqual(items.slice(FIXED_ITEMS));
  });

  it('keeps the last step although it is longer, with all that was said after it', () => {
    const items = [...BEGINNING, ...step('a', 100), ...step('b', 5_000), said(40)];
    expect(findCut(items, { keepChars: 10, freeChars: 2_000 })).toBe(4);
  });

  it('leaves out the last step where it would be too long even without what its tools returned', () => {
    const items = [...BEGINNING, ...step('a', 100, JSON.stringify({ text: 'z'.repeat(5_000) })), said(40)];
    expect(findCut(items, { keepChars: 10, freeChars: 2_000 })).toBe(4);
    expect(findCut(items.slice(0, -1), { keepChars: 10, freeChars: 2_000 })).toBe(4);
  });

  it('is after the goal where nothing else was said', () => {
    expect(findCut(BEGINNING, { keepChars: 10, freeChars: 10 })).toBe(FIXED_ITEMS);
  });
});

describe('a conversation whose bodies are dropped', () => {
  it('can still be sent, says the same in as many messages, and is no longer than before', () => {
    fc.assert(
      fc.property(conversations, chars, chars, (items, targetChars, mostChars) => {
        const short = dropBodies(items, { targetChars, mostChars });
        expect(problemToSend([...short, said(1)])).toBeNull();
        expect(short.map(({ role }) => role)).toEqual(items.map(({ role }) => role));
        expect(short.filter(({ role }) => role !== 'tool')).toEqual(
          items.filter(({ role }) => role !== 'tool'),
        );
        expect(charsOf(short)).toBeLessThanOrEqual(charsOf(items));
      }),
    );
  });

  it('has no more left out of it than need be', () => {
    fc.assert(
      fc.property(conversations, (items) => {
        expect(dropBodies(items, { targetChars: charsOf(items), mostChars: charsOf(items) })).toEqual(items);
      }),
    );
  });

  it('is the same when that is done again', () => {
    fc.assert(
      fc.property(conversations, chars, chars, (items, targetChars, mostChars) => {
        const once = dropBodies(items, { targetChars, mostChars });
        expect(dropBodies(once, { targetChars, mostChars })).toEqual(once);
      }),
    );
  });

  it('loses the oldest first', () => {
    const items = [...BEGINNING, ...step('a', 1_000), ...step('b', 1_000), ...step('c', 1_000)];
    const short = dropBodies(items, { targetChars: charsOf(items) - 100, mostChars: Infinity });
    expect(short.map(sizeOf)).toEqual([9, 8, 6, expect.any(Number), 6, 1_000, 6, 1_000]);
    expect(short[3]?.content).toMatch(/^x{168}\n\[… 760 characters left out …\]\nx{72}$/);
  });

  it('keeps what the last step brought, which the model has not read yet, as long as it can be sent', () => {
    const items = [...BEGINNING, ...step('a', 1_000), ...step('b', 9_000), said(50)];
    expect(dropBodies(items, { targetChars: 100, mostChars: 10_000 }).at(5)).toEqual(items[5]);
    const cut = dropBodies(items, { targetChars: 100, mostChars: 9_000 }).at(5);
    expect(sizeOf(cut)).toBeGreaterThan(1_900);
    expect(sizeOf(cut)).toBeLessThan(2_000);
    expect(sizeOf(dropBodies(items, { targetChars: 100, mostChars: 500 }).at(5))).toBeLessThan(300);
  });

  it('leaves a body alone that is hardly longer than what would be left of it', () => {
    const items = [...BEGINNING, ...step('a', 360), ...step('b', 1)];
    expect(dropBodies(items, { targetChars: 0, mostChars: 0 })).toEqual(items);
  });
});

describe('the size of a conversation', () => {
  it('counts texts, calls with their arguments, and reasoning', () => {
    const calls = [{ id: 'a', name: 'look', args: '{"n":1}' }];
    expect(sizeOf({ role: 'assistant', content: 'Hm.', calls, reasoning: [{ a: 1 }] })).toBe(3 + 4 + 7 + 9);
    expect([sizeOf(said(4)), sizeOf(undefined)]).toEqual([4, 0]);
    expect(charsOf([...BEGINNING, ...step('a', 3)])).toBe(9 + 8 + 6 + 3);
  });
});

describe('the calls of a conversation', () => {
  it('are told in lines of bounded length, in order, with what they brought', () => {
    const lines = callLines([...BEGINNING, ...step('a', 5), said(3), ...step('b', 900, '{"n":2}')], 100);
    expect(lines[0]).toBe('look {} -> xxxxx');
    expect(lines[1]).toMatch(/^look \{"n":2\} -> x{70}\n\[… 800 characters left out …\]\nx{30}$/);
  });

  it('are told without what they brought where that is not known', () => {
    expect(callLines(step('a', 5).slice(0, 1), 100)).toEqual(['look {} -> ']);
  });
});
