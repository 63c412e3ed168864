import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** One line that a tool wrote; it was on disk before the tool went on. */
export interface Deed {
  /** `effect` is what must not happen twice; `begin` and `end` are before and after it, `held` is while it waits, `asked` is a `verify`. */
  kind: 'begin' | 'held' | 'called off' | 'effect' | 'end' | 'asked';
  atMs: number;
  pid: number;
  tool: string;
  runId: string;
  callId: string;
  /** The idempotency key. */
  key: string;
  /** Id of the activity; one for each time that a call was started. */
  work: string;
  attempt: number;
  /** The argument of the same name. */
  what: string;
}

/** What the tools of worker processes did, in order. A process that is killed takes nothing back. */
export class DeedLog {
  constructor(private readonly file: string) {}

  all(): Deed[] {
    // Lines are appended whole, by our own tools.
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Deed);
  }

  of(runId: string, kind?: Deed['kind']): Deed[] {
    return this.all().filter((deed) => deed.runId === runId && (!kind || deed.kind === kind));
  }

  /** Waits for a deed. */
  async until(fits: (deed: Deed) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!this.all().some(fits)) return;
        watcher.close();
        resolve();
      };
      const watcher = watch(this.file, { persistent: false }, look);
      look();
    });
  }
}

/** Tools that tell what they do, and where they are to stop in it. */
export interface KillTools {
  /** For workers that shall have them. */
  env: Record<string, string>;
  deeds: DeedLog;
}

/**
 * Writes a configuration module with a tool for each effect and each way to deal with an unknown outcome: `read`, `idempotent`,
 * `once_ask`, `once_verify` (says truly what it did), `once_unsure` (cannot say), `once_tell`, `once_land`, and `once_gated`, which needs a
 * decision. They take `what`, write it down, wait `ms`, and the first time they hold at `hold` (before or after the effect, or in `verify`), and
 * lose the line to what they act on at `lose`.
 */
export function writeKillTools(dir: string): KillTools {
  const configFile = join(dir, 'kill.config.mjs');
  const logFile = join(dir, 'deeds.ndjson');
  writeFileSync(logFile, '');
  writeFileSync(configFile, moduleText(logFile));
  return {
    env: { LONGHAUL_CONFIG: configFile },
    deeds: new DeedLog(logFile),
  };
}

function moduleText(logFile: string): string {
  const root = new URL('../../../', import.meta.url);
  const importable = (path: string) => JSON.stringify(pathToFileURL(fileURLToPath(new URL(path, root))).href);
  return `
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import activity from ${importable('node_modules/@temporalio/activity/lib/index.js')};
import { AgentError, defineConfig, defineTool } from ${importable('dist/index.js')};
import { z } from ${importable('node_modules/zod/index.js')};

const logFile = ${JSON.stringify(logFile)};

function write(kind, tool, what, { runId, callId, idempotencyKey: key }) {
  const { activityId: work, attempt } = activity.Context.current().info;
  const file = openSync(logFile, 'a');
  writeSync(file, JSON.stringify({ kind, atMs: Date.now(), pid: process.pid, tool, runId, callId, key, work, attempt, what }) + '\\n');
  fsyncSync(file);
  closeSync(file);
}

function count(kind, { idempotencyKey }) {
  const lines = readFileSync(logFile, 'utf8').split('\\n').filter((line) => line.includes(idempotencyKey));
  return lines.filter((line) => JSON.parse(line).kind === kind).length;
}

/** Until its worker is killed, or the call is called off. */
const held = ({ signal }) => delay(600_000, undefined, { signal });

const lost = new AgentError('TOOL_OUTCOME_UNKNOWN', 'The line broke.');

function tool(name, options) {
  return defineTool({
    name,
    description: 'Acts.',
    approval: 'never',
    input: z.object({ what: z.string(), ms: z.number().optional(), hold: z.enum(['before', 'after', 'asked']).optional(), lose: z.enum(['before', 'after']).optional() }),
    execute: async ({ what, ms = 0, hold, lose }, context) => {
      write('begin', name, what, context);
      const isFirst = count('begin', context) === 1;
      try {
        if (hold === 'before' && isFirst) {
          write('held', name, what, context);
          await held(context);
        }
        if (ms > 0) await delay(ms, undefined, { signal: context.signal });
      } catch (error) {
        write('called off', name, what, context);
        throw error;
      }
      if (lose === 'before' && isFirst) throw lost;
      write('effect', name, what, context);
      if (lose === 'after' && isFirst) throw lost;
      if (hold === 'after' && isFirst) await held(context);
      if (ms > 0) await delay(ms, undefined, { signal: context.signal });
      write('end', name, what, context);
      return 'did ' + what;
    },
    ...options,
  });
}

async function verify({ what, hold }, context) {
  const isFirst = count('asked', context) === 0;
  write('asked', 'verify', what, context);
  if (hold === 'asked' && isFirst) await held(context);
  return count('effect', context) > 0 ? 'executed' : 'not_executed';
}

export default defineConfig({
  tools: [
    tool('read', { effect: 'read' }),
    tool('idempotent', { effect: 'idempotent' }),
    tool('once_ask', {}),
    tool('once_verify', { verify }),
    tool('once_unsure', { verify: () => 'unknown' }),
    tool('once_tell', { onUnknown: 'tell_model' }),
    tool('once_land', { onUnknown: 'land' }),
    tool('once_gated', { approval: 'always' }),
  ],
});
`;
}
