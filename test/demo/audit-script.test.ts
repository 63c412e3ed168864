import {
  auditOf,
  importPatterns,
  installersIn,
  installScriptLines,
  problemsOf,
} from '../../scripts/demo/audit.js';
import type { Exchange } from '../../scripts/demo/exchanges.js';
import { findingOf, renderReport } from '../../scripts/demo/report.js';

const read = (path: string, result: string): Exchange => ({ tool: 'read_file', args: { path }, result });
const search = (pattern: string, result: string): Exchange => ({
  tool: 'search_files',
  args: { pattern, path: 'src' },
  result,
});

const manifest = JSON.stringify({
  name: 'thing',
  version: '2.0.0',
  dependencies: { '@a/one': '1.0.0', '@a/two': '1.0.0', zed: '^3.1.0' },
  devDependencies: { '@a/dev': '1.0.0', tester: '9.9.9' },
});

const exchanges: Exchange[] = [
  read('package.json', manifest),
  read(
    'docs/dependencies.md',
    '| package | reason |\n|---|---|\n| `@a/one` | One. |\n| `@a/two` | Two. |\n| `@a/dev` | Dev. |\n| `gone` | Left over. |\n| `tester` | Tests. |\n',
  ),
  read(
    'package-lock.json',
    '"@a/one": "1.0.0",\n"@a/dev": "1.0.0",\n"@a/two": "1.0.0",\n"tester": "9.9.8"\n"zed": "^3.1.0"',
  ),
  {
    tool: 'search_files',
    args: { pattern: 'hasInstallScript', path: 'package-lock.json' },
    result: 'package-lock.json:7: "hasInstallScript": true,',
  },
  search(
    "'@a/",
    "src/x.ts:1: import { one } from '@a/one';\nsrc/y.ts:4: } from '@a/one/deep';\nsrc/y.ts:9: const name = '@a/two';",
  ),
  search("'zed", "src/z.ts:2: const zed = await import('zed');\nsrc/w.ts:1: import x from 'zedding';"),
];

describe('the audit of the demo', () => {
  it('asks for one search per scope and one per other package that is needed at run time', () => {
    expect(importPatterns(exchanges)).toEqual(["'@a/", "'zed"]);
  });

  it('counts what the manifest names and finds who uses it', () => {
    const { dependencies } = auditOf(exchanges);
    expect(dependencies.map(({ name, usedBy }) => [name, usedBy])).toEqual([
      ['@a/one', ['src/x.ts', 'src/y.ts']],
      ['@a/two', []],
      ['zed', ['src/z.ts']],
      // Its scope was searched for, for the sake of others.
      ['@a/dev', null],
      ['tester', null],
    ]);
    expect(findingOf(auditOf(exchanges))).toMatch(
      /^5 dependencies, 3 of them at run time; 4 have a reason .* all but `@a\/two` .* install scripts in the lock file: 1/,
    );
  });

  it('finds what is undocumented, left over, locked at another version and unused', () => {
    expect(problemsOf(auditOf(exchanges))).toEqual([
      '`zed` has no reason in docs/dependencies.md.',
      'docs/dependencies.md explains `gone`, which is not in package.json.',
      'package-lock.json asks for another version of `tester` than package.json.',
      '`@a/two` is needed at run time by package.json, but no file of src uses it.',
    ]);
  });

  it('writes down what it found', () => {
    const report = renderReport(auditOf(exchanges), 'run-1');
    expect(report).toContain('# The dependencies of thing 2.0.0');
    expect(report).toContain('| `@a/one` | 1.0.0 | src/x.ts and 1 more | One. |');
    expect(report).toContain('| `tester` | 9.9.9 | Tests. |');
  });

  it('finds the packages with install scripts, at the places that a search named', () => {
    expect(installScriptLines(exchanges)).toEqual([7]);
    const piece = (result: string): Exchange => ({
      tool: 'read_file',
      args: { path: 'package-lock.json', offset: 1, limit: 13 },
      result,
    });
    const pieces = [
      piece(
        '    "node_modules/zed": {\n    },\n    "node_modules/@a/one": {\n      "hasInstallScript": true,',
      ),
      piece('    "node_modules/@a/one/node_modules/deep": {\n      "hasInstallScript": true,'),
    ];
    expect(installersIn([...exchanges, ...pieces])).toEqual(['@a/one', 'deep']);
    expect(installersIn(exchanges)).toEqual([]);
  });

  it('claims nothing when it has seen nothing', () => {
    expect(findingOf(auditOf([]))).toMatch(/^0 dependencies/);
  });
});
