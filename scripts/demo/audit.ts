import { z } from 'zod';
import type { Exchange } from './exchanges.js';

/** One package that `package.json` names. */
export interface Dependency {
  name: string;
  range: string;
  isRuntime: boolean;
  /** What `docs/dependencies.md` says of it. */
  reason: string | null;
  /** Files of `src` that import it or look it up; `null` when nobody searched for it, or it is for development. */
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
/** What npm has pinned. */
export const LOCK_FILE = 'package-lock.json';
const SEARCH_HIT = /^(.+?):(\d+): (.*)$/gm;

/** Reads the audit out of what `read_file` and `search_files` returned. */
export function auditOf(exchanges: readonly Exchange[]): Audit {
  const manifest = manifestIn(exchanges);
  const reasons = new Map(
    [...readOf(exchanges, 'docs/dependencies.md').matchAll(ROW)].map((match) => [
      match[1] ?? '',
      match[2] ?? '',
    ]),
  );
  const lock = readOf(exchanges, LOCK_FILE);
  const imports = searchesIn(exchanges, 'src');
  const dependencies = manifest.dependencies.map((dependency) => ({
    ...dependency,
    reason: reasons.get(dependency.name) ?? null,
    usedBy: dependency.isRuntime ? usersOf(dependency.name, imports) : null,
  }));
  const known = new Set(dependencies.map(({ name }) => name));
  return {
    title: manifest.title,
    dependencies,
    leftOver: [...reasons.keys()].filter((name) => !known.has(name)),
    unlocked: dependencies
      .filter(({ name, range }) => !lock.includes(`"${name}": "${range}"`))
      .map(({ name }) => name),
    installScripts: searchesIn(exchanges, LOCK_FILE).reduce((count, { hits }) => count + hits.length, 0),
  };
}

/** The texts to search the sources for, so that each package that is needed at run time is found: one for all packages of a scope. */
export function importPatterns(exchanges: readonly Exchange[]): string[] {
  const names = manifestIn(exchanges)
    .dependencies.filter(({ isRuntime }) => isRuntime)
    .map(({ name }) => name);
  return [...new Set(names.map((name) => `'${name.startsWith('@') ? `${name.split('/')[0]}/` : name}`))];
}

/** Lines of the lock file that say that a package has an install script. */
export function installScriptLines(exchanges: readonly Exchange[]): number[] {
  return searchesIn(exchanges, LOCK_FILE).flatMap(({ hits }) => hits.map(({ lineNumber }) => lineNumber));
}

/** The packages with install scripts, out of what was read of the lock file around these lines. */
export function installersIn(exchanges: readonly Exchange[]): string[] {
  const pieces = exchanges.filter(
    ({ tool, args }) => tool === 'read_file' && args['path'] === LOCK_FILE && Number(args['offset']) >= 1,
  );
  return pieces.flatMap(({ result }) => {
    const entries = [...result.matchAll(/^ *"(?:.*\/)?node_modules\/([^"]+)": \{$/gm)];
    return entries.at(-1)?.[1] ?? [];
  });
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
  hits: { file: string; lineNumber: number; line: string }[];
}

function searchesIn(exchanges: readonly Exchange[], path: string): Search[] {
  return exchanges
    .filter(({ tool, args }) => tool === 'search_files' && args['path'] === path)
    .map(({ args, result }) => ({
      pattern: String(args['pattern']),
      hits: [...result.matchAll(SEARCH_HIT)].map(([, file = '', lineNumber, line = '']) => ({
        file,
        lineNumber: Number(lineNumber),
        line,
      })),
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
