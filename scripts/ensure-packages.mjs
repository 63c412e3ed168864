/**
 * Installs the Debian packages that some tests need, where that can be done unasked: as root, with apt-get. Elsewhere, and where it
 * fails, it says which tests will be skipped, and never fails itself. Safe to repeat: what is there is not installed again.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NEEDED = [
  { command: 'bwrap', name: 'bubblewrap', tests: 'the tests of the sandboxed shell tool' },
  { command: 'chromium', name: 'chromium', tests: 'the tests in a browser' },
];

/** `command -v`, without a shell. */
function isThere(command) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Gives up on a mirror that does not answer instead of waiting for minutes, but waits for another apt-get that is at work. */
function aptGet(...args) {
  const options = ['Acquire::Retries=1', 'Acquire::http::Timeout=20', 'DPkg::Lock::Timeout=300'];
  const { status } = spawnSync('apt-get', [...options.flatMap((option) => ['-o', option]), ...args], {
    // The output of apt-get is long, and `npm test` may be asked for JSON on stdout.
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

const missing = NEEDED.filter(({ command }) => !isThere(command));
if (missing.length > 0 && process.getuid?.() === 0 && isThere('apt-get')) {
  console.error(`Installing what some tests need, once: ${missing.map(({ name }) => name).join(', ')}.`);
  let isListNew = false;
  // One by one, so that a package which cannot be had does not keep the others away.
  for (const { name } of missing) {
    const install = () => aptGet('install', '-q', '-y', '--no-install-recommends', name);
    if (install() || isListNew) continue;
    isListNew = true;
    aptGet('update', '-q');
    install();
  }
}
for (const { command, name, tests } of NEEDED) {
  if (!isThere(command))
    console.error(`${name} is missing: ${tests} are skipped. To run them, install ${name}.`);
}
