/**
 * `npm run demo`: an agent audits the dependencies of this clone, on an embedded Temporal server. Sets up what is missing, so a
 * fresh clone is enough; started again after it was interrupted, it carries its run on. `npm run demo -- --help` names the options.
 */
import { fileURLToPath } from 'node:url';
import { isBuilt, isInstalled, requireNode, run } from './set-up.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
requireNode();
if (!isInstalled()) {
  console.log('Installing the packages that package-lock.json names (npm ci); about a minute, once.');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}
if (!isBuilt()) {
  console.log('Compiling the sources to dist/ (npm run build); some seconds, after each change.');
  run('npm', ['run', '--silent', 'build']);
}

const { register } = await import('tsx/esm/api');
register();
const { demo } = await import('./demo/main.ts');
const exitCode = await demo({ args: process.argv.slice(2), root });
// A first build of Temporal that was interrupted may still be ending.
process.exit(exitCode);
