import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A tool of worker processes whose approval policy holds the first process that asks it, with a whole answer in its hands, for ever. */
export interface HeldTool {
  /** Of the workers that have it. */
  env: Record<string, string>;
  /** Resolves when a worker is held. */
  untilHeld(): Promise<void>;
  /** How often the policy was asked. */
  timesAsked(): number;
}

/** Writes the configuration module with the tool `held`. */
export function writeHeldTool(dir: string): HeldTool {
  const configFile = join(dir, 'held.config.mjs');
  const logFile = join(dir, 'held.log');
  writeFileSync(configFile, moduleText(logFile));
  const timesAsked = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').length : 0);
  return {
    env: { LONGHAUL_CONFIG: configFile },
    timesAsked,
    untilHeld: () =>
      new Promise((resolve) => {
        const look = () => {
          if (timesAsked() === 0) return;
          watcher.close();
          resolve();
        };
        const watcher = watch(dir, { persistent: false }, look);
        look();
      }),
  };
}

function moduleText(logFile: string): string {
  const root = new URL('../../../', import.meta.url);
  const importable = (path: string) => JSON.stringify(pathToFileURL(fileURLToPath(new URL(path, root))).href);
  return `
import { appendFileSync, readFileSync } from 'node:fs';
import { defineConfig, defineTool } from ${importable('dist/index.js')};
import { z } from ${importable('node_modules/zod/index.js')};

const logFile = ${JSON.stringify(logFile)};

const held = defineTool({
  name: 'held',
  description: 'Acts.',
  effect: 'read',
  input: z.object({}),
  approval: async () => {
    appendFileSync(logFile, '.');
    if (readFileSync(logFile, 'utf8').length === 1) await new Promise(() => setInterval(() => undefined, 60_000));
    return false;
  },
  execute: () => 'acted',
});

export default defineConfig({ tools: [held] });
`;
}
