import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBuiltinTools } from '../../../../src/adapters/tools/builtin-tools.js';
import { shellTool } from '../../../../src/adapters/tools/builtin/shell.js';
import type { CommandLimits, CommandPlace } from '../../../../src/adapters/tools/sandbox.js';
import { itSandboxed } from '../../../support/bubblewrap.js';
import { asksFor, temporaryDirectories } from '../tool-harness.js';
import { printed, processesNamed, sandboxAt, shell, unconfinedAt } from './shell-harness.js';

const MIB = 1024 ** 2;
const temporaryDirectory = temporaryDirectories();
let root: string;

beforeEach(async () => {
  root = await temporaryDirectory();
});

describe('the built-in tools', () => {
  const namesWith = (options: { shell?: 'off' | 'unconfined' }) =>
    createBuiltinTools({ workspace: root, dataDir: join(root, '.longhaul'), ...options }).map(
      ({ spec }) => spec.name,
    );

  test('have no shell unless it is asked for', () => {
    expect(namesWith({})).not.toContain('shell');
    expect(namesWith({ shell: 'off' })).not.toContain('shell');
    expect(namesWith({ shell: 'unconfined' })).toContain('shell');
  });

  itSandboxed('have one that is confined where that works', async () => {
    const tools = createBuiltinTools({
      workspace: root,
      dataDir: join(root, '.longhaul'),
      shell: 'sandboxed',
    });

    expect(tools.find(({ spec }) => spec.name === 'shell')?.spec.description).toContain('no network');
  });
});

describe('the shell tool', () => {
  test('acts once, asks always, and trusts what comes out only where there was no network', async () => {
    const place = unconfinedAt(root);
    const tool = shellTool(place);

    expect(tool).toMatchObject({ effect: 'once', untrusted: true });
    expect(shellTool({ ...place, kind: 'sandboxed' }).untrusted).toBeUndefined();
    await expect(asksFor(tool, { command: 'true' })).resolves.toBe(true);
  });

  test('ends a command before the limit of the tool itself makes its outcome unknown', () => {
    const tool = shellTool(unconfinedAt(root));
    const longest = { command: 'true', timeoutMs: 600_000 };

    expect(tool.parse(longest)).toEqual({ ok: true, value: longest });
    expect(tool.timeoutMs).toBeGreaterThan(longest.timeoutMs);
    expect(tool.parse({ command: 'true' })).toMatchObject({ value: { timeoutMs: 120_000 } });
  });

  test.each([
    ['empty', { command: '' }],
    ['blank', { command: ' \n' }],
    ['with a NUL', { command: 'a\0b' }],
    ['too long for an argument', { command: 'x'.repeat(30_001) }],
    ['with too much time', { command: 'true', timeoutMs: 600_001 }],
    ['with too little time', { command: 'true', timeoutMs: 99 }],
  ])('takes no command that is %s', (_, args) => {
    expect(shellTool(unconfinedAt(root)).parse(args)).toMatchObject({ ok: false });
  });
});

const PLACES: [
  string,
  (root: string, limits?: Partial<CommandLimits>) => CommandPlace,
  (name: string, run: () => Promise<void>) => void,
][] = [
  ['in a sandbox', sandboxAt, itSandboxed],
  ['without confinement', unconfinedAt, it],
];

describe.each(PLACES)('a command %s', (_, placeAt, itThere) => {
  itThere('gives its exit code and both outputs in order, whatever the exit code', async () => {
    const text = await shell(placeAt(root), 'echo one; echo two >&2; echo three; exit 3');

    expect(text).toMatch(/^Exit code 3 after \d+\.\d s\.\n\none\ntwo\nthree\n$/);
  });

  itThere('is no error when it cannot be found, kills itself, or prints nothing', async () => {
    const place = placeAt(root);

    await expect(shell(place, 'nosuchprogram')).resolves.toMatch(
      /^Exit code 127 .*\n\nbash: .*nosuchprogram/,
    );
    await expect(shell(place, 'kill -9 $$')).resolves.toMatch(/^Exit code 137 .*\n\n\(no output\)$/);
  });

  itThere('is taken as one word, whatever is in it', async () => {
    const place = placeAt(root);

    await expect(printed(place, `printf '%s\\n' "a'b" '$(c)' --`)).resolves.toBe("a'b\n$(c)\n--\n");
    await expect(shell(place, '-x')).resolves.toMatch(/^Exit code 127 /);
  });

  itThere('works in the workspace, and has no input to wait for', async () => {
    await expect(printed(placeAt(root), 'cat; pwd; echo text > made.txt')).resolves.toBe(`${root}\n`);
    await expect(readFile(join(root, 'made.txt'), 'utf8')).resolves.toBe('text\n');
  });

  itThere('sees nothing of the environment of the worker', async () => {
    const name = 'OPENROUTER_API_KEY';
    const before = process.env[name];
    process.env[name] = 'sk-canary';
    try {
      // Through a file: while it makes a pipe, the shell itself has a descriptor more.
      const variables = await printed(
        placeAt(root),
        `tr '\\0' '\\n' </proc/1/environ; compgen -e | sort | tr '\\n' ' '; echo; echo "$HOME"; ls /proc/$$/fd > fds; tr '\\n' ' ' < fds`,
      );

      expect(variables).not.toContain('sk-canary');
      expect(variables).toMatch(/HOME LANG (LONGHAUL_COMMAND )?(OLDPWD )?PATH PWD SHLVL TERM /);
      expect(variables.split('\n').at(-2)).toBe(placeAt === sandboxAt ? '/tmp' : root);
      expect(variables.split('\n').at(-1)).toBe('0 1 2 ');
    } finally {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    }
  });

  itThere('shows its last line now and then, free of control sequences', async () => {
    const lines: string[] = [];
    const context = { progress: (line: string) => lines.push(line) };

    const text = await shell(placeAt(root), `printf '\\e[31mred\\e[0m\\n'; sleep 0.8; echo end`, { context });

    expect(lines).toEqual(['red']);
    expect(text).toMatch(/\n\nred\nend\n$/);
  });

  itThere('may print without end: the middle is left out, and never held', async () => {
    const before = process.memoryUsage().rss;

    const text = await shell(
      placeAt(root),
      `echo first; head -c 200M /dev/zero | tr '\\0' x; echo; echo last`,
    );

    expect(text).toMatch(/\n\nfirst\nx+\n\n\[\d+ of 209715212 bytes are left out here\.\]\n\nx+\nlast\n$/);
    expect(text.length).toBeLessThan(MIB);
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * MIB);
  });

  itThere('is killed at its time limit with all that it started', async () => {
    const word = randomUUID();

    const text = await shell(
      placeAt(root),
      `echo begun; (bash -c 'exec -a ${word} sleep 500' & wait) & setsid bash -c 'exec -a ${word} sleep 500' & wait`,
      { timeoutMs: 1_000 },
    );

    expect(text).toBe('Killed: it took longer than 1000 ms. What it did until then is done.\n\nbegun\n');
    expect(processesNamed(word)).toBe(0);
  });

  itThere('is killed with all that it started when the call is called off', async () => {
    const word = randomUUID();
    const controller = new AbortController();
    const reason = new Error('called off');
    const context = {
      signal: controller.signal,
      progress: () => {
        expect(processesNamed(word)).toBe(2);
        controller.abort(reason);
      },
    };

    const running = shell(
      placeAt(root),
      `bash -c 'exec -a ${word} sleep 500' & setsid bash -c 'exec -a ${word} sleep 500' & sleep 0.3; echo begun; wait`,
      { context },
    );

    await expect(running).rejects.toBe(reason);
    expect(processesNamed(word)).toBe(0);
  });

  itThere('does not begin when the call was called off before', async () => {
    const signal = AbortSignal.abort(new Error('called off'));

    await expect(shell(placeAt(root), 'touch made', { context: { signal } })).rejects.toThrow('called off');
    await expect(readFile(join(root, 'made'))).rejects.toThrow('ENOENT');
  });

  itThere('leaves nothing running behind', async () => {
    const word = randomUUID();
    const start = `bash -c 'exec -a ${word} sleep 500'`;

    await expect(
      shell(placeAt(root), `${start} & (setsid ${start} &); sleep 0.3; echo done`),
    ).resolves.toMatch(/^Exit code 0 .*\n\ndone\n$/);
    expect(processesNamed(word)).toBe(0);
  });

  itThere('gets no more memory than it may have: in one process', async () => {
    const place = placeAt(root, { memoryBytes: 64 * MIB });

    // What is refused memory says so; where all of them together come to the limit first, they are killed.
    await expect(shell(place, 'head -c 200M /dev/zero | tail -c 200M | wc -c')).resolves.toMatch(
      /memory exhausted[\s\S]*\n0\n$|^Killed after [\d.]+ s: it used more than 64 MiB of memory/,
    );
  });

  itThere('gets no more memory than it may have: in many', async () => {
    const place = placeAt(root, { memoryBytes: 64 * MIB });

    // `tail` holds what it got until its input ends.
    const hold = '(head -c 20M /dev/zero; exec sleep 60) | tail -c 20M';

    await expect(shell(place, `for i in 1 2 3 4 5 6; do ${hold} & done; wait`)).resolves.toMatch(
      /^Killed after \d+\.\d s: it used more than 64 MiB of memory\./,
    );
  });

  itThere('gets no more processes than it may have', async () => {
    const word = randomUUID();
    const place = placeAt(root, { processes: 64 });
    // A fork bomb that goes out by itself, should nothing else stop it.
    const bomb = 'f() { [ $SECONDS -gt 5 ] || { f | f & }; }; f; sleep 20';

    const text = await shell(place, `exec -a ${word} bash -c '${bomb}' ${word}`);

    expect(text).toMatch(/^Killed after \d\.\d s: it had more than 64 processes\./);
    expect(processesNamed(word)).toBe(0);
  });

  itThere('writes no file larger than it may, and uses no more processor time', async () => {
    const place = placeAt(root, { fileBytes: MIB, cpuTimeS: 1 });

    await expect(shell(place, 'head -c 2M /dev/zero > big; ls -s --block-size=1 big')).resolves.toMatch(
      /File size limit exceeded[\s\S]*\n1048576 big\n$/,
    );
    await expect(shell(place, 'while :; do :; done')).resolves.toMatch(/^Exit code 1(37|52) /);
  });
});

test('a command that cannot be started is said to have done nothing', async () => {
  const place: CommandPlace = {
    ...unconfinedAt(root),
    prepare: async () => ({
      launch: { file: 'nosuchprogram', args: [], cwd: root, env: { PATH: '/usr/bin:/bin' } },
      release: () => undefined,
    }),
  };
  const elsewhere: CommandPlace = {
    ...place,
    prepare: async () => ({
      launch: { file: 'true', args: [], cwd: join(root, 'gone'), env: { PATH: '/usr/bin:/bin' } },
      release: () => undefined,
    }),
  };

  await expect(shell(place, 'true')).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: expect.stringMatching(/^The command could not be started: .*nosuchprogram/),
  });
  await expect(shell(elsewhere, 'true')).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: 'The command could not be started; nothing was done.',
  });
});
