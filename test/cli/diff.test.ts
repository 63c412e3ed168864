import type { RunRecord } from '../../src/client/run-record.js';
import { compareRuns } from '../../src/cli/compare-runs.js';
import { renderDiff } from '../../src/cli/render-diff.js';
import { createStyle } from '../../src/cli/style.js';
import { AgentError } from '../../src/core/errors.js';
import type { Progress } from '../../src/core/progress.js';
import type { TranscriptItem } from '../../src/core/transcript.js';
import { cli, event, fakeRun, progressOf, resultOf, SPEND } from './support.js';

const call = (name: string, id: string, args = '{}'): TranscriptItem => ({
  role: 'assistant',
  content: '',
  calls: [{ id, name, args }],
});
const tool = (content: string, callId = 'x'): TranscriptItem => ({ role: 'tool', callId, content });
const user = (content: string): TranscriptItem => ({ role: 'user', content });
const answer = (content: string): TranscriptItem => ({ role: 'assistant', content });

const START: TranscriptItem[] = [{ role: 'system', content: 's' }, user('do it')];
/** Two steps with a call each. */
const TWO_STEPS = [...START, call('look', 'x'), tool('seen'), call('pay', 'y', '{"usd":5}'), tool('paid')];

type Given = Omit<Partial<RunRecord>, 'progress'> & { progress?: Partial<Progress> };

/** A run with some of it given. */
function recordOf({ progress, ...fields }: Given = {}): RunRecord {
  const closedAt = '2026-01-01T00:01:40.000Z';
  return {
    progress: progressOf({ status: 'closed', closedAt, result: resultOf(), ...progress }),
    events: [event({ type: 'model_completed', model: 'm' }), event({ type: 'model_completed', model: 'm' })],
    forkOf: null,
    transcript: TWO_STEPS,
    stepsCompleted: 2,
    unknownOutcomes: [],
    ...fields,
  };
}

const withTranscript = (...transcript: TranscriptItem[]) => recordOf({ transcript });
const lines = (left: RunRecord, right: RunRecord) => renderDiff(compareRuns(left, right), createStyle(false));

describe('the step at which two runs part', () => {
  test.each<[string, TranscriptItem[], TranscriptItem[], number | null, number]>([
    ['none, when they are the same', TWO_STEPS, TWO_STEPS, null, 6],
    ['0, when the goals differ', TWO_STEPS, [START[0] ?? user(''), user('else')], 0, 1],
    ['0, when the first answers differ', [...START, answer('a')], [...START, answer('b')], 0, 2],
    [
      '1, when the second calls differ',
      TWO_STEPS,
      [...TWO_STEPS.slice(0, 4), call('pay', 'y', '{"usd":6}')],
      1,
      4,
    ],
    ['1, when the second results differ', TWO_STEPS, [...TWO_STEPS.slice(0, 5), tool('refused')], 1, 5],
    ['1, when one has not got its second results yet', TWO_STEPS, TWO_STEPS.slice(0, 5), 1, 5],
    ['2, when one ends where a human speaks to the other', TWO_STEPS, [...TWO_STEPS, user('Go on.')], 2, 6],
    ['2, when the third answers differ', [...TWO_STEPS, answer('a')], [...TWO_STEPS, user('Else.')], 2, 6],
  ])('is %s', (_what, left, right, sameUntilStep, sameItems) => {
    const expected = { sameUntilStep, sameItems };
    expect(compareRuns(withTranscript(...left), withTranscript(...right))).toMatchObject(expected);
    expect(compareRuns(withTranscript(...right), withTranscript(...left))).toMatchObject(expected);
  });

  it('does not depend on ids of calls and on what a provider keeps of its reasoning', () => {
    const other = TWO_STEPS.map((item): TranscriptItem => {
      if (item.role === 'tool') return { ...item, callId: 'other' };
      if (item.role !== 'assistant') return item;
      return {
        ...item,
        reasoning: [{ data: 'opaque' }],
        model: 'm',
        calls: item.calls?.map((one) => ({ ...one, id: 'other' })) ?? [],
      };
    });
    expect(compareRuns(withTranscript(...TWO_STEPS), withTranscript(...other)).sameUntilStep).toBeNull();
  });
});

describe('the figures of a run', () => {
  it('are those of its history', () => {
    const { left } = compareRuns(
      recordOf({
        progress: {
          runId: 'a',
          spend: { ...SPEND, estimatedNanoUsd: 7, inheritedNanoUsd: 3 },
          result: resultOf({ outcome: 'limit', limit: 'cost', answer: 'Landed.' }),
        },
        forkOf: 'b',
        events: [
          event({ type: 'model_completed', model: 'first' }),
          event({ type: 'model_completed', model: 'second' }),
          event({ type: 'model_completed', model: 'second', purpose: 'landing' }),
          event({ type: 'decision_made', decision: 'approve' }),
          event({ type: 'decision_made', decision: 'approve' }),
          event({ type: 'decision_made', decision: 'expired' }),
        ],
        stepsCompleted: 5,
        unknownOutcomes: [{ callId: 's1.c0', tool: 'pay' }],
      }),
      recordOf(),
    );
    expect(left).toEqual({
      runId: 'a',
      forkOf: 'b',
      goal: 'do it',
      status: 'closed',
      outcome: 'limit',
      limit: 'cost',
      error: null,
      models: ['first', 'second'],
      steps: 5,
      inheritedSteps: 3,
      costNanoUsd: 500_000_000,
      estimatedNanoUsd: 7,
      inheritedNanoUsd: 3,
      promptTokens: 100,
      completionTokens: 20,
      modelCalls: 2,
      durationMs: 100_000,
      toolCalls: { look: 1, pay: 1 },
      decisions: { approve: 2, reject: 0, answer: 0, expired: 1 },
      unknownOutcomes: [{ callId: 's1.c0', tool: 'pay' }],
      answer: 'Landed.',
    });
  });

  it('of one that goes on reach to its last event', () => {
    const { left } = compareRuns(
      recordOf({
        progress: { status: 'running', closedAt: null, result: null },
        events: [
          event({ type: 'run_started' }),
          event({ type: 'step_started', at: '2026-01-01T00:00:07.000Z' }),
        ],
      }),
      recordOf(),
    );
    expect(left).toMatchObject({
      status: 'running',
      outcome: null,
      durationMs: 7_000,
      models: ['m'],
      answer: '',
    });
  });

  it('count a tool of any name', () => {
    const { left } = compareRuns(
      withTranscript(call('__proto__', 'x'), call('constructor', 'y')),
      recordOf(),
    );
    expect(Object.entries(left.toolCalls)).toEqual([
      ['__proto__', 1],
      ['constructor', 1],
    ]);
  });
});

describe('what is shown of two runs', () => {
  const fork = recordOf({
    progress: {
      runId: 'run-1.s0-a1b2c3d4',
      spend: { ...SPEND, costNanoUsd: 20_000_000, estimatedNanoUsd: 1_000_000, inheritedNanoUsd: 4_000_000 },
      result: resultOf({ outcome: 'limit', limit: 'steps', answer: 'No.' }),
    },
    forkOf: 'run-1',
    events: [
      event({ type: 'model_completed', model: 'maker/another-model-with-a-name-as-long-as-names-get' }),
      event({ type: 'decision_made', decision: 'reject' }),
    ],
    transcript: [...TWO_STEPS.slice(0, 4), user('Do not pay.'), answer('No.')],
    unknownOutcomes: [{ callId: 's1.c0', tool: 'pay' }],
  });

  it('is one table, where they part, and both answers', () => {
    expect(lines(recordOf({ progress: { runId: 'run-1' } }), fork)).toEqual([
      '                run-1                                     run-1.s0-a1b2c3d4',
      '  goal          do it',
      '  model         m                                         maker/another-model-with-a-name-as-long-',
      '                                                          as-names-get',
      '  ended         done                                      limit (steps)',
      '  steps         2                                         2, 1 of it taken over',
      '  cost          $0.5000                                   $0.0210, $0.004000 of it taken over,',
      '                                                          $0.001000 of it not confirmed',
      '  tokens        100 in · 20 out                           100 in · 20 out',
      '  model calls   2                                         2',
      '  duration      100 s                                     100 s',
      '  decisions     none                                      1 rejected',
      '  unknown       none                                      pay (s1.c0)',
      '  tool calls    look × 1                                  look × 1',
      '                pay × 1                                   pay × 0',
      '  Duration and decisions of a fork are its own; the rest includes what it took over.',
      '',
      'They part at step 1, after 4 messages that are the same:',
      '  run-1              assistant: → pay {"usd":5}',
      '  run-1.s0-a1b2c3d4  user: Do not pay.',
      '',
      'run-1 answered:',
      '  the answer',
      '',
      'run-1.s0-a1b2c3d4 answered:',
      '  No.',
    ]);
  });

  it('says once what is the same', () => {
    const shown = lines(recordOf(), recordOf());
    expect(shown).toContain('Their transcripts are the same, 6 messages.');
    expect(shown.slice(-2)).toEqual(['Both answered:', '  the answer']);
  });

  it('says of runs that go on that they do', () => {
    const open = recordOf({ progress: { runId: 'open', status: 'waiting', closedAt: null, result: null } });
    const shown = lines(open, fork).join('\n');
    expect(shown).toContain('not yet: waiting');
    expect(shown).toContain('0 s so far');
    expect(shown).toContain('open has not answered yet.');
  });

  it('fits 100 columns whatever it is about, and shows no control characters', () => {
    const long = 'x'.repeat(300);
    const wild = recordOf({
      progress: {
        runId: long,
        goal: `\u001b[31m${long} ${long}`,
        result: resultOf({ answer: `\u001b]0;title\u0007${'word '.repeat(400)}\n${long}` }),
      },
      events: [event({ type: 'model_completed', model: long })],
      transcript: [...START, call(long, 'x', `{"a":"${long}"}`), call('\u001b[2J', 'y')],
      unknownOutcomes: Array.from({ length: 30 }, (_, index) => ({ callId: `s${index}.c0`, tool: 'pay' })),
    });
    const shown = [...lines(wild, recordOf()), ...lines(recordOf(), wild), ...lines(wild, wild)];
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(shown.join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(shown).toContainEqual(expect.stringMatching(/^ {2}… \d+ more lines$/));
  });

  it('paints rows that are the same dim, and only with colours on', () => {
    const comparison = compareRuns(recordOf({ progress: { runId: 'run-1' } }), fork);
    const painted = renderDiff(comparison, createStyle(true));
    const isDim = (label: string) =>
      painted.find((line) => line.includes(`  ${label}`))?.includes('\u001b[2m');
    expect([isDim('tokens'), isDim('ended')]).toEqual([true, false]);
    expect(renderDiff(comparison, createStyle(false)).join('')).not.toContain('\u001b');
  });
});

describe('diff', () => {
  const runs = {
    run: (runId: string) =>
      fakeRun({
        record: async () => {
          if (runId === 'nope') throw new AgentError('RUN_NOT_FOUND', 'There is no run nope.');
          return recordOf({ progress: { runId } });
        },
      }),
  };

  it('prints one JSON object with --json', async () => {
    const { code, stdout } = await cli(['diff', 'a', 'b', '--json'], { runs });
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        left: expect.objectContaining({ runId: 'a', outcome: 'done' }),
        right: expect.objectContaining({ runId: 'b', outcome: 'done' }),
        sameUntilStep: null,
        sameItems: 6,
        parting: null,
      },
    ]);
  });

  it('prints words without', async () => {
    const { code, stdout, stderr } = await cli(['diff', 'a', 'b'], { runs });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ +a +b\n {2}goal/);
  });

  test.each([
    ['nope', 'b'],
    ['a', 'nope'],
  ])('of %s and %s says which run there is not', async (left, right) => {
    const { code, stdout } = await cli(['diff', left, right, '--json'], { runs });
    expect([code, JSON.parse(stdout).error]).toEqual([
      1,
      expect.objectContaining({ code: 'RUN_NOT_FOUND', message: 'There is no run nope.' }),
    ]);
  });

  it('of one run only is a usage error', async () => {
    expect((await cli(['diff', 'a', '--json'], { runs })).code).toBe(2);
  });
});
