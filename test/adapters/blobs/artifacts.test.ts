import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createArtifacts } from '../../../src/adapters/blobs/artifacts.js';
import { createFileBlobs } from '../../../src/adapters/blobs/file-blobs.js';
import type { ArtifactPort } from '../../../src/ports/tools.js';

let dir: string;
let artifacts: ArtifactPort;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-artifacts-'));
  artifacts = createArtifacts(createFileBlobs(dir));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('artifacts', () => {
  test('are named by their content and say their size in bytes', async () => {
    const { id, sizeBytes } = await artifacts.put('grüße');
    expect(id).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(sizeBytes).toBe(7);
    expect(await artifacts.put('grüße')).toEqual({ id, sizeBytes });
  });

  test('give the characters asked for and their whole length', async () => {
    const { id } = await artifacts.put('0123456789');
    expect(await artifacts.read(id, { offset: 2, length: 3 })).toEqual({ text: '234', totalChars: 10 });
    expect(await artifacts.read(id, { offset: 8, length: 100 })).toEqual({ text: '89', totalChars: 10 });
    expect(await artifacts.read(id, { offset: 50, length: 1 })).toEqual({ text: '', totalChars: 10 });
  });

  test('give null for an unknown id', async () => {
    expect(await artifacts.read('sha256-unknown', { offset: 0, length: 1 })).toBeNull();
  });

  test('are whole again when their pages are joined, whatever the page size and however the next offset is reckoned', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (whole, length, byLength) => {
          const { id } = await artifacts.put(whole);
          let joined = '';
          for (let offset = 0; offset < whole.length; offset = byLength ? offset + length : joined.length) {
            const page = (await artifacts.read(id, { offset, length }))?.text ?? '';
            expect(page).toBe(Buffer.from(page, 'utf8').toString('utf8'));
            joined += page;
          }
          expect(joined).toBe(whole);
        },
      ),
      { numRuns: 60 },
    );
  });
});
