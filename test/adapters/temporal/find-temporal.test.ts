import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findTemporalBinary, lookForTemporalBinary } from '../../../src/adapters/temporal/find-temporal.js';

let dir: string;
let env: Record<string, string>;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-find-'));
  // The download has to fail, with or without a network.
  env = { PATH: join(dir, 'bin'), XDG_CACHE_HOME: join(dir, 'cache'), HTTPS_PROXY: 'http://127.0.0.1:9' };
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const cachedDir = (): string =>
  join(dir, 'cache', 'longhaul', `temporal-cli-1.8.2-${process.platform}-${process.arch}`);
const cachedPath = (): string => join(cachedDir(), 'temporal');
const printing = (text: string): string => `#!/bin/sh\necho '${text}'\n`;
const temporal = (version: string): string =>
  printing(`temporal version ${version} (Server 1.31.2, UI 2.50.1)`);

async function putScript(path: string, script: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, script, { mode: 0o755 });
  return path;
}

/** A `go` that writes down what it is asked and "builds" a Temporal CLI. */
function putGo(
  version: string,
  build = 'printf "%s\\n" "#!/bin/sh" "echo temporal version 1.8.2" > "$out"; /bin/chmod 755 "$out"',
): Promise<string> {
  return putScript(
    join(dir, 'bin', 'go'),
    `#!/bin/sh
if [ "$1" = env ]; then echo 'go${version}'; exit; fi
echo "$GOTOOLCHAIN $CGO_ENABLED $PWD $*" >> '${join(dir, 'go.log')}'
out=; for arg; do [ "$prev" = -o ] && out=$arg; prev=$arg; done
${build}
`,
  );
}

const builds = async (): Promise<string[]> =>
  (await readFile(join(dir, 'go.log'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

describe('finding a Temporal CLI', () => {
  test('takes one on PATH first', async () => {
    const path = await putScript(join(dir, 'bin', 'temporal'), temporal('1.9.0'));
    await putScript(cachedPath(), temporal('1.8.2'));
    expect(await findTemporalBinary({ env })).toEqual({ path, version: '1.9.0', source: 'path' });
  });

  test.each([
    ['is too old', temporal('1.4.9'), 'version 1.4.9 is older than 1.5.1'],
    ['does not run', '#!/bin/sh\necho broken >&2; exit 3\n', 'broken'],
    ['is something else', printing('Temporal, the calendar'), 'it is not the Temporal CLI'],
  ])('passes over one that %s, says so, and takes the cached one', async (_, script, reason) => {
    const unusable = await putScript(join(dir, 'bin', 'temporal'), script);
    await putScript(cachedPath(), temporal('1.8.2'));
    const lines: string[] = [];
    expect(await findTemporalBinary({ env, onProgress: (line) => lines.push(line) })).toEqual({
      path: cachedPath(),
      version: '1.8.2',
      source: 'cache',
    });
    expect(lines).toEqual([expect.stringContaining(unusable)]);
    expect(lines[0]).toContain(reason);
  });

  test('goes on to the next directory of PATH', async () => {
    await putScript(join(dir, 'bin', 'temporal'), temporal('1.0.0'));
    const path = await putScript(join(dir, 'other', 'temporal'), temporal('1.10.0'));
    expect(
      await findTemporalBinary({ env: { ...env, PATH: `${env['PATH']}:${join(dir, 'other')}` } }),
    ).toMatchObject({ path, version: '1.10.0' });
  });

  test('builds one with Go when it cannot be downloaded, tells why that takes long, and only once', async () => {
    await putGo('1.26.8');
    const lines: string[] = [];
    expect(await findTemporalBinary({ env, onProgress: (line) => lines.push(line) })).toEqual({
      path: cachedPath(),
      version: '1.8.2',
      source: 'build',
    });
    expect(lines.join('\n')).toMatch(
      /No Temporal CLI on PATH.*cannot be downloaded.*Building.*Go 1\.26\.8.*whole Temporal server.*minutes.*once/s,
    );
    expect(await findTemporalBinary({ env })).toMatchObject({ source: 'cache' });
    expect(await builds()).toEqual([
      expect.stringMatching(
        /^local 0 \S*tools\/temporal build .*github\.com\/temporalio\/cli\/cmd\/temporal$/,
      ),
    ]);
    expect(await readdir(cachedDir())).toEqual(['temporal']);
  });

  test('replaces a cached one that does not run', async () => {
    await putScript(cachedPath(), 'garbage');
    await putGo('1.26.4');
    expect(await findTemporalBinary({ env })).toMatchObject({ source: 'build' });
  });

  test('builds once when two ask at the same time', async () => {
    await putGo('1.27');
    const waiting: string[] = [];
    const found = await Promise.all(
      [1, 2].map(() =>
        findTemporalBinary({
          env,
          onProgress: (line) => void (line.startsWith('Another process') && waiting.push(line)),
        }),
      ),
    );
    expect(found.map(({ source }) => source).sort()).toEqual(['build', 'cache']);
    expect(await builds()).toHaveLength(1);
    expect(waiting).toHaveLength(1);
  });

  test('is not held up by the lock of a process that died', async () => {
    await putGo('1.26.8');
    await mkdir(cachedDir(), { recursive: true });
    // No process has an id this high.
    await writeFile(`${cachedPath()}.lock`, '4194999');
    expect(await findTemporalBinary({ env })).toMatchObject({ source: 'build' });
  });

  test('lets an older Go fetch its own newer toolchain, and says so', async () => {
    await putGo('1.24.1');
    const lines: string[] = [];
    await findTemporalBinary({ env, onProgress: (line) => lines.push(line) });
    expect(lines.join('\n')).toContain('Go 1.24.1 (older than 1.26.4');
    expect((await builds())[0]).toMatch(/^ 0 /);
  });

  test('without network and Go ends in one error that names the three ways out', async () => {
    await expect(findTemporalBinary({ env })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /`temporal` \(1\.5\.1 or newer\) on PATH; set TEMPORAL_ADDRESS.*install Go 1\.26\.4 or newer.*Go is not installed/,
      ),
    });
  });

  test('says what a failed build said and leaves nothing behind', async () => {
    await putGo('1.26.8', 'echo "no space left on device" >&2; echo half > "$out"; exit 1');
    await expect(findTemporalBinary({ env })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('no space left on device'),
    });
    expect(await readdir(cachedDir())).toEqual([]);
  });

  test('needs a home for what it makes', async () => {
    await expect(findTemporalBinary({ env: { PATH: '' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('HOME'),
    });
  });
});

test('only looking for a Temporal CLI fetches and builds nothing', async () => {
  await putGo('1.26.8');
  expect(await lookForTemporalBinary({ env })).toBeNull();
  expect(await builds()).toEqual([]);
  await putScript(cachedPath(), temporal('1.8.2'));
  expect(await lookForTemporalBinary({ env })).toMatchObject({ source: 'cache' });
});
