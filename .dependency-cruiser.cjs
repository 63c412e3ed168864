const { builtinModules } = require('node:module');

const npm = (...names) => names.map((name) => `(^|/)node_modules/${name}/`);
const builtins = (names) => `^(node:)?(${names.join('|')})(/|$)`;
const ANY_BUILTIN = builtins(builtinModules.map((name) => name.replace(/^_/, '\\_')));
const PURE_BUILTINS = builtins([
  'assert',
  'buffer',
  'crypto',
  'events',
  'string_decoder',
  'timers',
  'util',
  'zlib',
]);
const ANY_NPM = '(^|/)node_modules/';

const layer = (name) => `^src/${name}/`;
const CORE = layer('core');
const CONTRACT = layer('contract');
const PORTS = layer('ports');
const CLIENT = layer('client');
const SANDBOX_NPM = npm('@temporalio/common', '@temporalio/workflow');

// What each layer may import: the arrows of the house. Whatever is not listed here is an error.
const LAYERS = {
  core: { path: CORE, may: [CORE] },
  contract: { path: CONTRACT, may: [CONTRACT, CORE, ...SANDBOX_NPM] },
  workflows: { path: layer('workflows'), may: [layer('workflows'), CONTRACT, CORE, ...SANDBOX_NPM] },
  'workflow-entry': {
    path: '^src/workflow\\.ts$',
    may: [layer('workflows'), CONTRACT, CORE, ...SANDBOX_NPM],
  },
  ports: { path: PORTS, may: [PORTS, CONTRACT, CORE, ...npm('zod')] },
  activities: {
    path: layer('activities'),
    may: [
      layer('activities'),
      PORTS,
      CONTRACT,
      CORE,
      PURE_BUILTINS,
      ...npm('@temporalio/activity', '@temporalio/common', 'zod'),
    ],
  },
  adapters: {
    path: layer('adapters'),
    may: [layer('adapters'), PORTS, CONTRACT, CORE, ANY_BUILTIN, ANY_NPM],
  },
  client: {
    path: CLIENT,
    may: [
      CLIENT,
      layer('adapters/temporal'),
      CONTRACT,
      CORE,
      ANY_BUILTIN,
      ...npm('@temporalio/client', '@temporalio/common', '@temporalio/proto', 'zod'),
    ],
  },
  cli: {
    path: layer('cli'),
    may: [layer('cli'), CLIENT, PORTS, CONTRACT, CORE, ANY_BUILTIN, ...npm('commander', 'zod')],
  },
  console: {
    path: layer('console'),
    may: [layer('console'), CLIENT, PORTS, CONTRACT, CORE, ANY_BUILTIN, ...npm('zod')],
  },
  testing: {
    path: layer('testing'),
    may: [layer('testing'), PORTS, CONTRACT, CORE, ANY_BUILTIN, ...npm('@temporalio/[^/]+', 'zod')],
  },
  config: {
    path: '^src/config\\.ts$',
    may: [PORTS, CONTRACT, CORE, ANY_BUILTIN, ...npm('@temporalio/envconfig', 'zod')],
  },
  index: {
    path: '^src/index\\.ts$',
    may: ['^src/(agent-client|chat)\\.ts$', CLIENT, layer('adapters'), PORTS, CONTRACT, CORE],
  },
};
// They put the parts together: the worker, the CLI, and the client and the chat call of the library.
const ROOTS = '^src/(worker|client|agent-client|chat)\\.ts$|^src/worker/';
// Everyone may name the type of the configuration; only the roots read it.
const CONFIG = '^src/config\\.ts$';

const arrows = Object.entries(LAYERS).map(([name, { path, may }]) => ({
  name: `${name}-imports-only-its-layers`,
  comment: `src/${name} reaches only what the table in .dependency-cruiser.cjs allows.`,
  severity: 'error',
  from: { path },
  to: { pathNot: name === 'index' ? may : [...may, CONFIG] },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'config-is-read-by-the-roots-only',
      comment: 'Other layers take what they need as arguments; `import type` is fine outside of the sandbox.',
      severity: 'error',
      from: { path: '^src/', pathNot: [ROOTS, '^src/index\\.ts$'] },
      to: { path: CONFIG, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sandbox-never-names-the-config',
      severity: 'error',
      from: { path: '^src/(core|contract|workflows|ports)/|^src/workflow\\.ts$' },
      to: { path: CONFIG },
    },
    {
      name: 'every-file-has-a-layer',
      comment: 'A new folder needs its place in the table of layers first.',
      severity: 'error',
      from: { path: '^src/', pathNot: [ROOTS, ...Object.values(LAYERS).map(({ path }) => path)] },
      to: {},
    },
    {
      name: 'every-orphan-has-a-layer',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: [ROOTS, ...Object.values(LAYERS).map(({ path }) => path)],
      },
      to: {},
    },
    {
      name: 'workflows-never-reach-the-outside',
      comment: 'Also over several imports: what the workflow bundle contains must be replayable.',
      severity: 'error',
      from: { path: '^src/(core|contract|workflows)/|^src/workflow\\.ts$' },
      to: {
        reachable: true,
        path: [
          '^src/(activities|adapters|client|cli|console|testing|ports)/',
          '^src/[^/]+\\.ts$',
          ANY_BUILTIN,
        ],
        pathNot: ['^src/workflow\\.ts$'],
      },
    },
    {
      name: 'workflows-never-reach-packages',
      severity: 'error',
      from: { path: '^src/(core|contract|workflows)/|^src/workflow\\.ts$' },
      to: { reachable: true, path: ANY_NPM, pathNot: SANDBOX_NPM },
    },
    {
      name: 'library-entry-stays-light',
      comment: 'A program that only starts and watches runs must not load the native worker.',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { reachable: true, path: npm('@temporalio/(worker|testing|core-bridge)') },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'only-declared-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
