import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { temporalTarget } from './connect.js';

const devFile = z.object({ pid: z.int(), address: z.string(), uiUrl: z.string().nullable() });

/** What a running `longhaul dev` tells other processes of the same data directory. */
export type DevFile = z.infer<typeof devFile>;

/** Where Temporal is, and who says so. */
export interface FoundTemporal {
  address: string;
  /** `null` where it is not known. */
  uiUrl: string | null;
  from: 'environment' | 'dev' | 'default';
}

/** Temporal's own default port of the Web UI of a dev server. */
const DEFAULT_UI_URL = 'http://localhost:8233';

const pathIn = (dataDir: string): string => join(dataDir, 'dev.json');

/** Leaves word for other processes. The directory exists. */
export function writeDevFile(dataDir: string, file: DevFile): void {
  writeFileSync(pathIn(dataDir), `${JSON.stringify(file)}\n`);
}

/** Takes the word back, if it is still that of this process. */
export function removeDevFile(dataDir: string): void {
  if (readDevFile(dataDir)?.pid === process.pid) rmSync(pathIn(dataDir), { force: true });
}

/** What a `longhaul dev` that is alive has left, or `null`. */
function readDevFile(dataDir: string): DevFile | null {
  try {
    const file = devFile.parse(JSON.parse(readFileSync(pathIn(dataDir), 'utf8')));
    process.kill(file.pid, 0);
    return file;
  } catch {
    // Not there, not readable, or left by a process that was killed.
    return null;
  }
}

/**
 * Finds the Temporal server: what Temporal's own environment configuration names, else the `longhaul dev` of this data directory, else
 * Temporal's default address.
 * @throws AgentError `CONFIG_INVALID`
 */
export function findTemporal(dataDir: string): FoundTemporal {
  const { address } = temporalTarget();
  const dev = readDevFile(dataDir);
  if (loadClientConnectConfig().connectionOptions.address !== undefined) {
    const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(address);
    return {
      address,
      uiUrl: dev?.address === address ? dev.uiUrl : isLocal ? DEFAULT_UI_URL : null,
      from: 'environment',
    };
  }
  if (dev) return { address: dev.address, uiUrl: dev.uiUrl, from: 'dev' };
  return { address, uiUrl: DEFAULT_UI_URL, from: 'default' };
}
