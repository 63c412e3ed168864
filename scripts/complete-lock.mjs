/**
 * Adds to package-lock.json the packages for other platforms that npm leaves out.
 *
 * A registry mirror need not hold the binaries of every platform. npm then writes a lock without them, and `npm ci` on
 * such a platform, with a registry that does hold them, stops with "Missing: … from lock file". What an entry needs
 * (version, os, cpu, libc) is in the parent's exact `optionalDependencies` and in the package's name. The integrity is
 * not known here: npm fills it in when it next writes the lock next to a registry that has the package.
 *
 * Usage: node scripts/complete-lock.mjs [--check] [LOCKFILE]
 */
import { readFileSync, writeFileSync } from 'node:fs';

const OS = 'aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32';
const CPU = 'arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64';
const ABI = 'eabi|glibc|gnu|gnueabihf|msvc|musl|musleabihf';
const PLATFORM = new RegExp(`[-/](${OS})-(${CPU})(?:-(${ABI}))?$`);
const LIBC_OF_ABI = new Map([
  ['glibc', 'glibc'],
  ['gnu', 'glibc'],
  ['musl', 'musl'],
]);

/** `@swc/core-linux-x64-gnu` is for os linux, cpu x64, libc glibc. */
function platformOfName(name) {
  const match = PLATFORM.exec(name);
  if (match === null) return null;
  const [, os, cpu, abi] = match;
  const libc = os === 'linux' ? LIBC_OF_ABI.get(abi) : undefined;
  return { cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }), os: [os] };
}

/** The key under which Node's resolution finds `name` from the package at `from`, or null. */
function resolveKey(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const key = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (key in packages) return key;
    if (at === '') return null;
  }
}

function entryFor(name, version, parent) {
  const platform = platformOfName(name);
  if (platform === null || !/^\d+\.\d+\.\d+\S*$/.test(version)) {
    throw new Error(
      `${name}@${version} names no platform or no exact version: add its entry to the lock by hand.`,
    );
  }
  const { libc, os, cpu } = platform;
  return {
    version,
    cpu,
    ...(parent.dev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc }),
    ...(parent.devOptional ? { devOptional: true } : { optional: true }),
    os,
  };
}

function missingEntries(packages) {
  const missing = {};
  for (const [key, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolveKey(packages, key, name) === null)
        missing[`node_modules/${name}`] = entryFor(name, version, entry);
    }
  }
  return missing;
}

const check = process.argv.includes('--check');
const path = process.argv.slice(2).find((arg) => !arg.startsWith('--')) ?? 'package-lock.json';
const lock = JSON.parse(readFileSync(path, 'utf8'));
const missing = missingEntries(lock.packages);
const count = Object.keys(missing).length;

if (check) {
  console.log(`${count} packages of other platforms are missing from ${path}.`);
  if (count > 0) process.exit(1);
} else {
  const byKey = ([a], [b]) => a.localeCompare(b, 'en');
  lock.packages = Object.fromEntries(Object.entries({ ...lock.packages, ...missing }).sort(byKey));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${count} packages of other platforms added to ${path}.`);
}
