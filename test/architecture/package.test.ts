import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { read, ROOT } from './support/project.js';

interface Manifest {
  exports: Record<string, string | { types: string; default: string }>;
  bin: Record<string, string>;
  engines: { node: string };
}

// npm's own format.
const { exports, bin, engines } = JSON.parse(read('package.json')) as Manifest;

describe('package.json', () => {
  it('exports what the contract names and nothing else', () => {
    expect(Object.keys(exports)).toEqual(['.', './worker', './workflow', './testing', './package.json']);
  });

  it.each(Object.entries(exports).filter(([name]) => name !== './package.json'))(
    'exports %s from a source that is there, with its types',
    (_name, target) => {
      const { types, default: code } = typeof target === 'string' ? { types: '', default: target } : target;
      expect(types.replace(/\.d\.ts$/, '')).toBe(code.replace(/\.js$/, ''));
      const source = code.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
      expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
    },
  );

  it('has a command that a shell can run', () => {
    expect(bin).toEqual({ longhaul: 'dist/client.js' });
    expect(read('src/client.ts')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('promises the Node version that the code is compiled and tested for', () => {
    expect(engines.node).toBe('>=20.19');
    expect(read('Dockerfile')).toMatch(/^ARG NODE_IMAGE=node:20\./m);
  });
});
