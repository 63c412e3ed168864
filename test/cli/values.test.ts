import fc from 'fast-check';
import { argLines, formatDuration, formatSize, formatUsd, printable } from '../../src/cli/format.js';
import { exitOfCode, exitOfResult } from '../../src/cli/exit.js';
import type { Check } from '../../src/cli/check.js';
import { exitOfChecks } from '../../src/cli/doctor.js';
import { readLine } from '../../src/cli/decision-prompt.js';
import {
  orNone,
  parseCount,
  parseDuration,
  parseJsonObject,
  parseNames,
  parseUsd,
} from '../../src/cli/parse-values.js';

describe('values of flags', () => {
  test.each([
    ['3h', 10_800_000],
    ['90m', 5_400_000],
    ['45s', 45_000],
    ['2d', 172_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1H30M', 5_400_000],
  ])('a duration of %s is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  test.each(['', '3', 'soon', '3 hours', '-3h', '0s', 'h', '3h x', '1e99d', '999999999999999999999d'])(
    'a duration of %j is refused',
    (text) => {
      expect(() => parseDuration(text)).toThrow(/Write a time such as/);
    },
  );

  it('reads back every duration that is put together from its units', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(99), fc.integer({ min: 1, max: 99 }), (d, h, m, s) => {
        expect(parseDuration(`${d}d${h}h${m}m${s}s`)).toBe((((d * 24 + h) * 60 + m) * 60 + s) * 1000);
      }),
    );
  });

  it('takes money, counts, names, objects and none, and refuses what is not', () => {
    expect([parseUsd('2.50'), parseUsd('$3'), parseCount('200'), orNone(parseUsd)('none')]).toEqual([
      2.5,
      3,
      200,
      'none',
    ]);
    expect(parseNames('b, c', ['a'])).toEqual(['a', 'b', 'c']);
    expect(parseJsonObject('{"a":[1]}')).toEqual({ a: [1] });
    for (const text of ['0', '-1', 'free', '', '1e3', 'Infinity'])
      expect(() => parseUsd(text)).toThrow(/US dollars/);
    for (const text of ['0', '1.5', '-2', 'many', '']) expect(() => parseCount(text)).toThrow(/whole number/);
    for (const text of ['[1]', 'null', '"a"']) expect(() => parseJsonObject(text)).toThrow(/JSON object/);
    expect(() => parseJsonObject('{a}')).toThrow(/no JSON/);
    expect(() => parseNames(' , ')).toThrow(/names/);
  });
});

describe('exit codes', () => {
  test.each([
    ['done', null, 0],
    ['failed', 'MODEL_AUTH', 1],
    ['failed', 'MODEL_UNREACHABLE', 5],
    ['limit', null, 3],
    ['stopped', null, 4],
    ['cancelled', null, 4],
  ] as const)('a run that ended %s (%s) gives %d', (outcome, code, expected) => {
    expect(exitOfResult({ outcome, error: code === null ? null : { code, message: '' } })).toBe(expected);
  });

  test.each([
    ['CONFIG_INVALID', 2],
    ['INPUT_INVALID', 2],
    ['TEMPORAL_UNREACHABLE', 5],
    ['MODEL_UNREACHABLE', 5],
    ['RUN_NOT_FOUND', 1],
    ['ALREADY_DECIDED', 1],
    ['INTERNAL', 1],
  ])('the error %s gives %d', (code, expected) => {
    expect(exitOfCode(code)).toBe(expected);
  });

  it('a doctor that found several things exits for what comes first in mending', () => {
    const check = (status: Check['status'], code?: Check['code']): Check => ({
      name: 'x',
      status,
      detail: '',
      mend: null,
      ...(code && { code }),
    });
    expect(exitOfChecks([check('ok'), check('warn', 'CONFIG_INVALID')])).toBe(0);
    expect(exitOfChecks([check('fail', 'MODEL_AUTH')])).toBe(1);
    expect(exitOfChecks([check('fail', 'MODEL_AUTH'), check('fail', 'TEMPORAL_UNREACHABLE')])).toBe(5);
    expect(exitOfChecks([check('fail', 'TEMPORAL_UNREACHABLE'), check('fail', 'CONFIG_INVALID')])).toBe(2);
  });
});

describe('what is typed at a question', () => {
  test.each([
    ['a', { choice: { kind: 'approve' } }],
    ['Yes', { choice: { kind: 'approve' } }],
    ['r', { textFor: 'reject' }],
    ['r too dear', { choice: { kind: 'reject', text: 'too dear' } }],
    ['l', { choice: { kind: 'later' } }],
    ['', { unclear: true }],
    ['a bit later', { unclear: true }],
    ['what?', { unclear: true }],
    ['t', { unclear: true }],
    ['e', { choice: { kind: 'approve', scope: 'run' } }],
    ['Every', { choice: { kind: 'approve', scope: 'run' } }],
    ['e but not now', { unclear: true }],
  ])('%j about a decision', (line, expected) => {
    expect(readLine('decision', line)).toEqual(expected);
  });

  it('is the answer itself where a question was asked, and later when empty', () => {
    expect(readLine('question', ' r ')).toEqual({ choice: { kind: 'answer', text: 'r' } });
    expect(readLine('question', '  ')).toEqual({ choice: { kind: 'later' } });
    expect(readLine('unknown_outcome', 't it ran')).toEqual({ choice: { kind: 'answer', text: 'it ran' } });
    expect(readLine('unknown_outcome', 'e')).toEqual({ unclear: true });
  });

  it('is the message itself where a session waits, which is left waiting when empty', () => {
    expect(readLine('message', ' a\nb ')).toEqual({ choice: { kind: 'say', text: 'a\nb' } });
    expect(readLine('message', ' ')).toEqual({ choice: { kind: 'leave' } });
  });
});

describe('text for a terminal', () => {
  it('makes control characters visible, whatever a model or tool says', () => {
    expect(printable('\u001b]0;title\u0007\u001b[2Jx\r\ny\u202e')).toBe(
      '\\x1b]0;title\\x07\\x1b[2Jx\ny\\x202e',
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(printable(text)),
      ),
    );
  });

  it('shows arguments in full, long ones as paragraphs', () => {
    expect(argLines({ to: 'a@b.c', body: 'one\n\ntwo', n: 3 }, '  ')).toEqual([
      '  to: a@b.c',
      '  body:',
      '    | one',
      '    |',
      '    | two',
      '  n: 3',
    ]);
    expect(argLines({}, '  ')).toEqual(['  (no arguments)']);
  });

  it('writes sizes, money and time so that small amounts can be told apart', () => {
    expect([0, 1, 999, 1_000, 999_949, 999_950, 4e6].map(formatSize)).toEqual([
      '0 bytes',
      '1 byte',
      '999 bytes',
      '1.0 KB',
      '999.9 KB',
      '1.0 MB',
      '4.0 MB',
    ]);
    expect([0, 0.000412, 0.0123, 2.5].map(formatUsd)).toEqual(['$0', '$0.000412', '$0.0123', '$2.50']);
    expect([45_000, 5_400_000, 12_000_000].map(formatDuration)).toEqual(['45 s', '90 min', '3 h 20 min']);
  });
});
