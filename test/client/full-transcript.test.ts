import fc from 'fast-check';
import { FullTranscript } from '../../src/client/full-transcript.js';
import { FIXED_ITEMS, replaceBeginning } from '../../src/core/context/compact-items.js';
import { NO_LIMITS } from '../../src/core/run-input.js';
import { takeSnapshot } from '../../src/core/snapshot.js';
import type { TranscriptItem } from '../../src/core/transcript.js';
import { HandMadeHistory, scheduled } from './support/hand-made-history.js';

const GOAL = 'Tidy up.';
/** More than half of what the conversation may have. */
const LONG = 'long '.repeat(1_200);

/** A run whose conversation is shortened above some tokens, in its first model call. */
const running = (compactAtTokens: number, maxSteps: number | null = null) =>
  new HandMadeHistory({ goal: GOAL, compactAtTokens }).running({
    behaviour: 4,
    limits: { ...NO_LIMITS, maxSteps },
  });

const act = (id: string) => ({ id, name: 'act', args: '{}', effect: 'read' as const });
/** One step: the model asks for a call, which brings `content`. */
const step = (
  history: HandMadeHistory,
  index: number,
  { content, next }: { content: string; next: string },
) =>
  history
    .answers(`s${index}.m0`, `Step ${index}.`, [act(`call_${index}`)])
    .task(scheduled(`s${index}.c0`, 'runTool'))
    .completes(`s${index}.c0`, { content })
    .task(scheduled(next, 'callModel'));
const contentsOf = (items: readonly TranscriptItem[]) => items.map(({ content }) => content);

describe('the whole conversation', () => {
  it('is what the model sees as long as nothing was shortened', async () => {
    const { full, seen } = await step(running(100_000), 0, { content: 'fine', next: 's1.m0' }).transcripts();
    expect(full).toEqual(seen);
    expect(contentsOf(full).slice(1)).toEqual([GOAL, 'Step 0.', 'fine']);
  });

  it('is there before a worker has taken the run up', async () => {
    const full = new FullTranscript();
    const { state } = await new HandMadeHistory().fold();
    full.follow(state.transcript);
    expect(full.list()).toEqual(state.transcript);
  });

  it('keeps what a summary has replaced, with the summary behind it, also over continue-as-new', async () => {
    const history = step(running(4_500), 0, { content: LONG, next: 's1.m0' });
    step(history, 1, { content: LONG.repeat(2), next: 's2.k0' });
    history
      .answers('s2.k0', 'Two steps were taken.')
      .task(scheduled('s2.m1', 'callModel'))
      .signal('say', { text: 'Go on.' })
      .task();
    const before = await history.transcripts();
    const { state } = await history.fold();
    const [start] = new HandMadeHistory({
      // Plain JSON, as all that a history holds.
      snapshot: JSON.parse(JSON.stringify(takeSnapshot(state))),
    }).events;
    if (!start) throw new Error('A history begins with the start of the run.');

    const successor = history.events.length;
    history.add(start);
    history
      .task(scheduled('s2.m1', 'callModel'))
      .answers('s2.m1', 'Done.')
      .task(scheduled('s3.m0', 'callModel'));
    const { full, seen } = await history.transcripts(successor);

    const note = seen[FIXED_ITEMS]?.content ?? '';
    expect(note).toContain('Two steps were taken.');
    expect(contentsOf(full).slice(1)).toEqual([
      GOAL,
      'Step 0.',
      LONG,
      note,
      'Step 1.',
      LONG.repeat(2),
      'Done.',
      'Go on.',
    ]);
    expect(full.slice(0, before.full.length)).toEqual(before.full);
    expect(contentsOf(seen)).not.toContain('Step 0.');
    // The result that was kept was shortened at the same time.
    expect(contentsOf(seen)).not.toContain(LONG.repeat(2));
  });

  it('keeps a result whole that was shortened the moment it came', async () => {
    const { full, seen } = await step(running(1_000), 0, { content: LONG, next: 's1.m0' }).transcripts();
    expect(seen.at(-1)?.content).toContain('characters left out');
    expect(full.at(-1)).toEqual({ ...seen.at(-1), content: LONG });
  });

  it('keeps a step and its result that were taken out the moment the result came', async () => {
    // A closing answer does not wait for a summary.
    const history = running(1_000, 1)
      .answers('s0.m0', LONG, [act('call_0')])
      .task(scheduled('s0.c0', 'runTool'))
      .completes('s0.c0', { content: LONG.repeat(2) })
      .task(scheduled('s0.l1', 'callModel'));
    const { full, seen } = await history.transcripts();
    const [note = '', brief] = contentsOf(seen).slice(FIXED_ITEMS);
    expect(note).toContain('shortened');
    expect(contentsOf(full).slice(1)).toEqual([GOAL, LONG, LONG.repeat(2), note, brief]);
  });
});

/** What happens to a conversation at one input. */
interface Move {
  /** Words of a human, or a step with so many calls. */
  adds: ('words' | number)[];
  /** Tools' results that are shortened, counted from the beginning; `null`: none. */
  shortensTo: number | null;
  /** Messages of which a note takes the place, or as many as there are; `null`: there is none. */
  replaces: number | null;
  continues: boolean;
}

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.record({
    adds: fc.array(fc.oneof(fc.constant('words' as const), fc.integer({ min: 0, max: 3 })), { maxLength: 3 }),
    shortensTo: fc.option(fc.nat(9)),
    replaces: fc.option(fc.nat(15)),
    continues: fc.boolean(),
  }),
  { maxLength: 25 },
);

const isTool = (item: TranscriptItem): boolean => item.role === 'tool';

/** A conversation: what of it is seen, and all that was ever said. */
class Talk {
  seen: TranscriptItem[] = [
    { role: 'system', content: 'You are.' },
    { role: 'user', content: GOAL },
  ];
  readonly said = [...this.seen];
  private count = 0;

  add(what: 'words' | number): void {
    const index = (this.count += 1);
    // Ids come again in later messages.
    const ids = what === 'words' ? [] : Array.from({ length: what }, (_, call) => `call_${call}`);
    const calls = ids.map((id) => ({ id, name: 'act', args: '{}' }));
    const first: TranscriptItem =
      what === 'words'
        ? { role: 'user', content: `words ${index}` }
        : { role: 'assistant', content: `step ${index}`, calls };
    const results = ids.map((callId): TranscriptItem => ({
      role: 'tool',
      callId,
      content: `${callId} of ${index}, in full`,
    }));
    this.seen = [...this.seen, first, ...results];
    this.said.push(first, ...results);
  }

  shorten(count: number): void {
    const tools = this.seen.filter(isTool).slice(0, count);
    this.seen = this.seen.map((item) => (tools.includes(item) ? { ...item, content: 'short' } : item));
  }

  /** Puts a note in the place of the beginning, and parts no calls from their results. */
  replace(count: number): void {
    const boundaries = [...this.seen.keys(), this.seen.length].filter(
      (index) => index > FIXED_ITEMS && this.seen[index]?.role !== 'tool',
    );
    const from = boundaries.filter((index) => index - FIXED_ITEMS <= count).at(-1);
    if (from === undefined) return;
    const note = `note ${(this.count += 1)}`;
    this.said.splice(this.said.length - (this.seen.length - from), 0, { role: 'user', content: note });
    this.seen = replaceBeginning(this.seen, from, note);
  }
}

it('holds every message once, whole and in order, however often the conversation is shortened', () => {
  fc.assert(
    fc.property(moves, (life) => {
      const [talk, full] = [new Talk(), new FullTranscript()];
      full.follow(talk.seen);
      for (const { adds, shortensTo, replaces, continues } of life) {
        for (const what of adds) talk.add(what);
        full.follow(talk.seen);
        if (shortensTo !== null) talk.shorten(shortensTo);
        if (replaces !== null) talk.replace(replaces);
        talk.add('words');
        full.follow(talk.seen);
        if (!continues) continue;
        talk.seen = talk.seen.map((item) => ({ ...item }));
        full.adopt(talk.seen);
      }
      expect(full.list()).toEqual(talk.said);
    }),
  );
});
