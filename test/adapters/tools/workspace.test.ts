import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import fc from 'fast-check';
import {
  existsInside,
  readRegularFile,
  readTextFile,
  writeTextFile,
} from '../../../src/adapters/tools/workspace-files.js';
import {
  checkAllowed,
  openDirectory,
  openWorkspace,
  resolveInside,
  type Workspace,
} from '../../../src/adapters/tools/workspace.js';
import { temporaryDirectories } from './tool-harness.js';

const temporaryDirectory = temporaryDirectories();
let base: string;
let workspace: Workspace;

/** `base/outside` is next to the workspace `base/inside`. */
beforeEach(async () => {
  base = await temporaryDirectory();
  await mkdir(join(base, 'inside/sub'), { recursive: true });
  await mkdir(join(base, 'outside'));
  await mkdir(join(base, 'inside-too'));
  await writeFile(join(base, 'outside/secret.txt'), 'secret');
  await writeFile(join(base, 'inside-too/secret.txt'), 'secret');
  await writeFile(join(base, 'inside/a.txt'), 'a');
  await writeFile(join(base, 'inside/sub/b.txt'), 'b');
  workspace = openWorkspace({ root: join(base, 'inside'), dataDir: join(base, 'inside/.longhaul') });
});

const refused = (words: string) =>
  expect.objectContaining({ code: 'TOOL_FAILED', message: expect.stringContaining(words) });

describe('opening a workspace', () => {
  test('takes a directory that is reached through a link by its real path', async () => {
    await symlink(join(base, 'inside'), join(base, 'link'));

    expect(openWorkspace({ root: join(base, 'link'), dataDir: join(base, 'data') })).toEqual({
      root: join(base, 'inside'),
      dataDir: null,
    });
  });

  test.each([
    ['missing', 'missing', 'data', 'LONGHAUL_WORKSPACE'],
    ['a file', 'inside/a.txt', 'data', 'LONGHAUL_WORKSPACE'],
    ['the data directory', 'inside', 'inside', 'LONGHAUL_DATA_DIR'],
  ])('refuses one that is %s', (_, root, dataDir, name) => {
    expect(() => openWorkspace({ root: join(base, root), dataDir: join(base, dataDir) })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(name) }),
    );
  });

  test('does not close a workspace that lies in the data directory', async () => {
    const inner = openWorkspace({ root: join(base, 'inside/sub'), dataDir: join(base, 'inside') });

    await expect(readTextFile(inner, 'b.txt')).resolves.toMatchObject({ text: 'b' });
  });
});

describe('a path that leads out', () => {
  beforeEach(async () => {
    await symlink(join(base, 'outside'), join(base, 'inside/dirlink'));
    await symlink('../outside/secret.txt', join(base, 'inside/filelink'));
    await symlink(join(base, 'outside/new.txt'), join(base, 'inside/dangling'));
    await symlink('/etc', join(base, 'inside/sub/etc'));
    await symlink('/dev/null', join(base, 'inside/device'));
    await symlink('loop', join(base, 'inside/loop'));
    await symlink('.env', join(base, 'inside/innocent.txt'));
    await writeFile(join(base, 'inside/.env'), 'KEY=1');
  });

  test.each([
    ['../outside/secret.txt', 'outside the workspace'],
    ['sub/../../outside/secret.txt', 'outside the workspace'],
    ['..', 'outside the workspace'],
    ['../inside-too/secret.txt', 'outside the workspace'],
    ['/etc/passwd', 'outside the workspace'],
    ['/', 'outside the workspace'],
    ['../nowhere/at/all.txt', 'outside the workspace'],
    ['dirlink/secret.txt', 'outside the workspace'],
    ['dirlink/new/file.txt', 'outside the workspace'],
    ['dirlink', 'outside the workspace'],
    ['filelink', 'outside the workspace'],
    ['sub/etc/passwd', 'outside the workspace'],
    ['device', 'outside the workspace'],
    ['dangling', 'symbolic link that leads nowhere'],
    ['dangling/x', 'symbolic link that leads nowhere'],
    ['loop', 'symbolic link that may not be followed'],
    ['a.txt\0.png', 'is not a path'],
    ['a.txt/x', 'is not a directory'],
    ['innocent.txt', 'may hold secrets'],
    ['x'.repeat(5_000), 'too long'],
  ])('is neither read nor written: %j', async (path, words) => {
    await expect(readTextFile(workspace, path)).rejects.toEqual(refused(words));
    await expect(writeTextFile(workspace, path, 'evil')).rejects.toEqual(refused(words));
    await expect(existsInside(workspace, path)).resolves.toBe(false);
    await expect(readFile(join(base, 'outside/secret.txt'), 'utf8')).resolves.toBe('secret');
    await expect(readFile(join(base, 'outside/new.txt'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readFile(join(base, 'inside/.env'), 'utf8')).resolves.toBe('KEY=1');
  });

  test('never names a place outside in its error', async () => {
    await expect(resolveInside(workspace, 'dirlink/secret.txt')).rejects.toEqual(
      expect.objectContaining({ message: '"dirlink/secret.txt" is outside the workspace.' }),
    );
  });
});

test('whatever parts a path is made of, it resolves inside or is refused', async () => {
  await symlink(join(base, 'outside'), join(base, 'inside/out'));
  await symlink('..', join(base, 'inside/sub/up'));
  const part = fc.constantFrom(
    '..',
    '.',
    '',
    'sub',
    'up',
    'out',
    'a.txt',
    'new',
    '/',
    '~',
    '%2e%2e',
    '..\\..',
    'ü',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      const place = await resolveInside(workspace, parts.join('/')).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'TOOL_FAILED' });
        return null;
      });
      if (place !== null) expect(join(workspace.root, place).startsWith(workspace.root)).toBe(true);
    }),
  );
});

test.each([
  ['sub/b.txt', 'sub/b.txt'],
  ['./sub//b.txt', 'sub/b.txt'],
  ['sub/../a.txt', 'a.txt'],
  ['.', ''],
  ['', ''],
  ['sub/up/a.txt', 'a.txt'],
  ['new/deep/file.txt', 'new/deep/file.txt'],
  ['..name', '..name'],
])('resolves %j to %j', async (path, place) => {
  await symlink('..', join(base, 'inside/sub/up'));

  await expect(resolveInside(workspace, path)).resolves.toBe(place);
});

test('takes an absolute path that is inside', async () => {
  await expect(resolveInside(workspace, join(base, 'inside/sub/b.txt'))).resolves.toBe('sub/b.txt');
});

test.each([
  ['.env', 'read', 'secrets'],
  ['.ENV.local', 'read', 'secrets'],
  ['sub/.envrc', 'read', 'secrets'],
  ['.env/x', 'read', 'secrets'],
  ['.env.example.bak', 'read', 'secrets'],
  ['.longhaul', 'read', 'data directory'],
  ['.longhaul/blobs/x', 'read', 'data directory'],
  ['.git/hooks/pre-commit', 'write', '.git'],
  ['sub/.GIT/config', 'write', '.git'],
  ['longhaul.config.mjs', 'write', 'configuration'],
] as const)('%s is closed to tools that %s', (place, purpose, words) => {
  expect(() => checkAllowed(workspace, place, purpose)).toThrow(refused(words));
  if (purpose === 'read') expect(() => checkAllowed(workspace, place, 'write')).toThrow(refused(words));
});

test.each(['.env.example', 'env', 'my.env', '.longhaul2', '.gitignore', 'sub/longhaul.config.ts', 'a.txt'])(
  '%s is open to tools',
  (place) => {
    expect(() => checkAllowed(workspace, place, 'write')).not.toThrow();
  },
);

describe('what is no regular file', () => {
  test('is left alone: a directory, a pipe, a socket, a device', async () => {
    execFileSync('mkfifo', [join(base, 'inside/pipe')]);
    const server = createServer().listen(join(base, 'inside/socket'));
    await once(server, 'listening');
    try {
      for (const name of ['pipe', 'socket']) {
        await expect(readTextFile(workspace, name)).rejects.toEqual(refused('not a regular file'));
        await expect(writeTextFile(workspace, name, 'x')).rejects.toEqual(refused('not a regular file'));
      }
      for (const name of ['sub', '.', '', 'sub/']) {
        await expect(readTextFile(workspace, name)).rejects.toEqual(refused('directory'));
        await expect(writeTextFile(workspace, name, 'x')).rejects.toEqual(refused('directory'));
      }
      await expect(readRegularFile('/dev/zero', 10)).rejects.toEqual(refused('not a regular file'));
    } finally {
      server.close();
    }
  });
});

describe('a link swapped in between looking and opening', () => {
  test('does not lead out as a directory', async () => {
    const place = await resolveInside(workspace, 'sub');
    await rename(join(base, 'inside/sub'), join(base, 'inside/moved'));
    await symlink(join(base, 'outside'), join(base, 'inside/sub'));

    await expect(openDirectory(workspace, place)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    await expect(openDirectory(workspace, join(place, 'deeper'), { create: true })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
    });
    await expect(readFile(join(base, 'outside/deeper'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('does not lead out as a file', async () => {
    await rm(join(base, 'inside/a.txt'));
    await symlink(join(base, 'outside/secret.txt'), join(base, 'inside/a.txt'));

    await expect(readRegularFile(join(base, 'inside/a.txt'), 100)).rejects.toEqual(
      refused('not a regular file'),
    );
  });

  test('does not move a directory that is open already', async () => {
    const directory = await openDirectory(workspace, 'sub');
    try {
      await rename(join(base, 'inside/sub'), join(base, 'inside/moved'));
      await symlink(join(base, 'outside'), join(base, 'inside/sub'));

      await expect(readRegularFile(join(directory.path, 'b.txt'), 100)).resolves.toEqual(Buffer.from('b'));
      await expect(readRegularFile(join(directory.path, 'secret.txt'), 100)).rejects.toMatchObject({
        code: 'ENOENT',
      });
    } finally {
      await directory.close();
    }
  });
});

test('works by plain paths where /proc is missing', async () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform');
  Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' });
  try {
    await jest.isolateModulesAsync(async () => {
      const files = await import('../../../src/adapters/tools/workspace-files.js');
      const { openDirectory: open } = await import('../../../src/adapters/tools/workspace.js');
      await files.writeTextFile(workspace, 'new/deep/c.txt', 'c');
      await expect(files.readTextFile(workspace, 'new/deep/c.txt')).resolves.toMatchObject({ text: 'c' });
      const directory = await open(workspace, 'sub');
      expect(directory.path).toBe(join(base, 'inside/sub'));
      await directory.close();
    });
  } finally {
    Object.defineProperty(process, 'platform', platform ?? {});
  }
});
