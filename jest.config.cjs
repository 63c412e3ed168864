/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // NodeNext sources import `./x.js`; the file on disk is `x.ts`.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Packages published only as ES modules; Jest on Node 20 cannot require those.
  transformIgnorePatterns: ['/node_modules/(?!@openrouter/sdk/)'],
  // Starts no server, only something that starts one when a test first asks for it.
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/seeded-properties.ts'],
  testTimeout: 30_000,
  // A worker that the SDK could not let go of (see runToEnd in src/worker) would keep a finished test run alive for ever.
  forceExit: true,
};
