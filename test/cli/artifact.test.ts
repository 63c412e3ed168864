import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { cli } from './support.js';

const TEXT = 'Grüße\u001b[2J\n';
const BYTES = Buffer.from(TEXT);
const context = {
  readArtifact: async (id: string) => (id === 'sha256-a' ? BYTES : null),
  connect: async (): Promise<never> => {
    throw new Error('No server is needed.');
  },
};

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'longhaul-artifact-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('artifact', () => {
  it('prints the text as it is for other programs, and printable on a terminal', async () => {
    expect(await cli(['artifact', 'sha256-a'], { context })).toEqual({ code: 0, stdout: TEXT, stderr: '' });
    const stdout = Object.assign(new PassThrough(), { isTTY: true });
    // All that the command does with a terminal is write to it.
    const terminal = { ...context, stdout: stdout as unknown as NodeJS.WriteStream };
    expect((await cli(['artifact', 'sha256-a'], { context: terminal })).code).toBe(0);
    expect(String(stdout.read())).toBe('Grüße\\x1b[2J\n');
  });

  it('writes a file byte for byte, and nothing to stdout', async () => {
    const file = join(dir, 'a.txt');
    const { code, stdout, stderr } = await cli(['artifact', 'sha256-a', '-o', file], { context });
    expect([code, stdout, stderr]).toEqual([0, '', `sha256-a written to ${file}\n`]);
    expect(readFileSync(file).equals(BYTES)).toBe(true);
  });

  it('prints one JSON object with --json', async () => {
    const sizeBytes = BYTES.byteLength;
    const json = async (...flags: string[]) =>
      JSON.parse((await cli(['artifact', 'sha256-a', '--json', ...flags], { context })).stdout);
    expect(await json()).toEqual({ id: 'sha256-a', sizeBytes, text: TEXT });
    const file = join(dir, 'a.txt');
    expect(await json('-o', file)).toEqual({ id: 'sha256-a', sizeBytes, file });
  });

  it.each([
    ['an id that is not there', ['sha256-b'], 'LONGHAUL_BLOB_URL'],
    ['a file that cannot be written', ['sha256-a', '-o', '/does/not/exist/a'], '/does/not/exist/a'],
  ])('refuses %s', async (_what, args, words) => {
    const { code, stdout } = await cli(['artifact', ...args, '--json'], { context });
    expect([code, JSON.parse(stdout).error]).toEqual([
      2,
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(words) }),
    ]);
  });
});
