import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface LockEntry {
  version?: string;
  resolved?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  optional?: boolean;
  dev?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}
type Packages = Record<string, LockEntry>;

const ROOT = join(__dirname, '../..');
const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
const packages = readPackages(text);

function readPackages(json: string): Packages {
  // The shape is npm's lock file version 3.
  const lock = JSON.parse(json) as { lockfileVersion: number; packages: Packages };
  expect(lock.lockfileVersion).toBe(3);
  return lock.packages;
}

/** Node's own resolution, on the keys of the lock. */
function resolve(from: string, name: string, among: Packages): string | undefined {
  const parts = from === '' ? [] : from.split(/(?:^|\/)node_modules\//).slice(1);
  for (let depth = parts.length; depth >= 0; depth--) {
    const key = [...parts.slice(0, depth), name].map((part) => `node_modules/${part}`).join('/');
    if (among[key] !== undefined) return key;
  }
  return undefined;
}

function unresolvedOptional(among: Packages): string[] {
  return Object.entries(among).flatMap(([key, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => resolve(key, name, among) === undefined),
  );
}

const namesOf = (prefix: string): string[] =>
  Object.keys(packages).filter((key) => key.includes(`node_modules/${prefix}`));

describe('package-lock.json', () => {
  it('has an entry for every optional dependency, so that npm ci works on every platform', () => {
    expect(unresolvedOptional(packages)).toEqual([]);
  });

  it('is told apart from a lock that lacks a platform', () => {
    const { 'node_modules/@swc/core-darwin-arm64': _gone, ...rest } = packages;
    expect(unresolvedOptional(rest)).toEqual(['@swc/core-darwin-arm64']);
  });

  it('names no registry', () => {
    expect(Object.keys(packages).filter((key) => packages[key]?.resolved !== undefined)).toEqual([]);
    expect(text).not.toMatch(/registry|\.tgz"/);
  });

  it('holds every Temporal package once, all of the one version', () => {
    const temporal = namesOf('@temporalio/');
    expect(temporal.length).toBeGreaterThan(7);
    expect(temporal.filter((key) => key.lastIndexOf('node_modules/') > 0)).toEqual([]);
    expect([...new Set(temporal.map((key) => packages[key]?.version))]).toEqual(['1.23.0']);
  });

  it('gives all Temporal packages the one protobufjs that we ask for, or replaying histories fails', () => {
    expect(packages['']?.dependencies?.protobufjs).toBe('^8.7.1');
    const users = namesOf('@temporalio/').filter(
      (key) => packages[key]?.dependencies?.protobufjs !== undefined,
    );
    expect(users.length).toBeGreaterThan(0);
    expect(new Set(users.map((key) => resolve(key, 'protobufjs', packages)))).toEqual(
      new Set(['node_modules/protobufjs']),
    );
    expect(packages['node_modules/protobufjs']?.version).toMatch(/^8\./);
  });
});

describe('scripts/complete-lock.mjs', () => {
  const shape = ({ version, os, cpu, libc, optional, dev }: LockEntry): LockEntry =>
    JSON.parse(JSON.stringify({ version, os, cpu, libc, optional, dev })) as LockEntry; // drops what is undefined
  const perPlatform = (key: string): boolean =>
    /-(x64|arm64)(-|$)/.test(key) && !key.endsWith('wasi') && packages[key]?.optional === true;

  it('restores what npm itself wrote for the packages of a platform', () => {
    const dir = mkdtempSync(join(tmpdir(), 'longhaul-lock-'));
    try {
      const file = join(dir, 'package-lock.json');
      const kept = Object.fromEntries(Object.entries(packages).filter(([key]) => !perPlatform(key)));
      writeFileSync(file, JSON.stringify({ lockfileVersion: 3, packages: kept }));
      execFileSync(process.execPath, [join(ROOT, 'scripts/complete-lock.mjs'), file]);
      const restored = readPackages(readFileSync(file, 'utf8'));
      const lost = Object.keys(packages).filter(perPlatform);
      expect(lost.length).toBeGreaterThan(40);
      for (const key of lost)
        expect([key, shape(restored[key] ?? {})]).toEqual([key, shape(packages[key] ?? {})]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
