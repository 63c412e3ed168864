import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { temporaryDirectories } from './tools/tool-harness.js';

interface Outcome {
  file?: string | null;
  tools?: string[];
  defaults?: unknown;
  code?: string;
  message?: string;
}

const repository = resolve(__dirname, '../..');
const run = promisify(execFile);
const temporaryDirectory = temporaryDirectories();

/** Jest cannot import modules natively, so the loader runs in a process of its own, all cases of a test in one. */
async function load(cwd: string, paths: (string | null)[]): Promise<Outcome[]> {
  const code = `
    const { loadConfigModule } = await import(${JSON.stringify(pathToFileURL(join(repository, 'src/adapters/config-module.ts')).href)});
    const outcomes = [];
    for (const path of ${JSON.stringify(paths)}) {
      try {
        const { file, tools, defaults } = await loadConfigModule({ cwd: ${JSON.stringify(cwd)}, path });
        outcomes.push({ file, tools: tools.map((tool) => tool.spec.name + ':' + tool.effect), defaults });
      } catch (error) {
        outcomes.push({ code: error.code, message: error.message });
      }
    }
    console.log(JSON.stringify(outcomes));`;
  const { stdout } = await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: repository,
  });
  return JSON.parse(stdout) as Outcome[]; // What the lines above print.
}

const definition = `{ name: 'ping', description: 'Pings.', input: z.object({}), effect: 'read', execute: () => 'pong' }`;
const header = `import { defineConfig, defineTool } from 'longhaul';\nimport { z } from 'zod';\n`;
const configModule = (body: string) => `${header}export default ${body};\n`;
const good = configModule(
  `defineConfig({ tools: [defineTool(${definition})], defaults: { maxCostUsd: 1, maxSteps: 5 } })`,
);

/** A directory that is a clone of the package itself, so that the name longhaul means it, as it does in a real clone. */
async function clone(files: Record<string, string>): Promise<string> {
  const directory = await temporaryDirectory();
  const source = (path: string) => JSON.stringify(pathToFileURL(join(repository, 'src', path)).href);
  const all = {
    'package.json': JSON.stringify({ name: 'longhaul', type: 'module', exports: { '.': './dist/index.js' } }),
    'dist/index.js': `export { defineTool } from ${source('adapters/tools/define-tool.ts')};\nexport { defineConfig } from ${source('adapters/tools/define-config.ts')};\n`,
    'node_modules/zod/package.json': JSON.stringify({ name: 'zod', type: 'module', exports: './index.js' }),
    'node_modules/zod/index.js': `export * from ${JSON.stringify(pathToFileURL(join(repository, 'node_modules/zod/index.js')).href)};\n`,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

const loaded = { tools: ['ping:read'], defaults: { maxCostUsd: 1, maxSteps: 5 } };

test('finds nothing where there is nothing', async () => {
  const directory = await clone({ 'longhaul.config.json': '{}' });

  await expect(load(directory, [null])).resolves.toEqual([{ file: null, tools: [], defaults: {} }]);
});

test.each([
  [['longhaul.config.ts', 'longhaul.config.mjs', 'longhaul.config.js'], 'longhaul.config.ts'],
  [['longhaul.config.mjs', 'longhaul.config.js'], 'longhaul.config.mjs'],
  [['longhaul.config.js'], 'longhaul.config.js'],
])('of %j takes %s', async (names, taken) => {
  const directory = await clone(
    Object.fromEntries(names.map((name) => [name, name === taken ? good : 'throw new Error("taken")'])),
  );

  await expect(load(directory, [null])).resolves.toEqual([{ file: join(directory, taken), ...loaded }]);
});

test('loads the module that is asked for, in TypeScript, JavaScript or CommonJS, or a plain object', async () => {
  const typed = `const steps: number = 3;\n${good.replace('maxSteps: 5', 'maxSteps: steps')}`;
  const directory = await clone({
    'typed.ts': typed,
    'a/module.mjs': good,
    'plain.mjs': 'export default { defaults: { model: "a/b" } };',
    'old/package.json': '{}',
    'old/common.js': 'module.exports = { defaults: { maxSteps: 7 } };',
    'old/typed.ts': 'const config: object = { defaults: { maxSteps: 8 } };\nexport default config;',
  });

  const outcomes = await load(directory, [
    'typed.ts',
    'a/module.mjs',
    'plain.mjs',
    'old/common.js',
    'old/typed.ts',
    join(directory, 'plain.mjs'),
  ]);

  expect(outcomes).toEqual([
    { file: join(directory, 'typed.ts'), tools: ['ping:read'], defaults: { maxCostUsd: 1, maxSteps: 3 } },
    { file: join(directory, 'a/module.mjs'), ...loaded },
    { file: join(directory, 'plain.mjs'), tools: [], defaults: { model: 'a/b' } },
    { file: join(directory, 'old/common.js'), tools: [], defaults: { maxSteps: 7 } },
    { file: join(directory, 'old/typed.ts'), tools: [], defaults: { maxSteps: 8 } },
    { file: join(directory, 'plain.mjs'), tools: [], defaults: { model: 'a/b' } },
  ]);
});

test('says in one error which file is wrong, and how', async () => {
  const cases: [file: string, text: string, words: RegExp][] = [
    ['syntax.ts', 'export default {', /^syntax\.ts cannot be loaded: .*(ERROR|Unexpected)/s],
    ['syntax.mjs', 'export default {', /^syntax\.mjs cannot be loaded: Unexpected/],
    ['throws.ts', 'throw new Error("boom");', /^throws\.ts cannot be loaded: boom$/],
    ['throws-text.mjs', 'throw "boom";', /^throws-text\.mjs cannot be loaded: boom$/],
    [
      'missing-import.ts',
      'import "./none.js"; export default {};',
      /^missing-import\.ts cannot be loaded: Cannot find module/,
    ],
    [
      'no-default.ts',
      'export const config = {};',
      /^no-default\.ts has no default export\. Write: export default defineConfig/,
    ],
    ['number.mjs', 'export default 3;', /^Correct the default export of number\.mjs: it /],
    ['null.mjs', 'export default null;', /^Correct the default export of null\.mjs: it /],
    ['unknown.mjs', 'export default { tool: [] };', /unknown\.mjs: it Unrecognized key: "tool"/],
    ['no-list.mjs', 'export default { tools: {} };', /tools must be a list of tools/],
    [
      'no-tool.mjs',
      configModule(`{ tools: [defineTool(${definition}), ${definition}] }`),
      /tools\[1\] is no tool: make it with defineTool/,
    ],
    [
      'bad-tool.mjs',
      configModule(`{ tools: [defineTool({ ...${definition}, name: 'a b' })] }`),
      /^bad-tool\.mjs cannot be loaded: Correct tool "a b": name/,
    ],
    [
      'bad-default.mjs',
      'export default { defaults: { maxSteps: -1, model: "" } };',
      /defaults\.model must be a model name; defaults\.maxSteps must be above 0/,
    ],
    ['typo.mjs', 'export default { defaults: { maxStep: 1 } };', /defaults Unrecognized key: "maxStep"/],
    [
      'mcp.mjs',
      'export default { mcpServers: { docs: { command: "npx" } } };',
      /mcpServers is not available in this version/,
    ],
  ];
  const directory = await clone(Object.fromEntries(cases.map(([file, text]) => [file, text])));

  const outcomes = await load(
    directory,
    cases.map(([file]) => file),
  );

  for (const [index, [, , words]] of cases.entries()) {
    expect(outcomes[index]).toEqual({ code: 'CONFIG_INVALID', message: expect.stringMatching(words) });
  }
});

test('says that a file that is asked for is not there', async () => {
  const directory = await clone({ 'longhaul.config.mjs': good });

  await expect(load(directory, ['none.ts'])).resolves.toEqual([
    { code: 'CONFIG_INVALID', message: 'LONGHAUL_CONFIG names none.ts, which does not exist.' },
  ]);
});

test('says what to do in a clone that is not built, and where the package is not installed', async () => {
  const directory = await clone({
    'a.ts': good,
    'a.mjs': good,
    'other/package.json': '{}',
    'other/a.mjs': good,
    'package.json': '{"name":"longhaul","type":"module","exports":"./dist/none.js"}',
  });

  for (const { code, message } of await load(directory, ['a.ts', 'a.mjs', 'other/a.mjs'])) {
    expect([code, message]).toEqual([
      'CONFIG_INVALID',
      expect.stringMatching(/Run beside it: npm install longhaul \(from a clone: npm run build, /),
    ]);
  }
});
