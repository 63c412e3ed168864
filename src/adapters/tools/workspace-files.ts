import { randomUUID } from 'node:crypto';
import { constants, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  checkAllowed,
  inPlainWords,
  isDataDir,
  openDirectory,
  quote,
  refusal,
  resolveInside,
  unless,
  type Workspace,
} from './workspace.js';

/** Files beyond this are neither read nor written. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** One thing that {@link walk} came by. */
export interface WalkEntry {
  /** Relative to the root. */
  place: string;
  name: string;
  /** Where to open it while the walk stands at this entry. */
  path: string;
  kind: 'file' | 'directory' | 'link' | 'other';
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
const SKIPPED_DIRECTORIES = new Set(['.git', 'node_modules']);

/**
 * Reads a text file of the workspace.
 * @throws AgentError `TOOL_FAILED` when it is not there, closed to tools, too large, no regular file, or not UTF-8 text.
 */
export async function readTextFile(
  workspace: Workspace,
  path: string,
): Promise<{ place: string; text: string }> {
  const place = await resolveInside(workspace, path);
  checkAllowed(workspace, place, 'read');
  if (place === '') throw refusal(`${quote(path)} is a directory, not a file.`);
  const directory = await openDirectory(workspace, dirname(place) === '.' ? '' : dirname(place));
  try {
    const bytes = await readRegularFile(join(directory.path, basename(place)), MAX_FILE_BYTES);
    if (bytes === null)
      throw refusal(
        `${quote(path)} is larger than ${MAX_FILE_BYTES} bytes. Use search_files to find the part that matters.`,
      );
    const text = decodeText(bytes);
    if (text === null) throw refusal(`${quote(path)} is a binary file, not UTF-8 text.`);
    return { place, text };
  } catch (error) {
    throw inPlainWords(error, path);
  } finally {
    await directory.close();
  }
}

/**
 * Writes a text file of the workspace, whole or not at all; makes missing directories; keeps the mode of a file it replaces.
 * @throws AgentError `TOOL_FAILED`
 */
export async function writeTextFile(
  workspace: Workspace,
  path: string,
  content: string,
): Promise<{ sizeBytes: number }> {
  const place = await resolveInside(workspace, path);
  checkAllowed(workspace, place, 'write');
  const bytes = Buffer.from(content, 'utf8');
  if (bytes.byteLength > MAX_FILE_BYTES) throw refusal(`The content is larger than ${MAX_FILE_BYTES} bytes.`);
  if (place === '' || /[\\/]$/.test(path)) throw refusal(`${quote(path)} is a directory, not a file.`);
  const directory = await openDirectory(workspace, dirname(place) === '.' ? '' : dirname(place), {
    create: true,
  });
  try {
    await replaceFile(directory.path, basename(place), bytes);
    return { sizeBytes: bytes.byteLength };
  } catch (error) {
    throw inPlainWords(error, path);
  } finally {
    await directory.close();
  }
}

/** Whether something stands at this path already. False for paths that the tools refuse anyway. */
export async function existsInside(workspace: Workspace, path: string): Promise<boolean> {
  try {
    const place = await resolveInside(workspace, path);
    checkAllowed(workspace, place, 'write');
    return (await lstat(join(workspace.root, place)).catch(unless('ENOENT'))) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Goes through a directory, level by level and sorted by name, following no link. Leaves out the data directory;
 * `.git` and `node_modules` are named but not entered.
 * @throws AgentError `TOOL_FAILED` when the start is no directory that can be opened.
 */
export async function* walk(
  workspace: Workspace,
  start: string,
  options: { recursive: boolean; signal: AbortSignal },
): AsyncGenerator<WalkEntry> {
  const queue = [start];
  for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
    const directory = await openDirectory(workspace, place).catch((error: unknown) => {
      // Below the start a directory that vanished or may not be entered is passed over.
      if (place === start) throw error;
      return null;
    });
    if (directory === null) continue;
    try {
      const entries = await readdir(directory.path, { withFileTypes: true });
      entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries) {
        options.signal.throwIfAborted();
        const entryPlace = join(place, entry.name);
        if (isDataDir(workspace, entryPlace)) continue;
        const kind = entry.isFile()
          ? 'file'
          : entry.isDirectory()
            ? 'directory'
            : entry.isSymbolicLink()
              ? 'link'
              : 'other';
        if (kind === 'directory' && options.recursive && !SKIPPED_DIRECTORIES.has(entry.name))
          queue.push(entryPlace);
        yield { place: entryPlace, name: entry.name, path: join(directory.path, entry.name), kind };
      }
    } finally {
      await directory.close();
    }
  }
}

/**
 * The bytes of a regular file; `null` when it is larger than `maxBytes`.
 * @throws AgentError `TOOL_FAILED` for directories, devices and pipes; errors of the file system as they are.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer | null> {
  // Looked at before it is opened, because opening a device can have effects; and again after, because names can be swapped.
  assertRegular(await lstat(path));
  const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = await handle.stat();
    assertRegular(stats);
    return stats.size > maxBytes ? null : await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The text in bytes; `null` for what is not UTF-8 text. */
export function decodeText(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    // A byte order mark stays, so that an edit keeps it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

async function replaceFile(directory: string, name: string, bytes: Buffer): Promise<void> {
  const target = join(directory, name);
  const previous = await lstat(target).catch(unless('ENOENT'));
  if (previous) assertRegular(previous);
  const temporary = join(directory, `.longhaul-${randomUUID()}.tmp`);
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  try {
    try {
      await handle.writeFile(bytes);
      if (previous) await handle.chmod(previous.mode & 0o777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function assertRegular(stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stats.isDirectory()) throw refusal('This is a directory, not a file.');
  if (!stats.isFile()) throw refusal('This is not a regular file, so tools leave it alone.');
}
