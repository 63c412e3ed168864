import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';

/** One line that a tool wrote, before or after it acted. */
export interface Effect {
  kind: 'begin' | 'end';
  atMs: number;
  tool: string;
  runId: string;
  callId: string;
  /** The idempotency key. */
  key: string;
}

/** What the tools of worker processes did. They only ever append, so a killed process takes nothing back. */
export class EffectLog {
  constructor(private readonly file: string) {}

  /** What the tools did in a run, in order. */
  of(runId: string): Effect[] {
    return this.list().filter((effect) => effect.runId === runId);
  }

  /** The call ids of a run whose tool began, in order, once for each time. */
  begun(runId: string): string[] {
    return this.of(runId)
      .filter(({ kind }) => kind === 'begin')
      .map(({ callId }) => callId);
  }

  /** Waits until a tool began. */
  async untilBegun(runId: string, callId: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!this.begun(runId).includes(callId)) return;
        watcher.close();
        resolve();
      };
      const watcher = watch(this.file, { persistent: false }, look);
      look();
    });
  }

  private list(): Effect[] {
    // Lines are appended whole, by our own tools.
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Effect);
  }
}

/**
 * Writes a configuration module with the tools `read_act`, `idempotent_act` and `once_act`, which act for `ms` and return the call id. With
 * `hold` a call never ends when it runs for the first time.
 * @returns the environment of a worker that has them, and what they do.
 */
export function writeEffectTools(dir: string): { env: Record<string, string>; effects: EffectLog } {
  const configFile = join(dir, 'effects.config.mjs');
  const logFile = join(dir, 'effects.ndjson');
  writeFileSync(logFile, '');
  writeFileSync(configFile, moduleText(logFile));
  return { env: { LONGHAUL_CONFIG: configFile }, effects: new EffectLog(logFile) };
}

function moduleText(logFile: string): string {
  const root = new URL('../../../', import.meta.url);
  const importable = (path: string) => JSON.stringify(pathToFileURL(fileURLToPath(new URL(path, root))).href);
  return `
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineConfig, defineTool } from ${importable('dist/index.js')};
import { z } from ${importable('node_modules/zod/index.js')};

const logFile = ${JSON.stringify(logFile)};

function write(kind, tool, { runId, callId, idempotencyKey: key }) {
  appendFileSync(logFile, JSON.stringify({ kind, atMs: Date.now(), tool, runId, callId, key }) + '\\n');
}

function isFirst({ idempotencyKey }) {
  return readFileSync(logFile, 'utf8').split(idempotencyKey).length === 2;
}

const tools = ['read', 'idempotent', 'once'].map((effect) =>
  defineTool({
    name: effect + '_act',
    description: 'Acts.',
    effect,
    input: z.object({ ms: z.number().optional(), hold: z.boolean().optional() }),
    execute: async ({ ms = 0, hold = false }, context) => {
      write('begin', effect + '_act', context);
      await delay(hold && isFirst(context) ? 600_000 : ms, undefined, { signal: context.signal });
      write('end', effect + '_act', context);
      return 'acted: ' + context.callId;
    },
  }),
);

export default defineConfig({ tools });
`;
}
