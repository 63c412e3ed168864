/**
 * `npm test`: sets up what the tests need on a fresh clone, then runs them all. Arguments go to Jest, so
 * `npm test -- test/core` runs a part. Safe to repeat: what is there is not made again.
 */
import { isInstalled, run } from './set-up.mjs';

if (!isInstalled()) run('npm', ['ci']);
run('npm', ['run', '--silent', 'build']);

run(process.execPath, ['scripts/ensure-packages.mjs']);
run(process.execPath, ['--import', 'tsx', 'scripts/ensure-temporal.ts']);
// Most end-to-end tests wait for a server, so every core may have one.
run(process.execPath, ['node_modules/jest/bin/jest.js', '--maxWorkers=100%', ...process.argv.slice(2)]);
