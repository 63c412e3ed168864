import { DeltaReader, type Delta } from '../../src/client/deltas.js';

const RUN = 'run-1';

/** Deltas without what is the same for all, and what the clock says. */
const told = (deltas: readonly Delta[]) => deltas.map(({ at: _at, runId: _runId, ...rest }) => rest);

describe('DeltaReader', () => {
  it('tells a text piece by piece, numbered, at its place', () => {
    const reader = new DeltaReader(RUN);
    expect(told(reader.read('s3.m0', 1, { attempt: 1, offset: 0, text: 'Hel' }))).toEqual([
      { type: 'text_delta', step: 3, attempt: 1, n: 1, offset: 0, text: 'Hel' },
    ]);
    expect(told(reader.read('s3.m0', 1, { attempt: 1, offset: 0, text: 'Hello' }))).toEqual([
      { type: 'text_delta', step: 3, attempt: 1, n: 2, offset: 3, text: 'lo' },
    ]);
    expect(reader.read('s3.m0', 1, { attempt: 1, offset: 0, text: 'Hello' })).toEqual([]);
  });

  it('says where a text goes on when the tail has moved past what was seen', () => {
    const reader = new DeltaReader(RUN);
    reader.read('s0.m0', 1, { attempt: 1, offset: 0, text: 'one' });
    expect(told(reader.read('s0.m0', 1, { attempt: 1, offset: 10, text: 'ten' }))).toEqual([
      { type: 'text_delta', step: 0, attempt: 1, n: 2, offset: 10, text: 'ten' },
    ]);
  });

  it('tells reasoning and text of one beat each at its own place', () => {
    const reader = new DeltaReader(RUN);
    const beat = { attempt: 1, offset: 4, text: 'word', reasoningOffset: 2, reasoning: 'thought' };
    expect(told(reader.read('s0.m0', 1, beat))).toMatchObject([
      { type: 'text_delta', offset: 4, text: 'word', n: 1 },
      { type: 'reasoning_delta', offset: 2, text: 'thought', n: 2 },
    ]);
  });

  it('revokes what an attempt wrote when the next one begins, and starts anew', () => {
    const reader = new DeltaReader(RUN);
    reader.read('s1.m0', 1, { attempt: 1, offset: 0, text: 'wrong' });
    expect(told(reader.read('s1.m0', 2, { attempt: 1, offset: 0, text: 'wrong' }))).toEqual([
      { type: 'step_reset', step: 1, attempt: 2, n: 0 },
    ]);
    expect(told(reader.read('s1.m0', 2, { attempt: 2, offset: 0, text: 'right' }))).toEqual([
      { type: 'text_delta', step: 1, attempt: 2, n: 1, offset: 0, text: 'right' },
    ]);
  });

  it('revokes what an interrupted call wrote when the step is asked again', () => {
    const reader = new DeltaReader(RUN);
    reader.read('s1.m0', 1, { attempt: 1, offset: 0, text: 'wrong' });
    expect(told(reader.read('s1.m1', 1, { attempt: 1, offset: 0, text: 'right' }))).toMatchObject([
      { type: 'step_reset', step: 1 },
      { type: 'text_delta', step: 1, offset: 0, text: 'right' },
    ]);
  });

  it('tells nothing of what a reviewer or the writer of a summary says, which is no text of the step', () => {
    const reader = new DeltaReader(RUN);
    reader.read('s1.m0', 1, { attempt: 1, offset: 0, text: 'answer' });
    for (const key of ['s1.r1', 's2.k0'])
      expect(reader.read(key, 1, { attempt: 1, offset: 0, text: 'words' })).toEqual([]);
  });

  it('tells the attempt that the activity names, where each attempt is an activity of its own', () => {
    const reader = new DeltaReader(RUN);
    reader.read('s1.m0', 1, { attempt: 1, offset: 0, text: 'wrong' });
    expect(told(reader.read('s1.m1', 1, { attempt: 2, sent: true }))).toEqual([
      { type: 'step_reset', step: 1, attempt: 2, n: 0 },
    ]);
    expect(told(reader.read('s1.m1', 1, { attempt: 2, offset: 0, text: 'right' }))).toEqual([
      { type: 'text_delta', step: 1, attempt: 2, n: 1, offset: 0, text: 'right' },
    ]);
  });

  it('waits with the revocation for the activity that takes over to say which attempt it is', () => {
    const reader = new DeltaReader(RUN);
    reader.read('s1.m1', 1, { attempt: 2, offset: 0, text: 'wrong' });
    expect(reader.read('s1.m2', 1, undefined)).toEqual([]);
    expect(told(reader.read('s1.m2', 1, { attempt: 3 }))).toEqual([
      { type: 'step_reset', step: 1, attempt: 3, n: 0 },
    ]);
    expect(reader.read('s1.m2', 1, { attempt: 3 })).toEqual([]);
  });

  it.each(['prepare', 'g0', 'b1'])('tells nothing of work that is neither model nor tool (%s)', (key) => {
    const reader = new DeltaReader(RUN);
    reader.read('s0.m0', 1, { attempt: 1, offset: 0, text: 'mine' });
    expect(reader.read(key, 1, { attempt: 1, text: 'not a word' })).toEqual([]);
    expect(reader.read('s0.m0', 1, { attempt: 1, offset: 0, text: 'mine' })).toEqual([]);
  });

  it('revokes nothing of a step when one of its tools is tried again', () => {
    const reader = new DeltaReader(RUN);
    reader.read('s1.m0', 1, { attempt: 1, offset: 0, text: 'Let me look.' });
    reader.read('s1.c0', 1, { attempt: 1, progress: 'looking' });
    expect(told(reader.read('s1.c0', 2, { attempt: 2, progress: 'looking again' }))).toMatchObject([
      { type: 'tool_progress', callId: 's1.c0', attempt: 2, text: 'looking again' },
    ]);
  });

  it.each(['s2.c1', 's2.c1.r2'])('tells a line of a tool once, under the id of its call (%s)', (key) => {
    const reader = new DeltaReader(RUN);
    expect(told(reader.read(key, 1, { attempt: 1, progress: 'half' }))).toEqual([
      { type: 'tool_progress', step: 2, attempt: 1, n: 1, callId: 's2.c1', text: 'half' },
    ]);
    expect(reader.read(key, 1, { attempt: 1, progress: 'half' })).toEqual([]);
  });

  it.each([undefined, null, 'text', 5, [], {}, { attempt: 1, text: 'of the attempt before' }])(
    'tells nothing of a beat that does not fit: %j',
    (beat) => {
      expect(new DeltaReader(RUN).read('s0.m0', 2, beat)).toEqual([]);
    },
  );

  it.each([
    { attempt: 1, text: 5 },
    { attempt: '1', text: 'x' },
    { attempt: 1, progress: {} },
  ])('tells nothing of a beat whose fields are of another kind: %j', (beat) => {
    expect(new DeltaReader(RUN).read('s0.m0', 1, beat)).toEqual([]);
  });
});
