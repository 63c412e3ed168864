import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = new URL('../../src/index.ts', `file://${__filename}`).href;

describe('the entry of the package', () => {
  it('loads no HTTP client, of which a configuration in TypeScript would load a second copy', () => {
    const script = `
      import { createRequire } from 'node:module';
      await import(${JSON.stringify(ENTRY)});
      const loaded = Object.keys(createRequire(${JSON.stringify(ENTRY)}).cache);
      process.stdout.write(String(loaded.filter((file) => file.includes('/node_modules/undici/')).length));`;
    const said = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: fileURLToPath(new URL('../..', `file://${__filename}`)), encoding: 'utf8' },
    );
    expect(said).toBe('0');
  });
});
