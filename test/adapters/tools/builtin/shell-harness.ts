import { shellTool } from '../../../../src/adapters/tools/builtin/shell.js';
import {
  openSandbox,
  openUnconfined,
  type CommandLimits,
  type CommandPlace,
} from '../../../../src/adapters/tools/sandbox.js';
import { openWorkspace, type Workspace } from '../../../../src/adapters/tools/workspace.js';
import type { ToolContext } from '../../../../src/ports/tools.js';
import { pidsNamed } from '../../../support/processes.js';
import { runTool, toolContext } from '../tool-harness.js';

/** A workspace whose data directory is `.longhaul` in it. */
export function workspaceAt(root: string): Workspace {
  return openWorkspace({ root, dataDir: `${root}/.longhaul` });
}

export function sandboxAt(root: string, limits: Partial<CommandLimits> = {}): CommandPlace {
  return openSandbox({ workspace: workspaceAt(root), limits });
}

export function unconfinedAt(root: string, limits: Partial<CommandLimits> = {}): CommandPlace {
  return openUnconfined({ workspace: workspaceAt(root), limits });
}

/** Runs a command as a worker does. */
export async function shell(
  place: CommandPlace,
  command: string,
  options: { timeoutMs?: number; context?: Partial<ToolContext> } = {},
): Promise<string> {
  const { timeoutMs = 20_000, context = {} } = options;
  return String(await runTool(shellTool(place), { command, timeoutMs }, toolContext(context)));
}

/** What a command printed. */
export async function printed(place: CommandPlace, command: string): Promise<string> {
  const text = await shell(place, command);
  return text.slice(text.indexOf('\n\n') + 2);
}

/** How many processes run with this word among their arguments. */
export function processesNamed(word: string): number {
  return pidsNamed(word).length;
}
