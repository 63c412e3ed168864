import type { Tool } from '../../ports/tools.js';
import { askHumanTool } from './builtin/ask-human.js';
import { editFileTool } from './builtin/edit-file.js';
import { listFilesTool } from './builtin/list-files.js';
import { readArtifactTool } from './builtin/read-artifact.js';
import { readFileTool } from './builtin/read-file.js';
import { searchFilesTool } from './builtin/search-files.js';
import { waitTool } from './builtin/wait.js';
import { webFetchTool } from './builtin/web-fetch.js';
import { writeFileTool } from './builtin/write-file.js';
import { PRIVATE_NETWORK, PUBLIC_INTERNET } from './safe-fetch.js';
import { openWorkspace } from './workspace.js';

/**
 * The tools that every worker has.
 * @param options.workspace directory that the file tools may touch
 * @param options.dataDir closed to the tools when it lies in the workspace; need not exist yet
 * @param options.allowPrivate lets `web_fetch` reach private addresses and any port: for tests only. @defaultValue false
 * @throws AgentError `CONFIG_INVALID` when the workspace is no directory
 */
export function createBuiltinTools(options: {
  workspace: string;
  dataDir: string;
  allowPrivate?: boolean;
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
    readArtifactTool(),
  ];
}
