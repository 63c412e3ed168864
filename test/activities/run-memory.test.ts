import { RunMemory, type RunRef } from '../../src/activities/run-memory.js';
import { canonicalJson, type JsonObject } from '../../src/core/json.js';
import { argsKey } from '../../src/core/work.js';
import { FakeRun, PREPARED } from './support/activity-world.js';

const REF: RunRef = { workflowId: 'run-1', temporalRunId: 'a' };
const NEXT_EXECUTION: RunRef = { ...REF, temporalRunId: 'b' };

describe('RunMemory keeps the transcript:', () => {
  it('asks only for what is new', async () => {
    const run = new FakeRun().say('one', 'two');
    const memory = new RunMemory();
    await memory.items(REF, run.wanted(), run);
    run.say('three');
    expect(await memory.items(REF, run.wanted(), run)).toEqual(run.items);
    expect(await memory.items(REF, run.wanted(), run)).toEqual(run.items);
    expect(run.asked).toEqual(['transcript 0', 'transcript 2']);
  });

  it('gives no more than the step names', async () => {
    const run = new FakeRun().say('one', 'two', 'three');
    const memory = new RunMemory();
    await memory.items(REF, run.wanted(), run);
    expect(await memory.items(REF, run.wanted(2), run)).toEqual(run.items.slice(0, 2));
  });

  it('reads a long one page by page', async () => {
    const run = new FakeRun().say(...Array.from({ length: 25 }, (_, n) => `message ${n}`));
    run.pageItems = 10;
    expect(await new RunMemory().items(REF, run.wanted(), run)).toEqual(run.items);
    expect(run.asked).toEqual(['transcript 0', 'transcript 10', 'transcript 20']);
  });

  it('reads it anew when what it has is not what the step names: another run under the same id, or a reset', async () => {
    const memory = new RunMemory();
    const before = new FakeRun().say('one', 'two', 'three');
    await memory.items(REF, before.wanted(), before);
    const after = new FakeRun().say('one', 'other');
    expect(await memory.items(NEXT_EXECUTION, after.wanted(), after)).toEqual(after.items);
    after.say('more');
    expect(await memory.items(NEXT_EXECUTION, after.wanted(), after)).toEqual(after.items);
  });

  it('goes on with it after continue-as-new', async () => {
    const run = new FakeRun().say('one');
    const memory = new RunMemory();
    await memory.items(REF, run.wanted(), run);
    run.say('two');
    await memory.items(NEXT_EXECUTION, run.wanted(), run);
    expect(run.asked).toEqual(['transcript 0', 'transcript 1']);
  });

  it.each([
    ['of another hash', { version: 1, hash: 'other' }],
    ['longer than the run has it', { version: 5, hash: 'other' }],
  ])('fails so that it is tried again when the run does not have one %s', async (_what, wanted) => {
    const run = new FakeRun().say('one');
    const memory = new RunMemory();
    await expect(memory.items(REF, wanted, run)).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: true,
    });
    expect(await memory.items(REF, run.wanted(), run)).toEqual(run.items);
  });

  it('gives two steps that ask at once the same and whole', async () => {
    const run = new FakeRun().say('one', 'two', 'three');
    run.pageItems = 1;
    const memory = new RunMemory();
    const wanted = run.wanted();
    const both = await Promise.all([memory.items(REF, wanted, run), memory.items(REF, wanted, run)]);
    expect(both).toEqual([run.items, run.items]);
  });

  it('forgets the runs that were used longest ago', async () => {
    const memory = new RunMemory(2);
    const run = new FakeRun().say('one');
    for (const workflowId of ['a', 'b', 'a', 'c', 'a', 'b'])
      await memory.items({ ...REF, workflowId }, run.wanted(), run);
    expect(run.asked).toHaveLength(4);
  });
});

describe('RunMemory keeps settings', () => {
  it('once the run is prepared, for one execution', async () => {
    const run = new FakeRun();
    run.current = { ...run.current, prepared: null };
    const memory = new RunMemory();
    expect(await memory.settings(REF, run)).toMatchObject({ prepared: null });
    run.current = { ...run.current, prepared: PREPARED };
    for (const ref of [REF, REF, NEXT_EXECUTION, NEXT_EXECUTION])
      expect(await memory.settings(ref, run)).toMatchObject({ prepared: { model: 'maker/first' } });
    expect(run.asked).toEqual(['settings', 'settings', 'settings']);
  });
});

describe('RunMemory keeps arguments', () => {
  it('and gives them only under their own key', async () => {
    const run = new FakeRun();
    run.openCalls = { 's0.c0': '{"edited":true}' };
    const memory = new RunMemory();
    memory.keepArgs(REF, 's0.c0', '{}');
    expect(await memory.args(REF, { callId: 's0.c0', argsKey: argsKey('{}') }, run)).toBe('{}');
    expect(run.asked).toEqual([]);
    const edited = { callId: 's0.c0', argsKey: argsKey('{"edited":true}') };
    expect(await memory.args(REF, edited, run)).toBe('{"edited":true}');
    expect(run.asked).toEqual(['args s0.c0']);
  });

  it.each([{}, { 's0.c0': '{"other":1}' }])(
    'and fails so that it is tried again when the run has %j',
    async (openCalls) => {
      const run = new FakeRun();
      run.openCalls = openCalls;
      const asked = new RunMemory().args(REF, { callId: 's0.c0', argsKey: argsKey('{}') }, run);
      await expect(asked).rejects.toMatchObject({ code: 'TOOL_FAILED', retryable: true });
    },
  );

  it('of the newest calls only', async () => {
    const run = new FakeRun();
    const memory = new RunMemory();
    for (let n = 0; n < 300; n += 1) memory.keepArgs(REF, `s${n}.c0`, '{}');
    await memory.args(REF, { callId: 's299.c0', argsKey: argsKey('{}') }, run);
    expect(run.asked).toEqual([]);
    await expect(memory.args(REF, { callId: 's0.c0', argsKey: argsKey('{}') }, run)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
    });
  });
});

describe('RunMemory keeps shared values', () => {
  const hashOf = (values: JsonObject) => argsKey(canonicalJson(values));

  it('until a call names others', async () => {
    const run = new FakeRun();
    const memory = new RunMemory();
    run.sharedValues = { b: 1, a: [2] };
    const before = hashOf(run.sharedValues);
    expect(await memory.shared(REF, before, run)).toEqual({ a: [2], b: 1 });
    run.sharedValues = { b: 2 };
    expect(await memory.shared(REF, before, run)).toEqual({ a: [2], b: 1 });
    expect(run.asked).toEqual(['shared']);
    expect(await memory.shared(REF, hashOf({ b: 2 }), run)).toEqual({ b: 2 });
    expect(await memory.shared(NEXT_EXECUTION, hashOf({ b: 2 }), run)).toEqual({ b: 2 });
    expect(run.asked).toEqual(['shared', 'shared']);
  });

  it('and gives those of now when the run has gone on since the call was started', async () => {
    const run = new FakeRun();
    run.sharedValues = { b: 2 };
    expect(await new RunMemory().shared(REF, hashOf({ b: 1 }), run)).toEqual({ b: 2 });
  });

  it('and gives each caller a copy of its own', async () => {
    const run = new FakeRun();
    run.sharedValues = { list: [1] };
    const memory = new RunMemory();
    const first = await memory.shared(REF, hashOf({ list: [1] }), run);
    Object(first['list']).push(2);
    expect(await memory.shared(REF, hashOf({ list: [1] }), run)).toEqual({ list: [1] });
    expect(run.sharedValues).toEqual({ list: [1] });
  });

  it('and asks nobody where there are none', async () => {
    const run = new FakeRun();
    expect(await new RunMemory().shared(REF, undefined, run)).toEqual({});
    expect(run.asked).toEqual([]);
  });
});
