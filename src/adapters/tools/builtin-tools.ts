import type { Tool } from '../../ports/tools.js';
import { askHumanTool } from './builtin/ask-human.js';
import { delegateTool } from './builtin/delegate.js';
import { editFileTool } from './builtin/edit-file.js';
import { listFilesTool } from './builtin/list-files.js';
import { readArtifactTool } from './builtin/read-artifact.js';
import { readFileTool } from './builtin/read-file.js';
import { searchFilesTool } from './builtin/search-files.js';
import { shellTool } from './builtin/shell.js';
import { waitTool } from './builtin/wait.js';
import { webFetchTool } from './builtin/web-fetch.js';
import { writeFileTool } from './builtin/write-file.js';
import { PRIVATE_NETWORK, PUBLIC_INTERNET } from './safe-fetch.js';
import { openSandbox, openUnconfined } from './sandbox.js';
import { openWorkspace, type Workspace } from './workspace.js';

/**
 * The tools that every worker has.
 * @param options.workspace directory that the file tools may touch
 * @param options.dataDir closed to the tools when it lies in the workspace; need not exist yet
 * @param options.allowPrivate lets `web_fetch` reach private addresses and any port: for tests only. @defaultValue false
 * @param options.shell adds `shell`: where commands are confined, or where they are not. @defaultValue `'off'`
 * @throws AgentError `CONFIG_INVALID` when the workspace is no directory, or commands cannot be confined on this machine
 */
export function createBuiltinTools(options: {
  workspace: string;
  dataDir: string;
  allowPrivate?: boolean;
  shell?: 'off' | 'sandboxed' | 'unconfined';
}): Tool[] {
  const workspace = openWorkspace({ root: options.workspace, dataDir: options.dataDir });
  return [
    listFilesTool(workspace),
    readFileTool(workspace),
    searchFilesTool(workspace),
    writeFileTool(workspace),
    editFileTool(workspace),
    webFetchTool(options.allowPrivate ? PRIVATE_NETWORK : PUBLIC_INTERNET),
    waitTool(),
    askHumanTool(),
    delegateTool(),
    readArtifactTool(),
    ...shellTools(workspace, options.shell ?? 'off'),
  ];
}

function shellTools(workspace: Workspace, shell: 'off' | 'sandboxed' | 'unconfined'): Tool[] {
  if (shell === 'off') return [];
  return [shellTool(shell === 'sandboxed' ? openSandbox({ workspace }) : openUnconfined({ workspace }))];
}
