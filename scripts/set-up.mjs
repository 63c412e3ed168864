/** What a fresh clone needs before anything can run. Safe to repeat: what is there is not made again. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Runs a command in the foreground; ends this process with its exit code when it fails. */
export function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Whether node_modules holds what the lock asks for. npm keeps its own copy of the lock beside the packages. */
export function isInstalled() {
  const installedLock = 'node_modules/.package-lock.json';
  if (!existsSync(installedLock)) return false;
  const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
  const installed = packagesOf(installedLock);
  return Object.entries(packagesOf('package-lock.json')).every(
    ([key, { version, optional, devOptional }]) =>
      key === '' || installed[key]?.version === version || (!(key in installed) && (optional || devOptional)),
  );
}

/** Whether dist was made after the last change of what it is made from. The bundle is the last file that a build writes. */
export function isBuilt() {
  const last = 'dist/workflow-bundle.js';
  if (!existsSync(last)) return false;
  const builtAtMs = statSync(last).mtimeMs;
  const sources = ['package.json', 'tsconfig.json', 'scripts/bundle-workflows.mjs', ...filesBelow('src')];
  return sources.every((path) => statSync(path).mtimeMs <= builtAtMs);
}

function filesBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Ends this process, in words that say what to do, when this Node is too old. */
export function requireNode() {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [major = 0, minor = 0] = engines.node.replace('>=', '').split('.').map(Number);
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  console.error(
    `error: this is Node ${process.versions.node}; ${engines.node} is needed. Get it from https://nodejs.org`,
  );
  process.exit(2);
}
