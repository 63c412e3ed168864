import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../../src/core/errors.js';
import type { JsonObject } from '../../src/core/json.js';
import { REASONING_EFFORTS } from '../../src/core/run-input.js';
import { cli, event, resultOf } from './support.js';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'longhaul-cli-'))));
afterEach(() => rmSync(dir, { recursive: true }));

function fileOf(content: unknown): string {
  const file = join(dir, 'input.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

/** What a run is started with, beside its goal and who asks for it. */
async function started(flags: readonly string[], inFile?: JsonObject): Promise<unknown> {
  let input: object = {};
  const start = async (given: object): Promise<never> => {
    input = given;
    throw new AgentError('RUN_EXISTS', 'That far it must come.');
  };
  const file = inFile ? ['--input', fileOf(inFile)] : [];
  const { code, stderr } = await cli(['start', 'do it', ...file, ...flags], { runs: { start } });
  expect([code, stderr]).toEqual([1, expect.stringContaining('That far')]);
  return Object.fromEntries(
    Object.entries(input).filter(([name]) => name !== 'goal' && name !== 'requestedBy'),
  );
}

/** What is said about flags that do not fit. */
async function refusal(...flags: string[]): Promise<string> {
  const { code, stderr } = await cli(['start', ...flags]);
  expect(code).toBe(2);
  return stderr;
}

describe('start', () => {
  it.each([
    [['--review'], { review: true }],
    [['--review', '5'], { review: { rounds: 5 } }],
    [['--review', '--review-model', 'm'], { review: { model: 'm' } }],
    [
      ['--review', '2', '--check', 'npm test', '--check', 'npm run lint', '--review-ask'],
      {
        review: {
          rounds: 2,
          checks: [{ command: 'npm test' }, { command: 'npm run lint' }],
          onDisagreement: 'ask',
        },
      },
    ],
    [['--reasoning', 'high'], { reasoning: { effort: 'high' } }],
    [['--reasoning-tokens', '2000'], { reasoning: { maxTokens: 2_000 } }],
    [['--reasoning', 'low', '--reasoning-exclude'], { reasoning: { effort: 'low', exclude: true } }],
    [['--reasoning-exclude'], { reasoning: { exclude: true } }],
    [['--compact-at', '20000'], { compactAtTokens: 20_000 }],
    [['--wire', 'responses'], { wire: 'responses' }],
    [['--temperature', '0.5', '--max-output-tokens', '9'], { temperature: 0.5, maxOutputTokens: 9 }],
    [[], {}],
  ])('%j asks for %j', async (flags, input) => {
    expect(await started(flags)).toEqual(input);
  });

  it.each(REASONING_EFFORTS)('takes the effort %s', async (effort) => {
    expect(await started(['--reasoning', effort])).toEqual({ reasoning: { effort } });
  });

  it('hands on the schema in a file', async () => {
    const schema = { type: 'object', required: ['count'] };
    expect(await started(['--schema', fileOf(schema)])).toEqual({ schema });
  });

  it.each([
    [{ review: { rounds: 5, model: 'm' } }, ['--review', '2'], { review: { rounds: 2, model: 'm' } }],
    [{ review: { rounds: 5 } }, ['--review'], { review: { rounds: 5 } }],
    [{ review: { rounds: 5 } }, ['--review-ask'], { review: { rounds: 5, onDisagreement: 'ask' } }],
    [{ review: true }, ['--check', 'make'], { review: { checks: [{ command: 'make' }] } }],
    [
      { review: { checks: [{ tool: 'look' }] } },
      ['--check', 'make'],
      { review: { checks: [{ command: 'make' }] } },
    ],
    [{ review: false }, ['--review', '1'], { review: { rounds: 1 } }],
    [{ review: false }, ['--review'], { review: true }],
    [{ review: false }, [], { review: false }],
    [{ reasoning: 'high' }, ['--reasoning-exclude'], { reasoning: { effort: 'high', exclude: true } }],
    [
      { reasoning: { effort: 'high', exclude: true } },
      ['--reasoning-tokens', '9'],
      { reasoning: { maxTokens: 9, exclude: true } },
    ],
    [{ reasoning: { maxTokens: 9 } }, ['--reasoning', 'low'], { reasoning: { effort: 'low' } }],
    [{ reasoning: 'high', wire: 'responses' }, ['--wire', 'chat'], { reasoning: 'high', wire: 'chat' }],
  ])('puts flags over the file, field by field: %j with %j', async (inFile, flags, input) => {
    expect(await started(flags, inFile)).toEqual(input);
  });

  it.each([
    [['x', '--review-model', 'm'], '--review-model is about the review of the answer: add --review'],
    [['x', '--check', 'make'], '--check is about the review of the answer: add --review'],
    [['x', '--review-ask'], '--review-ask is about the review of the answer: add --review'],
    [['--review', 'do it'], 'or the goal before --review'],
    [['x', '--review', '0'], 'Write a whole number from 1'],
    [['x', '--review', '21'], 'review.rounds must be 1 to 20'],
    [['x', '--reasoning', 'hard'], 'xhigh'],
    [['x', '--reasoning', 'low', '--reasoning-tokens', '9'], 'cannot be used with'],
    [['x', '--compact-at', '10'], 'compactAtTokens must be at least 1,000'],
    [['x', '--wire', 'smoke'], 'chat, responses'],
    [['x', '--schema', '/does/not/exist.json'], '--schema /does/not/exist.json cannot be used'],
  ])('%j is refused with a word on how to mend it', async (flags, words) => {
    expect(await refusal(...flags)).toContain(words);
  });

  it('refuses a schema that is none', async () => {
    expect(await refusal('x', '--schema', fileOf({ type: 'nonsense' }))).toContain('schema cannot be used');
    expect(await refusal('x', '--schema', fileOf([]))).toContain('Write a JSON object');
  });
});

describe('--wait in a run with a schema', () => {
  it('prints the value alone, without what the model wrote around it', async () => {
    const answer = '```json\n{ "count": 3 }\n```';
    const result = resultOf({ answer, output: { count: 3 } });
    const run = {
      async *events() {
        yield event({ type: 'run_completed', result });
      },
    };
    const { stdout } = await cli(['start', 'x', '--wait'], { run });
    expect(stdout).toBe('{"count":3}\n');
  });
});

describe('transcript', () => {
  it.each([
    [[], {}],
    [['--full'], { full: true }],
  ])('%j reads with %j', async (flags, options) => {
    const asked: unknown[] = [];
    const transcript = async (given: unknown) => {
      asked.push(given);
      return [{ role: 'user' as const, content: 'do it' }];
    };
    const { stdout } = await cli(['transcript', 'r', ...flags], { run: { transcript } });
    expect([asked, stdout]).toEqual([[options], 'user\n  do it\n']);
  });
});
