import { z } from 'zod';
import type { Exchange } from './exchanges.js';

/** One package that `package.json` names. */
export interface Dependency {
  name: string;
  range: string;
  isRuntime: boolean;
  /** What `docs/dependencies.md` says of it. */
  reason: string | null;
  /** Files of `src` that import it or look it up; `null` when nobody searched for it. */
  usedBy: string[] | null;
}

/** What the tool results tell about the dependencies of a repository. */
export interface Audit {
  title: string;
  dependencies: Dependency[];
  /** Documented, but not in `package.json`. */
  leftOver: string[];
  /** In `package-lock.json` with another range. */
  unlocked: string[];
  /** Packages with an install script. */
  installScripts: number;
}

const ranges = z.record(z.string(), z.string()).default({});
const manifestShape = z
  .object({
    name: z.string().default('this repository'),
    version: z.string().default(''),
    dependencies: ranges,
    devDependencies: ranges,
  })
  .catch({ name: 'this repository', version: '', dependencies: {}, devDependencies: {} });
const ROW = /^\| `([^`]+)` \| (\S.*?) \|$/gm;
const SEARCH_HIT = /^(.+?):\d+: (.*)$/gm;

/** Reads the audit out of what `read_file` and `search_files` returned. */
export function auditOf(exchanges: readonly Exchange[]): Audit {
  const manifest = manifestIn(exchanges);
  const reasons = new Map(
    [...readOf(exchanges, 'docs/dependencies.md').matchAll(ROW)].map((match) => [
      match[1] ?? '',
      match[2] ?? '',
    ]),
  );
  const lock = readOf(exchanges, 'package-lock.json');
  const imports = searchesIn(exchanges, 'src');
  const dependencies = manifest.dependencies.map((dependency) => ({
    ...dependency,
    reason: reasons.get(dependency.name) ?? null,
    usedBy: usersOf(dependency.name, imports),
  }));
  const known = new Set(dependencies.map(({ name }) => name));
  return {
    title: manifest.title,
    dependencies,
    leftOver: [...reasons.keys()].filter((name) => !known.has(name)),
    unlocked: dependencies
      .filter(({ name, range }) => !lock.includes(`"${name}": "${range}"`))
      .map(({ name }) => name),
    installScripts: searchesIn(exchanges, 'package-lock.json').reduce(
      (count, { hits }) => count + hits.length,
      0,
    ),
  };
}

/** The texts to search the sources for, so that each package that is needed at run time is found: one for all packages of a scope. */
export function importPatterns(exchanges: readonly Exchange[]): string[] {
  const names = manifestIn(exchanges)
    .dependencies.filter(({ isRuntime }) => isRuntime)
    .map(({ name }) => name);
  return [...new Set(names.map((name) => `'${name.startsWith('@') ? `${name.split('/')[0]}/` : name}`))];
}

/** Things that somebody has to mend. */
export function problemsOf({ dependencies, leftOver, unlocked }: Audit): string[] {
  return [
    ...dependencies
      .filter(({ reason }) => reason === null)
      .map(({ name }) => `\`${name}\` has no reason in docs/dependencies.md.`),
    ...leftOver.map((name) => `docs/dependencies.md explains \`${name}\`, which is not in package.json.`),
    ...unlocked.map((name) => `package-lock.json asks for another version of \`${name}\` than package.json.`),
    ...dependencies
      .filter(({ usedBy, reason }) => usedBy?.length === 0 && !saysNoImport(reason))
      .map(({ name }) => `\`${name}\` is needed at run time by package.json, but no file of src uses it.`),
  ];
}

function saysNoImport(reason: string | null): boolean {
  return /^Nothing imports it\b/.test(reason ?? '');
}

function manifestIn(exchanges: readonly Exchange[]): {
  title: string;
  dependencies: Pick<Dependency, 'name' | 'range' | 'isRuntime'>[];
} {
  const { name, version, dependencies, devDependencies } = manifestShape.parse(
    parseJson(readOf(exchanges, 'package.json')),
  );
  const list = (ranges: Record<string, string>, isRuntime: boolean) =>
    Object.entries(ranges).map(([packageName, range]) => ({ name: packageName, range, isRuntime }));
  return {
    title: `${name} ${version}`.trim(),
    dependencies: [...list(dependencies, true), ...list(devDependencies, false)],
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function readOf(exchanges: readonly Exchange[], path: string): string {
  return exchanges.find(({ tool, args }) => tool === 'read_file' && args['path'] === path)?.result ?? '';
}

interface Search {
  pattern: string;
  hits: { file: string; line: string }[];
}

function searchesIn(exchanges: readonly Exchange[], path: string): Search[] {
  return exchanges
    .filter(({ tool, args }) => tool === 'search_files' && args['path'] === path)
    .map(({ args, result }) => ({
      pattern: String(args['pattern']),
      hits: [...result.matchAll(SEARCH_HIT)].map((match) => ({ file: match[1] ?? '', line: match[2] ?? '' })),
    }));
}

function usersOf(name: string, searches: readonly Search[]): string[] | null {
  const search = searches.find(({ pattern }) => `'${name}`.startsWith(pattern));
  if (search === undefined) return null;
  const importsIt = new RegExp(
    `\\b(?:from|import|require|resolve)[\\s(]*'${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}['/]`,
  );
  return [...new Set(search.hits.filter(({ line }) => importsIt.test(line)).map(({ file }) => file))];
}
