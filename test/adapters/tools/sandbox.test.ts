import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { openSandbox } from '../../../src/adapters/tools/sandbox.js';
import { openWorkspace } from '../../../src/adapters/tools/workspace.js';
import { itSandboxed } from '../../support/bubblewrap.js';
import { printed, sandboxAt, shell, unconfinedAt, workspaceAt } from './builtin/shell-harness.js';
import { temporaryDirectories } from './tool-harness.js';

const temporaryDirectory = temporaryDirectories();
let root: string;
let elsewhere: string;

beforeEach(async () => {
  root = await temporaryDirectory();
  elsewhere = await temporaryDirectory();
});

async function put(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
}

const refused = (words: string) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) });

describe('without bubblewrap', () => {
  test('a sandbox is refused, in words that say how to mend it', () => {
    const open = () => openSandbox({ workspace: workspaceAt(root), bwrap: join(elsewhere, 'bwrap') });

    expect(open).toThrow(refused('it is not installed'));
    expect(open).toThrow(refused('Install bubblewrap'));
    expect(open).toThrow(refused('LONGHAUL_SHELL=unconfined'));
  });

  test('that works a sandbox is refused with what it says', async () => {
    const bwrap = join(elsewhere, 'bwrap');
    await writeFile(bwrap, '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n', {
      mode: 0o755,
    });

    expect(() => openSandbox({ workspace: workspaceAt(root), bwrap })).toThrow(
      refused('it does not work here (bwrap: No permissions to create new namespace)'),
    );
  });

  test.each(['/', '/usr', '/etc'])(
    'or with it, a workspace %s is refused: nothing could be confined',
    (path) => {
      const workspace = openWorkspace({ root: path, dataDir: join(root, 'data') });

      expect(() => openSandbox({ workspace })).toThrow(refused(`cannot confine commands to ${path}.`));
    },
  );
});

describe('in a sandbox a command', () => {
  itSandboxed('reaches no server of this machine, and has no network but its own loopback', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.end('hello');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`;
    try {
      await expect(shell(sandboxAt(root), ask)).resolves.toMatch(/^Exit code 1 [\s\S]*Connection refused/);
      expect(connections).toBe(0);
      await expect(printed(sandboxAt(root), `tail -n +3 /proc/net/dev | cut -d: -f1`)).resolves.toBe(
        '    lo\n',
      );
      // The command does reach it where it may.
      await expect(printed(unconfinedAt(root), ask)).resolves.toBe('hello');
    } finally {
      server.close();
    }
  });

  itSandboxed('sees no files but those of the workspace and the programs of the system', async () => {
    await put(elsewhere, { 'secret.txt': 'canary' });
    const read = `cat ${elsewhere}/secret.txt /etc/shadow; ls ${elsewhere} /var /root /home /sys /run; ls -d /etc/*; find /tmp -type f`;

    const text = await printed(sandboxAt(root), read);

    expect(text).not.toContain('canary');
    expect(text.match(/No such file or directory/g)).toHaveLength(8);
    const seen = text.split('\n').filter((line) => line.startsWith('/'));
    const allowed = /^\/etc\/(alternatives|group|ld\.so\..*|localtime|nsswitch\.conf|passwd)$/;
    expect(seen).toContain('/etc/passwd');
    expect(seen.filter((line) => !allowed.test(line))).toEqual([]);
    await expect(printed(unconfinedAt(root), `cat ${elsewhere}/secret.txt`)).resolves.toBe('canary');
  });

  itSandboxed('writes in the workspace and in a /tmp of its own, and nowhere else', async () => {
    await put(elsewhere, { 'file.txt': 'mine' });
    const made = ['/', '/usr', '/etc', '/dev', '/proc', '/bin', elsewhere].map((path) => join(path, 'made'));
    // Only asked for, because no test shall do harm where the sandbox fails.
    const vital = ['/etc/passwd', '/proc/sys/kernel/core_pattern', '/proc/sys/vm/swappiness', '/usr/bin/env'];

    const text = await printed(
      sandboxAt(root),
      `for path in ${made.join(' ')}; do (echo x >$path) 2>/dev/null && echo "wrote $path"; done; ` +
        `for path in ${vital.join(' ')}; do [ -e $path ] || echo "no $path"; [ -w $path ] && echo "may write $path"; done; ` +
        `(echo x >${elsewhere}/file.txt) 2>/dev/null; echo x | tee /tmp/made /dev/shm/made ${root}/made`,
    );

    expect(text).toBe('x\n');
    await expect(readFile(join(root, 'made'), 'utf8')).resolves.toBe('x\n');
    await expect(readFile('/tmp/made')).rejects.toThrow('ENOENT');
    await expect(readFile(join(elsewhere, 'file.txt'), 'utf8')).resolves.toBe('mine');
    await expect(readdir(elsewhere)).resolves.toEqual(['file.txt']);
  });

  itSandboxed('is led nowhere by a symbolic link out of the workspace', async () => {
    await put(elsewhere, { 'secret.txt': 'canary' });
    await symlink(elsewhere, join(root, 'there'));

    const text = await printed(
      sandboxAt(root),
      `ln -s ${elsewhere} other; cat there/secret.txt other/secret.txt; echo x >there/made; echo x >other/made`,
    );

    expect(text.match(/No such file or directory/g)).toHaveLength(4);
    await expect(readdir(elsewhere)).resolves.toEqual(['secret.txt']);
  });

  itSandboxed('has no data directory, and cannot move away one that lies deeper', async () => {
    await put(root, { 'var/state/data/secret': 'canary' });
    const place = openSandbox({
      workspace: openWorkspace({ root, dataDir: join(root, 'var/state/data') }),
    });

    const text = await printed(
      place,
      'ls -A var/state/data; touch var/state/data/x; mv var away; mv var/state away; rm -rf var; grep -r canary .',
    );

    expect(text).toMatch(/^touch: .*Read-only file system\nmv: .*busy\nmv: .*busy\nrm: .*busy\n$/);
    await expect(readFile(join(root, 'var/state/data/secret'), 'utf8')).resolves.toBe('canary');
  });

  itSandboxed('may read and write no more in the workspace than the file tools', async () => {
    await put(root, {
      '.env': 'canary',
      'app/.env.local': 'canary',
      'app/.env.d/key': 'canary',
      '.env.example': 'example',
      '.git/hooks/pre-commit': 'mine',
      'sub/.git': 'gitdir: mine',
      'longhaul.config.ts': 'mine',
    });

    const text = await printed(
      sandboxAt(root),
      'grep -rs canary .; ls -A app/.env.d; cat .env.example; cat .git/hooks/pre-commit; echo; ' +
        'for path in .env .git/config .git/hooks/pre-commit sub/.git longhaul.config.ts; do (echo x >$path) 2>/dev/null && echo "wrote $path"; done; ' +
        'rm -rf .git longhaul.config.ts .env 2>/dev/null; mv .git away 2>/dev/null || echo held',
    );

    expect(text).toBe('examplemine\nheld\n');
    await expect(readFile(join(root, '.git/hooks/pre-commit'), 'utf8')).resolves.toBe('mine');
    await expect(readFile(join(root, '.env'), 'utf8')).resolves.toBe('canary');
  });

  itSandboxed('has no rights to win back: no capabilities, no user namespaces', async () => {
    const text = await printed(
      sandboxAt(root),
      'grep -h Cap /proc/self/status | sort -u -k2 | cut -f2; unshare --user true && echo unshared; mount -t tmpfs none /tmp && echo mounted; true',
    );

    expect(text).toMatch(/^0{16}\nunshare: /);
    expect(text).not.toMatch(/unshared|mounted/);
  });

  itSandboxed('sees no processes but its own', async () => {
    await expect(
      printed(sandboxAt(root), `kill -0 ${process.pid}; ls -d /proc/[0-9]* | wc -l`),
    ).resolves.toMatch(/No such process\n[1-6]\n$/);
  });

  itSandboxed('dies with the worker', async () => {
    const { launch } = await sandboxAt(root).prepare('echo begun; sleep 500', new AbortController().signal);
    const worker = spawn('bash', ['-c', '"$@"; true', 'bash', launch.file, ...launch.args], {
      cwd: launch.cwd,
      env: { ...launch.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(worker.stdout, 'data');

    worker.kill('SIGKILL');

    // The pipe closes when the last process that holds it has gone.
    await once(worker, 'close');
    expect(worker.signalCode).toBe('SIGKILL');
  });

  itSandboxed('that finds bubblewrap gone is said to have done nothing', async () => {
    const bwrap = join(elsewhere, 'bwrap');
    await symlink('/usr/bin/bwrap', bwrap);
    const place = openSandbox({ workspace: workspaceAt(root), bwrap });
    await rm(bwrap);

    await expect(shell(place, 'touch made')).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringMatching(/^The command could not be started: .*bwrap.*No such file/),
    });
    await expect(readdir(root)).resolves.toEqual([]);
  });
});
