import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { basename, delimiter, dirname, join, sep } from 'node:path';
import { AgentError } from '../../core/errors.js';
import type { Launch, ProcessLimits } from './bounded-process.js';
import { walk } from './workspace-files.js';
import { checkAllowed, openDirectory, type Workspace } from './workspace.js';

/** What one command may use. The kernel holds the last two for each process. */
export interface CommandLimits extends ProcessLimits {
  /** Processor time of one process, in seconds. */
  cpuTimeS: number;
  /** Size of one file that is written. */
  fileBytes: number;
}

/** A place where commands run. */
export interface CommandPlace {
  kind: 'sandboxed' | 'unconfined';
  limits: CommandLimits;
  /**
   * Gets a bash command ready to be run.
   * @returns how to start it; `release` is to be called when it has ended.
   */
  prepare(command: string, signal: AbortSignal): Promise<{ launch: Launch; release: () => void }>;
}

const GIB = 1024 ** 3;
/** Our own choice: enough for a compiler or a test suite, and no machine of today is hurt by it. */
const DEFAULT_LIMITS: CommandLimits = { memoryBytes: GIB, processes: 256, cpuTimeS: 300, fileBytes: GIB };

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const COMMON_ENV = { LANG: 'C.UTF-8', TERM: 'dumb' };
const PRIVATE_BYTES = String(256 * 1024 ** 2);

/**
 * Sets the limits for itself, closes what the worker inherited from whoever started it, then becomes the command. Both outputs become
 * one, so that they stay in order; what still comes out of the second one is about the set-up. The kernel counts the data of each process
 * here, not the address space, of which runtimes such as Node reserve far more than they use.
 */
const PRELUDE = `
ulimit -c 0 -d "$1" -t "$2" -f "$3" || exit
[ -z "$4" ] || ulimit -u "$4" || exit
for fd in /proc/self/fd/*; do
  fd=\${fd##*/}
  [ "$fd" -gt 2 ] 2>/dev/null && exec {fd}>&-
done
exec bash -c -- "$5" 2>&1`;

function preludeArgs(command: string, limits: CommandLimits, processes: string): string[] {
  const kib = (bytes: number) => String(Math.ceil(bytes / 1024));
  const { memoryBytes, cpuTimeS, fileBytes } = limits;
  return ['-c', PRELUDE, 'bash', kib(memoryBytes), String(cpuTimeS), kib(fileBytes), processes, command];
}

const empty = (path: string): string[] => ['--tmpfs', path, '--remount-ro', path];
const words = (text: string): string[] => text.split(' ');

const CUT_OFF = words(
  '--unshare-all --unshare-user --disable-userns --cap-drop ALL --die-with-parent --new-session',
);
/** Of the system only what programs need to run: nothing that belongs to a user, and no service to talk to. */
const SYSTEM = words(
  '/bin /sbin /lib /lib32 /lib64 /libx32 /etc/alternatives /etc/group /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d ' +
    '/etc/localtime /etc/nsswitch.conf /etc/passwd',
);
/** Where container images put applications, with whatever lies beside them. */
const SOURCES = '/usr/src';
/** Directories whose contents the sandbox itself lays out. */
const NO_WORKSPACE = words(`/ /usr ${SOURCES} /etc /proc /dev`);

/**
 * Commands in bubblewrap: no network, no other processes, only the workspace can be written, and of the rest only the system's programs
 * can be seen. What the file tools may not read is hidden, what they may not write (`.git`, the configuration) cannot be written, as far
 * as it is there when the command starts.
 * @param options.bwrap the program. @defaultValue `bwrap`
 * @throws AgentError `CONFIG_INVALID` when that does not work on this machine: it is tried out here.
 */
export function openSandbox(options: {
  workspace: Workspace;
  limits?: Partial<CommandLimits>;
  bwrap?: string;
}): CommandPlace {
  const { workspace, bwrap = 'bwrap' } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  if (NO_WORKSPACE.includes(workspace.root))
    throw new AgentError(
      'CONFIG_INVALID',
      `LONGHAUL_SHELL=sandboxed cannot confine commands to ${workspace.root}. Set LONGHAUL_WORKSPACE to a directory of its own.`,
    );
  const launchOf = (command: string, closed: ClosedPlaces): Launch => ({
    file: bwrap,
    args: [...jailArgs(workspace, closed), 'bash', ...preludeArgs(command, limits, String(limits.processes))],
    cwd: workspace.root,
    env: { PATH, HOME: '/tmp', ...COMMON_ENV },
    descriptors: closed.readOnly.map(({ fd }) => fd),
  });
  tryOut(workspace, (closed) => launchOf('true', closed));
  return {
    kind: 'sandboxed',
    limits,
    prepare: async (command, signal) => {
      const closed = await findClosed(workspace, signal);
      return { launch: launchOf(command, closed), release: () => closeAll(closed) };
    },
  };
}

/** Commands without confinement: they can do and see whatever the user of the worker can. The limits hold. */
export function openUnconfined(options: {
  workspace: Workspace;
  limits?: Partial<CommandLimits>;
}): CommandPlace {
  const { root } = options.workspace;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return {
    kind: 'unconfined',
    limits,
    prepare: async (command) => {
      const marker = `LONGHAUL_COMMAND=${randomUUID()}`;
      const [name = '', id = ''] = marker.split('=');
      // At the end, so that the Node of the worker is found where it is not among the programs of the system.
      const path = [PATH, dirname(process.execPath)].join(delimiter);
      return {
        launch: {
          file: 'bash',
          // The kernel would count all processes of the user.
          args: preludeArgs(command, limits, ''),
          cwd: root,
          env: { PATH: path, HOME: root, ...COMMON_ENV, [name]: id },
          marker,
        },
        release: () => undefined,
      };
    },
  };
}

interface ClosedPlaces {
  /** May not be read. */
  hidden: { place: string; isDirectory: boolean }[];
  /** May not be written. Opened, so that it cannot be exchanged for a link before it is mounted. */
  readOnly: { place: string; fd: number }[];
}

function jailArgs(workspace: Workspace, { hidden, readOnly }: ClosedPlaces): string[] {
  const inside = (place: string) => join(workspace.root, place);
  const hidesSources = existsSync(SOURCES);
  return [
    ...CUT_OFF,
    ...words('--ro-bind /usr /usr'),
    ...(hidesSources ? ['--tmpfs', SOURCES] : []),
    ...SYSTEM.flatMap((path) => ['--ro-bind-try', path, path]),
    // Read-only, because settings of the whole machine can be written below /proc/sys when the worker is root.
    ...words('--proc /proc --remount-ro /proc --dev /dev --remount-ro /dev'),
    ...words(`--size ${PRIVATE_BYTES} --tmpfs /dev/shm --size ${PRIVATE_BYTES} --tmpfs /tmp`),
    '--bind',
    workspace.root,
    workspace.root,
    ...dataDirArgs(workspace),
    ...hidden.flatMap(({ place, isDirectory }) =>
      isDirectory ? empty(inside(place)) : ['--ro-bind', '/dev/null', inside(place)],
    ),
    ...readOnly.flatMap(({ place }, index) => ['--ro-bind-fd', String(index + 3), inside(place)]),
    // Last: until here places to mount on are made there.
    ...(hidesSources ? ['--remount-ro', SOURCES] : []),
    ...words('--remount-ro / --chdir'),
    workspace.root,
    '--',
  ];
}

function dataDirArgs({ root, dataDir }: Workspace): string[] {
  if (dataDir === null || !existsSync(join(root, dataDir))) return [];
  const parts = dataDir.split(sep);
  // A mount point cannot be renamed: otherwise a command could move the directory away, and the next one would see it there.
  const onTheWay = parts.slice(1).map((_, index) => join(root, ...parts.slice(0, index + 1)));
  const path = join(root, dataDir);
  return [...onTheWay.flatMap((parent) => ['--bind', parent, parent]), ...empty(path)];
}

async function findClosed(workspace: Workspace, signal: AbortSignal): Promise<ClosedPlaces> {
  const closed: ClosedPlaces = { hidden: [], readOnly: [] };
  try {
    for await (const { place, kind } of walk(workspace, '', { recursive: true, signal })) {
      if (kind !== 'file' && kind !== 'directory') continue;
      const isBelow = [...closed.hidden, ...closed.readOnly].some((other) =>
        place.startsWith(other.place + sep),
      );
      if (isBelow) continue;
      if (!isAllowed(workspace, place, 'read'))
        closed.hidden.push({ place, isDirectory: kind === 'directory' });
      else if (!isAllowed(workspace, place, 'write')) {
        const fd = await openPinned(workspace, place);
        if (fd !== null) closed.readOnly.push({ place, fd });
      }
    }
  } catch (error) {
    closeAll(closed);
    throw error;
  }
  return closed;
}

function isAllowed(workspace: Workspace, place: string, purpose: 'read' | 'write'): boolean {
  try {
    checkAllowed(workspace, place, purpose);
    return true;
  } catch {
    return false;
  }
}

/** Opens a file or directory, following no link; `null` when it is gone or has become one. */
async function openPinned(workspace: Workspace, place: string): Promise<number | null> {
  const parent = dirname(place);
  const directory = await openDirectory(workspace, parent === '.' ? '' : parent).catch(() => null);
  if (directory === null) return null;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return openSync(join(directory.path, basename(place)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return null;
  } finally {
    await directory.close();
  }
}

function closeAll({ readOnly }: ClosedPlaces): void {
  for (const { fd } of readOnly) closeSync(fd);
}

function tryOut(workspace: Workspace, launchOf: (closed: ClosedPlaces) => Launch): void {
  // Old versions cannot mount what was opened before: the workspace stands for any such place.
  const fd = openSync(workspace.root, constants.O_RDONLY);
  const { file, args, env, cwd } = launchOf({ hidden: [], readOnly: [{ place: '', fd }] });
  try {
    execFileSync(file, args, { env, cwd, stdio: ['ignore', 'ignore', 'pipe', fd], timeout: 10_000 });
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: Buffer }; // What execFileSync throws.
    const said = stderr?.toString('utf8').trim() ?? '';
    const reason =
      code === 'ENOENT'
        ? 'it is not installed'
        : `it does not work here (${said.slice(0, 300) || 'it does not say why'})`;
    throw new AgentError(
      'CONFIG_INVALID',
      `LONGHAUL_SHELL=sandboxed needs bubblewrap, and ${reason}. Install bubblewrap 0.10 or a newer one of your distribution, ` +
        'and let this user create user namespaces, which containers often forbid; or set LONGHAUL_SHELL=off. ' +
        'LONGHAUL_SHELL=unconfined runs commands without any confinement.',
      { cause },
    );
  } finally {
    closeSync(fd);
  }
}
