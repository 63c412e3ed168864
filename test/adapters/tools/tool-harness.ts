import { createHash } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonValue } from '../../../src/core/json.js';
import type { ArtifactPort, Tool, ToolContext } from '../../../src/ports/tools.js';

/** Makes a directory that is gone after the test. */
export function temporaryDirectories(): () => Promise<string> {
  const made: string[] = [];
  afterEach(async () => {
    for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
  });
  return async () => {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-tools-')));
    made.push(directory);
    return directory;
  };
}

/** Artifacts in memory. */
export function memoryArtifacts(): ArtifactPort {
  const texts = new Map<string, string>();
  return {
    put: async (text) => {
      const id = `sha256-${createHash('sha256').update(text).digest('hex')}`;
      texts.set(id, text);
      return { id, sizeBytes: Buffer.byteLength(text) };
    },
    read: async (id, { offset, length }) => {
      const text = texts.get(id);
      return text === undefined
        ? null
        : { text: text.slice(offset, offset + length), totalChars: text.length };
    },
  };
}

/** What a tool gets beside its arguments. */
export function toolContext(parts: Partial<ToolContext> = {}): ToolContext {
  return {
    idempotencyKey: 'key',
    signal: new AbortController().signal,
    progress: () => undefined,
    runId: 'run',
    callId: 's0.c0',
    shared: {},
    workspace: '/',
    artifacts: memoryArtifacts(),
    ...parts,
  };
}

/** Runs a tool as a worker does: arguments are parsed first. */
export async function runTool(tool: Tool, args: JsonValue, context = toolContext()): Promise<unknown> {
  return tool.execute(parsed(tool, args), context);
}

/** Whether a human is asked about this call. */
export async function asksFor(tool: Tool, args: JsonValue): Promise<boolean> {
  return tool.needsApproval(parsed(tool, args), { runId: 'run', callId: 's0.c0', tainted: false });
}

function parsed(tool: Tool, args: JsonValue): unknown {
  const result = tool.parse(args);
  if (!result.ok) throw new Error(`arguments do not fit: ${result.message}`);
  return result.value;
}
