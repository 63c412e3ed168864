import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { temporaryDirectories } from './tools/tool-harness.js';

interface Outcome {
  file?: string | null;
  tools?: string[];
  mcpServers?: unknown;
  defaults?: unknown;
  prices?: unknown;
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
        const { file, tools, mcpServers, defaults, prices } = await loadConfigModule({ cwd: ${JSON.stringify(cwd)}, path });
        outcomes.push({ file, tools: tools.map((tool) => tool.spec.name + ':' + tool.effect), defaults, ...(Object.keys(prices).length > 0 && { prices }), ...(Object.keys(mcpServers).length > 0 && { mcpServers }) });
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

const flat = 'promptUsdPerMillion: 1, completionUsdPerMillion: 2';
const price = (body: string) => `export default { prices: { "m/x": { ${body} } } };`;
const tierOf = (minPromptTokens: number) => `{ ${flat}, minPromptTokens: ${minPromptTokens} }`;

test('reads prices in dollars as whole nano-dollars, rounded up, and what else runs get', async () => {
  const directory = await clone({
    'longhaul.config.mjs': `export default {
      defaults: { unpricedModels: 'estimate', budget: 'team' },
      prices: {
        'my/plain': { promptUsdPerMillion: 0.15, completionUsdPerMillion: 0 },
        'my/whole': {
          promptUsdPerMillion: 1e-10, completionUsdPerMillion: 15, requestUsd: 0.0000000011, imageUsd: 0.001,
          cacheReadUsdPerMillion: 0.3, cacheWriteUsdPerMillion: 3.75, audioUsdPerMillion: 40,
          tiers: [
            { minPromptTokens: 400000, promptUsdPerMillion: 8, completionUsdPerMillion: 30 },
            { minPromptTokens: 200000, promptUsdPerMillion: 6, completionUsdPerMillion: 22.5, cacheReadUsdPerMillion: 0.6, cacheWriteUsdPerMillion: 7.5 },
          ],
        },
      },
    };`,
  });

  const [outcome] = await load(directory, [null]);

  expect(outcome).toMatchObject({ defaults: { unpricedModels: 'estimate', budget: 'team' } });
  expect(outcome?.prices).toEqual({
    'my/plain': { promptNanoUsdPerMillion: 150_000_000, completionNanoUsdPerMillion: 0, requestNanoUsd: 0 },
    'my/whole': {
      promptNanoUsdPerMillion: 1,
      completionNanoUsdPerMillion: 15_000_000_000,
      requestNanoUsd: 2,
      imageNanoUsd: 1_000_000,
      cacheReadNanoUsdPerMillion: 300_000_000,
      cacheWriteNanoUsdPerMillion: 3_750_000_000,
      audioNanoUsdPerMillion: 40_000_000_000,
      tiers: [
        {
          minPromptTokens: 200_000,
          promptNanoUsdPerMillion: 6_000_000_000,
          completionNanoUsdPerMillion: 22_500_000_000,
          cacheReadNanoUsdPerMillion: 600_000_000,
          cacheWriteNanoUsdPerMillion: 7_500_000_000,
        },
        {
          minPromptTokens: 400_000,
          promptNanoUsdPerMillion: 8_000_000_000,
          completionNanoUsdPerMillion: 30_000_000_000,
        },
      ],
    },
  });
});

const mcp = (name: string, body: string) => `export default { mcpServers: { ${name}: { ${body} } } };`;

test('reads how MCP servers are reached', async () => {
  const servers = {
    docs: { command: 'npx', args: ['-y', 'some-server'], env: { KEY: 'x' }, tools: ['a'], approval: 'never' },
    web: { url: 'https://host.example/mcp', headers: { Authorization: 'Bearer x' }, trustAnnotations: true },
    more: { command: 'x', effects: { t: 'read' }, timeoutMs: 5, connectTimeoutMs: 6 },
  };
  const directory = await clone({
    'longhaul.config.mjs': `export default { mcpServers: ${JSON.stringify(servers)} };`,
  });

  await expect(load(directory, [null])).resolves.toMatchObject([{ mcpServers: servers }]);
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
    [
      'bad-money.mjs',
      'export default { defaults: { unpricedModels: "guess", budget: "" } };',
      /defaults\.unpricedModels must be "refuse" or "estimate"; defaults\.budget must be the name of a budget/,
    ],
    ['no-prices.mjs', 'export default { prices: [] };', /prices must be prices by model id/],
    [
      'half-price.mjs',
      price('promptUsdPerMillion: 1'),
      /m\/x\.completionUsdPerMillion must be a number of US dollars/,
    ],
    [
      'word.mjs',
      price('promptUsdPerMillion: "1", completionUsdPerMillion: NaN'),
      /promptUsdPerMillion must be a number.*completionUsdPerMillion must be a number/,
    ],
    ['minus.mjs', price(`${flat}, requestUsd: -1`), /m\/x\.requestUsd must not be below 0/],
    ['huge.mjs', price(`${flat}, imageUsd: 1e7`), /m\/x\.imageUsd must be less than 9 million US dollars/],
    ['price-typo.mjs', price(`${flat}, promptUsd: 1`), /m\/x Unrecognized key: "promptUsd"/],
    ['no-tiers.mjs', price(`${flat}, tiers: {}`), /m\/x\.tiers must be a list of prices/],
    [
      'tier.mjs',
      price(`${flat}, tiers: [{ ${flat}, minPromptTokens: 1.5 }]`),
      /tiers\[0\]\.minPromptTokens must be a whole number of tokens/,
    ],
    [
      'tiers.mjs',
      price(`${flat}, tiers: [${tierOf(5)}, ${tierOf(5)}]`),
      /tiers must each start at another minPromptTokens/,
    ],
    ['typo.mjs', 'export default { defaults: { maxStep: 1 } };', /defaults Unrecognized key: "maxStep"/],
    ['mcp.mjs', 'export default { mcpServers: [] };', /mcpServers must be servers by name/],
    ['mcp-name.mjs', mcp('"a.b"', 'command: "x"'), /mcpServers\.a\.b must have a name of 1 to 32 letters/],
    ['mcp-none.mjs', mcp('a', 'args: []'), /mcpServers\.a must have either a command or a url/],
    [
      'mcp-both.mjs',
      mcp('a', 'command: "x", url: "http://x"'),
      /mcpServers\.a must have either a command or a url/,
    ],
    ['mcp-typo.mjs', mcp('a', 'command: "x", header: {}'), /mcpServers\.a Unrecognized key: "header"/],
    [
      'mcp-effect.mjs',
      mcp('a', 'command: "x", effects: { t: "never" }'),
      /a\.effects\.t must be 'read', 'idempotent'/,
    ],
    ['mcp-time.mjs', mcp('a', 'command: "x", timeoutMs: 0'), /a\.timeoutMs must be 1 or more/],
    [
      'mcp-clash.mjs',
      'export default { mcpServers: { a: { command: "x" }, a__b: { command: "x" } } };',
      /mcpServers must not have both "a" and "a__b"/,
    ],
    [
      'mcp-secrets.mjs',
      `export default { mcpServers: {
        a: { url: 'https://user:hush-hush@host' }, b: { url: 'http://x', headers: { A: 'hush-hush\\n' } },
        c: { command: 'x', env: { A: ['hush-hush'] } }, d: { url: 'http://x', headers: { A: 'hush-hush\\0' } },
      } };`,
      /^(?!.*hush)(?=.*a\.url must be an http or https address without user)(?=.*d\.headers must be names and values).*c\.env\.A must be a text/,
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
