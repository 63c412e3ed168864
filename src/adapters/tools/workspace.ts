import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { constants, lstat, mkdir, open, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AgentError } from '../../core/errors.js';

/** The directory that file tools may touch, and what in it they may not. Made by {@link openWorkspace}. */
export interface Workspace {
  /** Absolute and real: no part of it is a symbolic link. */
  root: string;
  /** The data directory relative to the root; `null` when it lies elsewhere. */
  dataDir: string | null;
}

/** A directory of the workspace that stays the same one whatever happens to the names on the way to it. */
export interface OpenDirectory {
  /** Put a name behind it to reach a file of this directory. */
  path: string;
  close(): Promise<void>;
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
/** Names below `/proc/self/fd/N/` are looked up in the opened directory itself, as openat does, which Node does not offer. */
const canPin = process.platform === 'linux' && existsSync('/proc/self/fd');
const SECRET_NAME = /^\.env(?!\.example$)/i;
const OWN_CONFIG = /^longhaul\.config\.(ts|mjs|js)$/i;

/**
 * Takes a directory as the workspace.
 * @throws AgentError `CONFIG_INVALID` when it is no directory, or the same as the data directory.
 */
export function openWorkspace(options: { root: string; dataDir: string }): Workspace {
  let root: string;
  try {
    root = realpathSync(options.root);
    if (!lstatSync(root).isDirectory()) throw new Error('not a directory');
  } catch (cause) {
    throw new AgentError('CONFIG_INVALID', 'LONGHAUL_WORKSPACE must name a directory that exists.', {
      cause,
    });
  }
  const dataDir = relative(root, realOfNearest(resolve(options.dataDir)));
  if (dataDir === '')
    throw new AgentError(
      'CONFIG_INVALID',
      'LONGHAUL_DATA_DIR and LONGHAUL_WORKSPACE must be different directories.',
    );
  return { root, dataDir: isOutside(dataDir) ? null : dataDir };
}

/**
 * Finds the real place of a path that the model named; the last parts of it need not exist yet.
 * @returns the path relative to the root, free of links and `..`; empty for the root itself.
 * @throws AgentError `TOOL_FAILED` in plain words when it leads out of the workspace.
 */
export async function resolveInside(workspace: Workspace, path: string): Promise<string> {
  if (path.includes('\0')) throw refusal(`${quote(path)} is not a path.`);
  const missing: string[] = [];
  let current = resolve(workspace.root, path);
  for (;;) {
    try {
      const inside = relative(workspace.root, join(await realpath(current), ...missing));
      if (isOutside(inside)) throw refusal(`${quote(path)} is outside the workspace.`);
      return inside;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw inPlainWords(error, path);
    }
    // A link whose target is missing: creating a file "below" it would create it wherever the link leads.
    if (await isLink(current))
      throw refusal(`${quote(path)} goes through a symbolic link that leads nowhere.`);
    missing.unshift(basename(current));
    current = dirname(current);
  }
}

/**
 * Refuses what no tool may touch inside the workspace: secrets, the data directory, and for writing also `.git` (its hooks are run
 * by others) and the worker's own configuration module.
 * @throws AgentError `TOOL_FAILED`
 */
export function checkAllowed(workspace: Workspace, place: string, purpose: 'read' | 'write'): void {
  const parts = place.split(sep);
  if (parts.some((part) => SECRET_NAME.test(part))) {
    throw refusal(
      `${quote(place)} may hold secrets. Files named .env* are closed to tools, .env.example is not.`,
    );
  }
  if (isDataDir(workspace, place))
    throw refusal(`${quote(place)} belongs to the data directory of longhaul, which is closed to tools.`);
  if (purpose === 'read') return;
  if (parts.some((part) => part.toLowerCase() === '.git'))
    throw refusal(`${quote(place)}: tools do not write into .git.`);
  if (OWN_CONFIG.test(place))
    throw refusal(`${quote(place)} is the configuration of the agent itself; only a person may write it.`);
}

/** Whether a place is the data directory or in it. */
export function isDataDir(workspace: Workspace, place: string): boolean {
  return workspace.dataDir !== null && !isOutside(relative(workspace.dataDir, place));
}

/**
 * Opens a directory step by step from the root, following no link, so that a link swapped in meanwhile is an error.
 * Where `/proc` is missing only the last step is safe from that.
 * @param place as {@link resolveInside} returned it.
 * @throws AgentError `TOOL_FAILED`
 */
export async function openDirectory(
  workspace: Workspace,
  place: string,
  options: { create?: boolean } = {},
): Promise<OpenDirectory> {
  let handle = await open(workspace.root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  let path = canPin ? `/proc/self/fd/${handle.fd}` : workspace.root;
  try {
    for (const part of place.split(sep).filter(Boolean)) {
      const next = join(path, part);
      if (options.create) await mkdir(next).catch(unless('EEXIST'));
      const nextHandle = await open(next, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      await handle.close();
      handle = nextHandle;
      path = canPin ? `/proc/self/fd/${handle.fd}` : next;
    }
  } catch (error) {
    await handle.close();
    throw inPlainWords(error, place);
  }
  return { path, close: () => handle.close() };
}

/** An error for the model to read. */
export function refusal(message: string, cause?: unknown): AgentError {
  return new AgentError('TOOL_FAILED', message, { cause });
}

/** A path as it stands in messages. */
export function quote(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path || '.');
}

/** Words for what the file system said, without absolute paths. */
export function inPlainWords(error: unknown, path: string): unknown {
  const words: Record<string, string> = {
    ENOENT: 'does not exist',
    ENOTDIR: 'is not a directory, or goes through something that is none',
    EISDIR: 'is a directory, not a file',
    EACCES: 'may not be opened with the rights of the worker',
    EPERM: 'may not be opened with the rights of the worker',
    EROFS: 'is on a file system that cannot be written',
    ELOOP: 'goes through a symbolic link that may not be followed',
    ENAMETOOLONG: 'is too long a name',
    ENOSPC: 'does not fit: the disk is full',
    ENXIO: 'is not a regular file',
  };
  const reason = words[errorCode(error) ?? ''];
  return reason === undefined ? error : refusal(`${quote(path)} ${reason}.`, error);
}

/** A handler that swallows one error code of the file system. */
export function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (errorCode(error) !== code) throw error;
    return undefined;
  };
}

function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function isOutside(relativePath: string): boolean {
  return relativePath === '..' || relativePath.startsWith(`..${sep}`) || isAbsolute(relativePath);
}

async function isLink(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(unless('ENOENT'));
  return stats?.isSymbolicLink() ?? false;
}

function realOfNearest(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realOfNearest(parent), basename(path));
}
