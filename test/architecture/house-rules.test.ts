import { read, repositoryFiles } from './support/project.js';
import { findings } from './support/source-rules.js';
import type { SourceRule } from './support/source-rules.js';

const MAX_LINES = 320;
// A directory of one person or machine. `/home/node` is the user of the official Node image, `/home/me` nobody.
const MACHINE_PATH = /\/work\/(?:main|shared)\b|\/root\/|\/(?:home|Users)\/(?!(?:me|node)\b)\w/;
const REGISTRY_HOST =
  /registry\.npmjs|registry\.yarnpkg|npm\.pkg\.github|proxy\.golang|sum\.golang|files\.pythonhosted/;

let files: string[];
beforeAll(async () => {
  files = await repositoryFiles();
});

const typescript = (folder: string): string[] =>
  files.filter(
    (path) => path.startsWith(`${folder}/`) && path.endsWith('.ts') && !path.includes('/fixtures/'),
  );

/** Where in these files the rules are broken, as `path:line rule`. */
function breaches(paths: string[], rules: SourceRule[]): string[] {
  return paths.flatMap((path) =>
    findings(read(path))
      .filter(({ rule }) => rules.includes(rule))
      .map(({ rule, line }) => `${path}:${line} ${rule}`),
  );
}

function linesMatching(pattern: RegExp): string[] {
  const text = files.filter((path) => !/\.(png|jpg|wav|mp3|gz|ico|svg)$/.test(path));
  return text.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

describe('the house rules', () => {
  it('see the files of the repository', () => {
    expect(files).toContain('package.json');
    expect(typescript('src').length).toBeGreaterThan(20);
  });

  it('let only src/config.ts read the environment', () => {
    const others = typescript('src').filter((path) => path !== 'src/config.ts');
    expect(breaches(others, ['environment'])).toEqual([]);
  });

  it('allow no way around the types in src', () => {
    expect(breaches(typescript('src'), ['any', 'non-null', 'ts-comment'])).toEqual([]);
  });

  it('allow no clock and no randomness in src/core', () => {
    expect(breaches(typescript('src/core'), ['clock', 'randomness'])).toEqual([]);
  });

  it('allow no skipped or focused tests', () => {
    expect(breaches(typescript('test'), ['focused', 'skipped'])).toEqual([]);
  });

  it(`keep source files under ${MAX_LINES} lines`, () => {
    const sources = files.filter((path) => /^(src|scripts|bench)\/.*\.(ts|mjs)$/.test(path));
    expect(sources.filter((path) => read(path).split('\n').length > MAX_LINES + 1)).toEqual([]);
  });

  it('keep paths of a machine out of the repository', () => {
    expect(linesMatching(MACHINE_PATH)).toEqual([]);
  });

  it('keep hosts of package registries out of the repository', () => {
    expect(linesMatching(REGISTRY_HOST)).toEqual([]);
  });
});

describe('each house rule', () => {
  it.each<[SourceRule, string]>([
    ['any', 'let x: any;'],
    ['any', 'const x = y as any;'],
    ['any', 'function f(x: Record<string, any>) {}'],
    ['non-null', 'x!.y;'],
    ['non-null', 'let x!: string;'],
    ['non-null', 'class A { x!: string; }'],
    ['ts-comment', '// @ts-ignore\nx();'],
    ['ts-comment', '/* @ts-expect-error */ x();'],
    ['environment', 'process.env.X;'],
    ['environment', `process['env'];`],
    ['environment', 'const { env } = process;'],
    ['environment', `import { env as e } from 'node:process';`],
    ['clock', 'Date.now();'],
    ['clock', 'new Date();'],
    ['clock', 'performance.now();'],
    ['randomness', 'Math.random();'],
    ['randomness', 'crypto.randomUUID();'],
    ['randomness', `import { createHash } from 'node:crypto';`],
    ['focused', `it.only('x', () => {});`],
    ['focused', `fdescribe('x', () => {});`],
    ['skipped', `test.skip('x', () => {});`],
    ['skipped', `it.skip.each([1])('x', () => {});`],
    ['skipped', `const f = true ? it.skip : it;`],
    ['skipped', `xit('x', () => {});`],
    ['skipped', `it.todo('x');`],
  ])('%s is broken by %s', (rule, text) => {
    expect(findings(text).map((finding) => finding.rule)).toContain(rule);
  });

  it.each([
    `const word = 'any'; // any process.env or Date.now() in a comment`,
    'if (x !== y && !z) f();',
    'const at = new Date(input.atMs).toISOString();',
    'const itWithDocker = docker ? it : it.skip;',
    'const { env } = options;',
    'describe.each([1])("x", () => {});',
  ])('is kept by %s', (text) => {
    expect(findings(text)).toEqual([]);
  });

  it.each([
    ['/home/', 'someone/x'],
    ['/Users/', 'someone'],
    ['see /root', '/x'],
    ['/work', '/main'],
  ])('sees %s%s as the path of a machine', (start, end) => {
    expect(start + end).toMatch(MACHINE_PATH);
    expect(`./src${end}`).not.toMatch(MACHINE_PATH);
  });
});
