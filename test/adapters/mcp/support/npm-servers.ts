import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import type { McpServer } from '../../../../src/adapters/tools/define-config.js';
import { listen } from './listen.js';
import { stream } from './stream.js';

const program = (manifest: string) => join(dirname(manifest), 'dist/index.js');
const EVERYTHING = program(require.resolve('@modelcontextprotocol/server-everything/package.json'));
const FILESYSTEM = program(require.resolve('@modelcontextprotocol/server-filesystem/package.json'));

/**
 * The everything server as a program to start.
 * @param mark stands among its arguments, so that its process can be found
 */
export function everything(mark?: string): McpServer {
  return {
    command: process.execPath,
    args: [EVERYTHING, 'stdio', ...(mark === undefined ? [] : [mark])],
  };
}

/** The filesystem server as a program to start, for a directory. */
export function filesystem(directory: string): McpServer {
  return { command: process.execPath, args: [FILESYSTEM, directory] };
}

/** The everything server over HTTP, started, and what ends it. */
export async function everythingOverHttp(): Promise<{ server: McpServer; stop: () => Promise<unknown> }> {
  // The server cannot be told to take a free port, so one is looked for first.
  const probe = await listen(createServer());
  await probe.close();
  const { port } = new URL(probe.url);
  const child = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], {
    env: { ...process.env, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const lines = stream<string>();
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => lines.push(String(chunk)));
  await lines.next((line) => line.includes(port));
  return {
    server: { url: `http://127.0.0.1:${port}/mcp` },
    stop: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}
