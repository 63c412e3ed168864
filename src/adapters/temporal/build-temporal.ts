import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.js';
import type { CommandEnvironment } from './run-command.js';
import { isAtLeast, TEMPORAL_CLI_VERSION } from './temporal-version.js';

/** The oldest Go that builds it, from the `go` line of `tools/temporal/go.mod`. */
export const OLDEST_GO_VERSION = '1.26.4';

const TELL_EVERY_MS = 15_000;
/** By `go list -deps`; those that Go has in its cache already are not counted while it builds. */
const PACKAGES_IN_ALL = 1717;
const ASK_TIMEOUT_MS = 20_000;

/** A Go module that pins the Temporal CLI, at the root of this package: as far away from `src` as from `dist`. */
const TOOLS_DIR = fileURLToPath(new URL('../../../tools/temporal/', import.meta.url));

/** How a build went. */
export type BuildResult = { ok: true } | { ok: false; problem: string };

/** What {@link buildTemporal} works with. */
export interface BuildOptions {
  /** Path of the finished binary. It appears there whole or not at all. */
  target: string;
  env: CommandEnvironment;
  onProgress: (line: string) => void;
}

/**
 * Builds the Temporal CLI with the Go that is installed. Fetches the modules (through the Go module proxy) and compiles the whole
 * server: about 4 minutes on 2 cores with empty caches.
 */
export async function buildTemporal({ target, env, onProgress }: BuildOptions): Promise<BuildResult> {
  const goVersion = await installedGoVersion(env);
  if (goVersion === null) return { ok: false, problem: 'Go is not installed' };
  const ownToolchain = isAtLeast(goVersion, OLDEST_GO_VERSION);
  onProgress(
    `Building the Temporal CLI ${TEMPORAL_CLI_VERSION} with Go ${goVersion}${ownToolchain ? '' : ` (older than ${OLDEST_GO_VERSION}: Go has to fetch a newer toolchain)`}.` +
      ' That compiles the whole Temporal server, so it takes some minutes; it is done once.',
  );
  await mkdir(dirname(target), { recursive: true });
  const unfinished = `${target}.${randomUUID()}.tmp`;
  const reporter = reportProgress(onProgress);
  try {
    const result = await runCommand('go', buildArgs(unfinished), {
      cwd: TOOLS_DIR,
      env: { ...env, CGO_ENABLED: '0', ...(ownToolchain && { GOTOOLCHAIN: 'local' }) },
      onErrorLine: reporter.onLine,
    });
    if (!result.ok) return { ok: false, problem: `the build with Go ${goVersion} failed: ${result.problem}` };
    await rename(unfinished, target);
    return { ok: true };
  } finally {
    reporter.stop();
    await rm(unfinished, { force: true });
  }
}

function buildArgs(output: string): string[] {
  const ldflags = `-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${TEMPORAL_CLI_VERSION}`;
  // -v names each package once it is compiled, which is all the progress there is to see.
  return [
    'build',
    '-v',
    '-trimpath',
    '-ldflags',
    ldflags,
    '-o',
    output,
    'github.com/temporalio/cli/cmd/temporal',
  ];
}

/** Asked outside of the module and with the local toolchain, so that an old Go answers instead of fetching a new one. */
async function installedGoVersion(env: CommandEnvironment): Promise<string | null> {
  const { ok, output } = await runCommand('go', ['env', 'GOVERSION'], {
    cwd: tmpdir(),
    env: { ...env, GOTOOLCHAIN: 'local' },
    timeoutMs: ASK_TIMEOUT_MS,
  });
  return ok ? output.replace(/^go/, '') : null;
}

function reportProgress(onProgress: (line: string) => void): {
  onLine: (line: string) => void;
  stop: () => void;
} {
  const startedAt = Date.now();
  let fetched = 0;
  let compiled = 0;
  const telling = setInterval(() => {
    const elapsedSeconds = Math.round((Date.now() - startedAt) / 1000);
    onProgress(
      `  still building, ${elapsedSeconds} s: ${fetched} modules fetched, ${compiled} of ${PACKAGES_IN_ALL} packages compiled`,
    );
  }, TELL_EVERY_MS);
  return {
    onLine: (line) => {
      if (line.startsWith('go: downloading')) fetched += 1;
      else if (!line.startsWith('go: ')) compiled += 1;
    },
    stop: () => clearInterval(telling),
  };
}
