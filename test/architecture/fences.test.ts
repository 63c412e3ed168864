import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { inTemporaryProject, read, ROOT, runBin } from './support/project.js';

const DEPCRUISE = 'dependency-cruiser/bin/dependency-cruise.mjs';
const TSC = 'typescript/bin/tsc';
const TIMEOUT_MS = 120_000;

interface CruiseConfig {
  forbidden: { name: string }[];
}
interface CruiseResult {
  summary: { violations: { rule: { name: string }; from: string }[] };
}

describe('the import arrows', () => {
  const configPath = join(ROOT, '.dependency-cruiser.cjs');
  // The module has no types; the shape is dependency-cruiser's own.
  const config = createRequire(import.meta.url)(configPath) as CruiseConfig;

  async function violations(cwd: string): Promise<string[]> {
    const { output } = await runBin(DEPCRUISE, ['src', '--config', configPath, '-T', 'json'], cwd);
    const result = JSON.parse(output) as CruiseResult;
    return result.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort();
  }

  it('hold in src', async () => expect(await violations(ROOT)).toEqual([]), TIMEOUT_MS);

  // Each file breaks the rule it stands under. Together they name every rule there is.
  const BREACHES: Record<string, Record<string, string>> = {
    'core-imports-only-its-layers': { 'src/core/a.ts': `export * from '../contract/ok.js';` },
    'contract-imports-only-its-layers': { 'src/contract/b.ts': `import type {} from 'openai';` },
    'workflows-imports-only-its-layers': {
      'src/workflows/c.ts': `import type {} from '../activities/ok.js';`,
    },
    'workflow-entry-imports-only-its-layers': { 'src/workflow.ts': `export * from './ports/ok.js';` },
    'ports-imports-only-its-layers': { 'src/ports/d.ts': `import type {} from '../adapters/ok.js';` },
    'activities-imports-only-its-layers': { 'src/activities/e.ts': `import 'node:fs';` },
    'adapters-imports-only-its-layers': { 'src/adapters/f.ts': `import type {} from '../client/ok.js';` },
    'client-imports-only-its-layers': { 'src/client/g.ts': `import '../adapters/ok.js';` },
    'cli-imports-only-its-layers': { 'src/cli/h.ts': `import '@temporalio/client';` },
    'console-imports-only-its-layers': { 'src/console/i.ts': `import '../cli/h.js';` },
    'testing-imports-only-its-layers': { 'src/testing/j.ts': `import '../client/ok.js';` },
    'config-imports-only-its-layers': {
      'src/config.ts': `import './client/ok.js'; export const config = 1;`,
    },
    'index-imports-only-its-layers': {
      'src/index.ts': `import './activities/ok.js'; import './client/native.js';`,
    },
    'config-is-read-by-the-roots-only': { 'src/adapters/k.ts': `export * from '../config.js';` },
    'sandbox-never-names-the-config': { 'src/workflows/l.ts': `import type {} from '../config.js';` },
    'every-file-has-a-layer': { 'src/stray/m.ts': `export * from '../core/ok.js';` },
    'every-orphan-has-a-layer': { 'src/stray/n.ts': `export const n = 1;` },
    'workflows-never-reach-the-outside': {
      'src/workflows/o.ts': `export * from '../core/o.js';`,
      'src/core/o.ts': `import 'node:fs';`,
    },
    'workflows-never-reach-packages': {
      'src/workflows/p.ts': `export * from '../core/p.js';`,
      'src/core/p.ts': `import 'zod';`,
    },
    'library-entry-stays-light': { 'src/client/native.ts': `import '@temporalio/worker';` },
    'no-cycles': {
      'src/adapters/q.ts': `export * from './r.js'; export const q = 1;`,
      'src/adapters/r.ts': `export * from './q.js'; export const r = 1;`,
    },
    'nothing-unresolved': { 'src/adapters/s.ts': `import './nowhere.js';` },
    'only-declared-dependencies': { 'src/adapters/t.ts': `import 'jest';` },
  };

  it(
    'fail for a breach of any of them',
    async () => {
      const layers = [
        'core',
        'contract',
        'workflows',
        'ports',
        'activities',
        'adapters',
        'client',
        'cli',
        'testing',
      ];
      const files: Record<string, string> = Object.assign(
        { 'package.json': read('package.json'), 'tsconfig.json': read('tsconfig.json') },
        Object.fromEntries(layers.map((layer) => [`src/${layer}/ok.ts`, 'export const ok = 1;'])),
        ...Object.values(BREACHES),
      );
      const found = await inTemporaryProject(files, violations);
      expect(Object.keys(BREACHES).sort()).toEqual(config.forbidden.map(({ name }) => name).sort());
      for (const [rule, breach] of Object.entries(BREACHES)) {
        // The entry is the one that reaches the native module.
        const from = rule === 'library-entry-stays-light' ? 'src/index.ts' : Object.keys(breach)[0];
        expect(found).toContain(`${rule}: ${from}`);
      }
      expect(found.filter((violation) => violation.endsWith('/ok.ts'))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe('the deterministic compilation', () => {
  it(
    'accepts core, contract and workflows',
    async () => expect((await runBin(TSC, ['-p', 'tsconfig.deterministic.json'])).output).toBe(''),
    TIMEOUT_MS,
  );

  it(
    'refuses what Node and browsers add to the language',
    async () => {
      const globals = [
        'process',
        'Buffer',
        'fetch',
        'setTimeout',
        'console',
        'crypto',
        'performance',
        'AbortController',
        'TextEncoder',
        'document',
      ];
      const lines = [
        ...globals.map((name) => `void ${name};`),
        `import 'node:fs';`,
        `import { x } from 'fs'; void x;`,
      ];
      const tsconfig = JSON.stringify({
        extends: join(ROOT, 'tsconfig.deterministic.json'),
        include: ['src'],
      });
      const files = {
        'package.json': '{"type":"module"}',
        'tsconfig.json': tsconfig.replace('"include"', '"compilerOptions":{"rootDir":"."},"include"'),
        'src/bad.ts': lines.join('\n'),
      };
      const output = await inTemporaryProject(
        files,
        async (dir) => (await runBin(TSC, ['-p', dir], dir)).output,
      );
      for (const [index] of lines.entries()) expect(output).toContain(`src/bad.ts(${index + 1},`);
    },
    TIMEOUT_MS,
  );
});

describe('the workflow bundle', () => {
  const silent = Object.fromEntries(
    ['log', 'trace', 'debug', 'info', 'warn', 'error'].map((name) => [name, () => {}]),
  );
  // What @temporalio/workflow itself is made of.
  const PACKAGES = new Set(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']);
  const SOURCES = /\/src\/(core|contract|workflows)\//;

  /** The modules in the bundle that do not belong there. */
  async function strangers(workflowsPath: string): Promise<string[]> {
    // Temporal's logger type names exactly these methods.
    const logger = silent as unknown as NonNullable<Parameters<typeof bundleWorkflowCode>[0]['logger']>;
    const { code } = await bundleWorkflowCode({ workflowsPath, logger });
    const modules = [...code.matchAll(/^\/\*{3}\/ "([^"]+\.[cm]?[jt]sx?)"/gm)].map((match) => match[1] ?? '');
    expect(modules.some((path) => path.includes('@temporalio/workflow'))).toBe(true);
    return modules.filter((path) => {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
      return name === undefined ? !SOURCES.test(`/${path}`) : !PACKAGES.has(name);
    });
  }

  it(
    'holds the core, the contract, the workflows and Temporal, and nothing else',
    async () => {
      const found = await strangers(join(ROOT, 'src/workflows/index.ts'));
      expect(found).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it.each([
    [
      'a model SDK',
      `import OpenAI from 'openai'; export const run = async () => String(OpenAI);`,
      'node_modules/openai/',
    ],
    [
      'a schema library',
      `import { z } from 'zod'; export const run = async () => z.string().parse('');`,
      'node_modules/zod/',
    ],
    [
      'an adapter',
      `import { a } from '../adapters/a.js'; export const run = async () => a;`,
      '/src/adapters/a',
    ],
    [
      'an activity',
      `import { a } from '../activities/a.js'; export const run = async () => a;`,
      '/src/activities/a',
    ],
  ])(
    'is told apart from one with %s, which Temporal bundles without complaint',
    async (_what, workflow, stranger) => {
      const files = {
        'src/workflows/index.ts': workflow,
        'src/adapters/a.ts': 'export const a = 1;',
        'src/activities/a.ts': 'export const a = 1;',
      };
      const found = await inTemporaryProject(files, (dir) => strangers(join(dir, 'src/workflows/index.ts')));
      expect(found.join('\n')).toContain(stranger);
    },
    TIMEOUT_MS,
  );
});
