import { access, constants, mkdir } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { AgentError } from '../../core/errors.js';
import { buildTemporal, OLDEST_GO_VERSION } from './build-temporal.js';
import { downloadTemporal } from './download-temporal.js';
import { withFileLock } from './file-lock.js';
import type { CommandEnvironment } from './run-command.js';
import { askTemporalVersion, OLDEST_TEMPORAL_CLI_VERSION, TEMPORAL_CLI_VERSION } from './temporal-version.js';

/** A Temporal CLI that runs here. */
export interface TemporalBinary {
  /** Absolute. */
  path: string;
  version: string;
  source: 'path' | 'cache' | 'download' | 'build';
}

/** Where to look, and whom to tell. */
export interface FindTemporalOptions {
  /**
   * Where `PATH`, `HOME`, `XDG_CACHE_HOME` and `LOCALAPPDATA` are read from, and the environment of the commands that are run
   * (Go and its proxies). Leave secrets out.
   */
  env: CommandEnvironment;
  /** Gets a line of text whenever there is something to tell: that it builds, why, and how far it is. Default: nobody is told. */
  onProgress?: (line: string) => void;
}

/**
 * A Temporal CLI from the first place that has one: `PATH`, the user's cache, the SDK's download, a build with Go. The last two fill the
 * cache (`longhaul/temporal-cli-<version>-<platform>-<arch>/` in the user's cache directory), one process at a time.
 * @throws CONFIG_INVALID when every way fails; the message says what each one lacked and what to do
 */
export async function findTemporalBinary(options: FindTemporalOptions): Promise<TemporalBinary> {
  const onProgress = options.onProgress ?? (() => undefined);
  const cached = cachedBinaryPath(options.env);
  const found = await lookForTemporalBinary(options);
  if (found !== null) return found;

  await mkdir(dirname(cached), { recursive: true });
  const tellWaiting = (): void =>
    onProgress('Another process is fetching or building the Temporal CLI; waiting for it.');
  return withFileLock(`${cached}.lock`, tellWaiting, async () => {
    const made = await inCache(cached, options.env);
    if (made !== null) return made;
    onProgress(`No Temporal CLI on PATH. Downloading version ${TEMPORAL_CLI_VERSION} (once).`);
    const download = await downloadTemporal(cached, options.env);
    if (download.ok) return usable(cached, 'download', options.env);
    onProgress('It cannot be downloaded here.');
    const build = await buildTemporal({ target: cached, env: options.env, onProgress });
    if (build.ok) return usable(cached, 'build', options.env);
    throw noBinary(download.problem, build.problem);
  });
}

/** A Temporal CLI that is there already, on `PATH` or in the user's cache, or `null`. Fetches and builds nothing. */
export async function lookForTemporalBinary({
  env,
  onProgress,
}: FindTemporalOptions): Promise<TemporalBinary | null> {
  for (const path of await onPath(env)) {
    const answer = await askTemporalVersion(path, env);
    if (answer.ok) return { path, version: answer.version, source: 'path' };
    onProgress?.(`Not using ${path}: ${answer.problem}.`);
  }
  return inCache(cachedBinaryPath(env), env);
}

async function inCache(path: string, env: CommandEnvironment): Promise<TemporalBinary | null> {
  if (!(await isExecutable(path))) return null;
  const answer = await askTemporalVersion(path, env);
  return answer.ok ? { path, version: answer.version, source: 'cache' } : null;
}

async function usable(
  path: string,
  source: TemporalBinary['source'],
  env: CommandEnvironment,
): Promise<TemporalBinary> {
  const answer = await askTemporalVersion(path, env);
  if (!answer.ok)
    throw new AgentError(
      'CONFIG_INVALID',
      `The Temporal CLI that was just put to ${path} cannot be used: ${answer.problem}. Put another one on PATH.`,
    );
  return { path, version: answer.version, source };
}

const EXECUTABLE = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

async function onPath(env: CommandEnvironment): Promise<string[]> {
  const searchPath = (process.platform === 'win32' ? env['Path'] : undefined) ?? env['PATH'] ?? '';
  const candidates = searchPath
    .split(delimiter)
    .filter(isAbsolute)
    .map((dir) => join(dir, EXECUTABLE));
  const executable = await Promise.all(candidates.map(isExecutable));
  return candidates.filter((_, index) => executable[index]);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function cachedBinaryPath(env: CommandEnvironment): string {
  return join(
    cacheDir(env),
    'longhaul',
    `temporal-cli-${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`,
    EXECUTABLE,
  );
}

/** The user's cache directory, by the custom of the platform. */
function cacheDir(env: CommandEnvironment): string {
  if (env['XDG_CACHE_HOME']) return env['XDG_CACHE_HOME'];
  if (process.platform === 'win32' && env['LOCALAPPDATA']) return env['LOCALAPPDATA'];
  const home = env['HOME'] ?? env['USERPROFILE'];
  if (!home)
    throw new AgentError(
      'CONFIG_INVALID',
      'There is no place for the Temporal CLI: neither HOME nor XDG_CACHE_HOME is set. Set one of them.',
    );
  return process.platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache');
}

function noBinary(downloadProblem: string, buildProblem: string): AgentError {
  return new AgentError(
    'CONFIG_INVALID',
    'There is no Temporal server to start. Do one of these: ' +
      `put \`temporal\` (${OLDEST_TEMPORAL_CLI_VERSION} or newer) on PATH; set TEMPORAL_ADDRESS to a server that runs; install Go ${OLDEST_GO_VERSION} or newer. ` +
      `(Download: ${downloadProblem}. Build: ${buildProblem}.)`,
    { details: { downloadProblem, buildProblem } },
  );
}
