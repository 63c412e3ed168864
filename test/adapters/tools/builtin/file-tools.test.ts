import { chmod, mkdir, readFile, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { editFileTool } from '../../../../src/adapters/tools/builtin/edit-file.js';
import { listFilesTool } from '../../../../src/adapters/tools/builtin/list-files.js';
import { readFileTool } from '../../../../src/adapters/tools/builtin/read-file.js';
import { searchFilesTool } from '../../../../src/adapters/tools/builtin/search-files.js';
import { writeFileTool } from '../../../../src/adapters/tools/builtin/write-file.js';
import { openWorkspace, type Workspace } from '../../../../src/adapters/tools/workspace.js';
import { asksFor, runTool, temporaryDirectories, toolContext } from '../tool-harness.js';

const temporaryDirectory = temporaryDirectories();
let root: string;
let workspace: Workspace;

beforeEach(async () => {
  root = await temporaryDirectory();
  workspace = openWorkspace({ root, dataDir: join(root, '.longhaul') });
});

async function put(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

const content = (path: string) => readFile(join(root, path), 'utf8');
const refused = (words: string) =>
  expect.objectContaining({ code: 'TOOL_FAILED', message: expect.stringContaining(words) });

describe('list_files', () => {
  beforeEach(async () => {
    await put({
      'b.txt': '',
      'a/x.txt': '',
      'a/deep/y.txt': '',
      '.git/HEAD': '',
      'node_modules/m/i.js': '',
      '.longhaul/state': '',
      '.env': '',
    });
    await symlink('/etc', join(root, 'link'));
  });

  test('lists one level, sorted, marking directories and links, without the data directory', async () => {
    await expect(runTool(listFilesTool(workspace), {})).resolves.toBe(
      '.env\n.git/\na/\nb.txt\nlink@\nnode_modules/',
    );
  });

  test('goes into everything but .git, node_modules and links when asked to', async () => {
    await expect(runTool(listFilesTool(workspace), { recursive: true })).resolves.toBe(
      '.env\n.git/\na/\na/deep/\na/deep/y.txt\na/x.txt\nb.txt\nlink@\nnode_modules/',
    );
  });

  test('lists a directory below, even one that is passed over otherwise', async () => {
    await expect(runTool(listFilesTool(workspace), { path: 'node_modules', recursive: true })).resolves.toBe(
      'node_modules/m/\nnode_modules/m/i.js',
    );
  });

  test('says when there is more, and only then', async () => {
    await expect(runTool(listFilesTool(workspace), { maxEntries: 2 })).resolves.toBe(
      '.env\n.git/\n(there are more than these 2 entries; list a directory below, or raise maxEntries)',
    );
    await expect(runTool(listFilesTool(workspace), { maxEntries: 6 })).resolves.not.toContain('more');
  });

  test('says that a directory is empty, missing, a file, or closed', async () => {
    await mkdir(join(root, 'empty'));

    await expect(runTool(listFilesTool(workspace), { path: 'empty' })).resolves.toBe('(empty directory)');
    await expect(runTool(listFilesTool(workspace), { path: 'missing' })).rejects.toEqual(
      refused('"missing" does not exist'),
    );
    await expect(runTool(listFilesTool(workspace), { path: 'b.txt' })).rejects.toEqual(
      refused('"b.txt" is not a directory'),
    );
    await expect(runTool(listFilesTool(workspace), { path: '.longhaul' })).rejects.toEqual(
      refused('data directory'),
    );
    await expect(runTool(listFilesTool(workspace), { path: 'link' })).rejects.toEqual(refused('outside'));
  });

  test('stops when its signal is aborted', async () => {
    const context = toolContext({ signal: AbortSignal.abort(new Error('stop')) });

    await expect(runTool(listFilesTool(workspace), {}, context)).rejects.toThrow('stop');
  });
});

describe('read_file', () => {
  test('gives a file as it is', async () => {
    await put({ 'a.txt': '\uFEFFone\r\ntwo\n\n', 'empty.txt': '' });

    await expect(runTool(readFileTool(workspace), { path: 'a.txt' })).resolves.toBe('\uFEFFone\r\ntwo\n\n');
    await expect(runTool(readFileTool(workspace), { path: 'empty.txt' })).resolves.toBe('(empty file)');
  });

  test.each([
    [{ offset: 2, limit: 2 }, 'l2\nl3\n\n(lines 2 to 3 of 5; go on with offset 4)'],
    [{ offset: 4 }, 'l4\nl5\n\n(lines 4 to 5 of 5)'],
    [{ limit: 5 }, 'l1\nl2\nl3\nl4\nl5\n'],
    [{ limit: 1 }, 'l1\n\n(lines 1 to 1 of 5; go on with offset 2)'],
  ])('gives the page %j', async (page, text) => {
    await put({ 'a.txt': 'l1\nl2\nl3\nl4\nl5\n' });

    await expect(runTool(readFileTool(workspace), { path: 'a.txt', ...page })).resolves.toBe(text);
  });

  test('says in words why it does not read', async () => {
    await put({
      'a.txt': 'x\n',
      'zero.bin': 'a\0b',
      'latin.txt': Buffer.from([0xe9, 0x20]),
      'huge.txt': '',
      '.env.local': 'K=1',
      '.longhaul/s': '',
    });
    await truncate(join(root, 'huge.txt'), 11 * 1024 * 1024);
    const read = (args: { path: string; offset?: number }) => runTool(readFileTool(workspace), args);

    await expect(read({ path: 'a.txt', offset: 3 })).rejects.toEqual(refused('"a.txt" has only 1 lines'));
    await expect(read({ path: 'none.txt' })).rejects.toEqual(refused('"none.txt" does not exist'));
    await expect(read({ path: 'zero.bin' })).rejects.toEqual(refused('binary'));
    await expect(read({ path: 'latin.txt' })).rejects.toEqual(refused('binary'));
    await expect(read({ path: 'huge.txt' })).rejects.toEqual(refused('larger than'));
    await expect(read({ path: '.env.local' })).rejects.toEqual(refused('secrets'));
    await expect(read({ path: '.longhaul/s' })).rejects.toEqual(refused('data directory'));
  });
});

describe('search_files', () => {
  const search = (args: Record<string, string | number | boolean>) =>
    runTool(searchFilesTool(workspace), { pattern: 'needle', ...args });

  test('finds literal text in readable files only', async () => {
    await put({
      'a.ts': 'x\n  needle one\n',
      'sub/b.md': 'needle\r\nNeedle\nneedle again',
      'bin.dat': 'needle\0',
      '.env': 'needle',
      '.longhaul/x': 'needle',
      '.git/x': 'needle',
      'node_modules/x': 'needle',
    });
    await symlink(join(root, 'a.ts'), join(root, 'link.ts'));

    await expect(search({})).resolves.toBe(
      'a.ts:2:   needle one\nsub/b.md:1: needle\nsub/b.md:3: needle again',
    );
    await expect(search({ ignoreCase: true, path: 'sub' })).resolves.toBe(
      'sub/b.md:1: needle\nsub/b.md:2: Needle\nsub/b.md:3: needle again',
    );
    await expect(search({ path: 'a.ts' })).resolves.toBe('a.ts:2:   needle one');
    await expect(search({ glob: '*.md' })).resolves.toMatch(/^sub\/b\.md:1/);
    await expect(search({ maxMatches: 2 })).resolves.toMatch(/\n\(there are more than these 2 matches\)$/);
    await expect(search({ maxMatches: 3 })).resolves.not.toContain('more');
  });

  test('takes a pattern literally, and says so when it finds nothing', async () => {
    await put({ 'a.txt': 'aaab\nf(x) = [1]*\n' });

    await expect(search({ pattern: 'f(x) = [1]*' })).resolves.toBe('a.txt:2: f(x) = [1]*');
    await expect(search({ pattern: '(a+)+b' })).resolves.toBe(
      '(no matches; note that the pattern is taken literally)',
    );
    await expect(search({ pattern: 'nothing' })).resolves.toBe('(no matches)');
  });

  test('shows the part of a long line that matters', async () => {
    await put({ 'a.txt': `${'x'.repeat(5_000)}needle${'y'.repeat(5_000)}` });

    const line = await search({});

    expect(line).toMatch(/^a\.txt:1: …x+needley+…$/);
    expect(String(line).length).toBeLessThan(330);
  });

  test('does not search what is closed, missing or outside', async () => {
    await put({ '.env': 'needle' });

    await expect(search({ path: '.env' })).rejects.toEqual(refused('secrets'));
    await expect(search({ path: 'none' })).rejects.toEqual(refused('does not exist'));
    await expect(search({ path: '../' })).rejects.toEqual(refused('outside'));
  });
});

describe('write_file', () => {
  test('writes a new file unasked, with the directories on the way', async () => {
    const args = { path: 'new/deep/a.txt', content: 'größe' };

    await expect(asksFor(writeFileTool(workspace), args)).resolves.toBe(false);
    await expect(runTool(writeFileTool(workspace), args)).resolves.toBe('Wrote 7 bytes to "new/deep/a.txt".');
    await expect(content('new/deep/a.txt')).resolves.toBe('größe');
  });

  test('asks before it overwrites', async () => {
    await put({ 'a.txt': 'mine' });

    await expect(asksFor(writeFileTool(workspace), { path: './x/../a.txt', content: '' })).resolves.toBe(
      true,
    );
  });

  test('asks nobody about a path that it refuses anyway', async () => {
    await put({ '.env': 'K=1' });

    for (const path of ['../a.txt', '.env', '.git/hooks/x']) {
      await expect(asksFor(writeFileTool(workspace), { path, content: '' })).resolves.toBe(false);
      await expect(runTool(writeFileTool(workspace), { path, content: '' })).rejects.toMatchObject({
        code: 'TOOL_FAILED',
      });
    }
  });

  test('keeps the mode of what it replaces, keeps a link a link, and leaves nothing else behind', async () => {
    await put({ 'run.sh': 'old' });
    await chmod(join(root, 'run.sh'), 0o750);
    await symlink('run.sh', join(root, 'link.sh'));

    await runTool(writeFileTool(workspace), { path: 'link.sh', content: 'new' });

    await expect(content('run.sh')).resolves.toBe('new');
    expect((await stat(join(root, 'run.sh'))).mode & 0o777).toBe(0o750);
    await expect(readdir(root)).resolves.toEqual(['link.sh', 'run.sh']);
  });

  test('a reader sees the old or the new content, never a part', async () => {
    const sizes = new Set<number>();
    await put({ 'a.txt': 'a'.repeat(1_000_000) });

    const writing = runTool(writeFileTool(workspace), { path: 'a.txt', content: 'b'.repeat(2_000_000) });
    let isWriting = true;
    void writing.finally(() => (isWriting = false));
    while (isWriting) sizes.add((await content('a.txt')).length);
    await writing;
    sizes.add((await content('a.txt')).length);

    expect([1_000_000, 2_000_000]).toEqual(expect.arrayContaining([...sizes]));
    expect(sizes).toContain(2_000_000);
  });

  test('refuses what is too large and what is a directory', async () => {
    await mkdir(join(root, 'dir'));

    await expect(
      runTool(writeFileTool(workspace), { path: 'a.txt', content: 'x'.repeat(10 * 1024 * 1024 + 1) }),
    ).rejects.toEqual(refused('larger'));
    await expect(runTool(writeFileTool(workspace), { path: 'dir', content: '' })).rejects.toEqual(
      refused('directory'),
    );
    await expect(readdir(root)).resolves.toEqual(['dir']);
  });
});

describe('edit_file', () => {
  const edit = (find: string, replace: string) =>
    runTool(editFileTool(workspace), { path: 'a.txt', find, replace });

  test('replaces the one passage, taking it and its replacement literally', async () => {
    await put({ 'a.txt': '\uFEFFone\r\ntwo $& (x)\r\nthree' });

    await expect(edit('two $& (x)', "$' $1")).resolves.toBe('Edited "a.txt" at line 2.');
    await expect(content('a.txt')).resolves.toBe("\uFEFFone\r\n$' $1\r\nthree");
  });

  test('asks when the file is there', async () => {
    await put({ 'a.txt': 'x' });

    await expect(asksFor(editFileTool(workspace), { path: 'a.txt', find: 'x', replace: 'y' })).resolves.toBe(
      true,
    );
    await expect(asksFor(editFileTool(workspace), { path: 'b.txt', find: 'x', replace: 'y' })).resolves.toBe(
      false,
    );
  });

  test.each([
    ['a change', 'old', 'new'],
    ['an addition before', 'x', 'wx'],
    ['an addition after', 'x', 'xy'],
    ['an addition on both sides', 'x', 'wxy'],
    ['a deletion', 'old', ''],
    ['an insertion that repeats itself', 'x', 'x-x'],
  ])('made twice, %s is made once', async (_, find, replace) => {
    await put({ 'a.txt': 'start old\nx end' });

    await edit(find, replace);
    const once = await content('a.txt');
    await expect(edit(find, replace)).resolves.toContain('has this edit already');

    expect(once).not.toBe('start old\nx end');
    await expect(content('a.txt')).resolves.toBe(once);
  });

  test('says that an edit was made already', async () => {
    await put({ 'a.txt': 'new text' });

    await expect(edit('old', 'new')).resolves.toBe('"a.txt" has this edit already; nothing was changed.');
  });

  test.each([
    ['missing', 'other', 'nowhere', 'is not in "a.txt"'],
    ['found more than once', 'x', 'y', 'in "a.txt" 3 times'],
    ['the same as the new one', 'x', 'x', 'nothing to edit'],
  ])('says when the text is %s', async (_, find, replace, words) => {
    await put({ 'a.txt': 'x x x' });

    await expect(edit(find, replace)).rejects.toEqual(refused(words));
    await expect(content('a.txt')).resolves.toBe('x x x');
  });

  test('does not touch what is closed to it', async () => {
    await put({ '.git/config': 'x', 'longhaul.config.ts': 'x', '.env': 'x' });

    for (const path of ['.git/config', 'longhaul.config.ts', '.env']) {
      await expect(runTool(editFileTool(workspace), { path, find: 'x', replace: 'y' })).rejects.toMatchObject(
        { code: 'TOOL_FAILED' },
      );
      await expect(content(path)).resolves.toBe('x');
    }
  });
});
