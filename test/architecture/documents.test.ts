import { read } from './support/project.js';

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const variablesIn = (text: string): string[] =>
  [...new Set(text.match(/\b(?:OPENROUTER|LONGHAUL)_[A-Z_]+[A-Z]\b/g))].sort();

describe('docs/dependencies.md', () => {
  // npm's own format.
  const manifest = JSON.parse(read('package.json')) as Manifest;
  const [, runtime = '', development = ''] = read('docs/dependencies.md').split(/^## /m);
  const rows = (section: string): string[] =>
    [...section.matchAll(/^\| `([^`]+)` \| \S.{10,} \|$/gm)].map((match) => match[1] ?? '');

  it('gives a reason for each dependency, in order', () => {
    expect(rows(runtime)).toEqual(Object.keys(manifest.dependencies).sort());
  });

  it('gives a reason for each development dependency, in order', () => {
    expect(rows(development)).toEqual(Object.keys(manifest.devDependencies).sort());
  });
});

describe('.env.example', () => {
  it('names every variable that the configuration reads, and no other', () => {
    const known = variablesIn(read('src/config.ts'));
    expect(known.length).toBeGreaterThan(10);
    expect(variablesIn(read('.env.example'))).toEqual(known);
  });

  it('holds no secret', () => {
    const assignments = read('.env.example').match(/^#? ?[A-Z_]*(KEY|KEYS|TOKEN|PASSWORD)=.*$/gm) ?? [];
    expect(assignments.length).toBeGreaterThan(3);
    expect(assignments.filter((line) => !line.endsWith('='))).toEqual([]);
  });
});

describe('CHANGELOG.md', () => {
  it('has a place for what is not released yet', () => {
    expect(read('CHANGELOG.md')).toMatch(/^## \[Unreleased\]$/m);
  });
});
