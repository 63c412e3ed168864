#!/usr/bin/env node
import { createRequire } from 'node:module';
import { homedir, userInfo } from 'node:os';
import { AgentClient } from './agent-client.js';
import { createFileBlobs } from './adapters/blobs/file-blobs.js';
import { checkRunInput } from './adapters/run-input.js';
import { generateApproverKey } from './adapters/signing/ed25519.js';
import { signStatement } from './adapters/signing/sign-statement.js';
import { findTemporal } from './adapters/temporal/dev-file.js';
import { temporalTarget } from './adapters/temporal/connect.js';
import type { CliContext } from './cli/context.js';
import { runCli } from './cli/run-cli.js';
import { createStyle } from './cli/style.js';
import { loadConfig } from './config.js';

// The composition root of the CLI. What only some commands need is loaded by them: a worker takes a second to load.

function createContext(): CliContext {
  const { stdin, stdout, stderr } = process;
  return {
    stdin,
    stdout,
    stderr,
    exitCode: 0,
    // Node's word on colours heeds NO_COLOR and TERM.
    style: createStyle(Boolean(stdout.isTTY && stdout.hasColors())),
    userName: userName(),
    homeDir: homedir(),
    signing: { generateKey: generateApproverKey, sign: signStatement },
    async connect() {
      const config = loadConfig();
      return AgentClient.connect({ config, address: findTemporal(config.dataDir).address });
    },
    async readArtifact(id) {
      return createFileBlobs(loadConfig().blobs.dir).get(id);
    },
    checkInput: checkRunInput,
    webUiUrl(runId, temporalRunId) {
      const { uiUrl } = findTemporal(loadConfig().dataDir);
      return uiUrl === null
        ? null
        : `${uiUrl}/namespaces/${temporalTarget().namespace}/workflows/${encodeURIComponent(runId)}/${temporalRunId}`;
    },
    async runWorker(options) {
      const config = loadConfig();
      const { loadConfigModule } = await import('./adapters/config-module.js');
      const { runWorker } = await import('./worker/run-worker.js');
      const module = await loadConfigModule({ cwd: process.cwd(), path: config.configPath });
      await runWorker({ config, module, address: findTemporal(config.dataDir).address }, options);
    },
    async prepareDev(options) {
      const { prepareDev } = await import('./worker/prepare-dev.js');
      return prepareDev(loadConfig(), options);
    },
    async chat(request, options) {
      const config = loadConfig();
      const { createChat } = await import('./chat.js');
      return createChat(config)({ model: config.model, ...request }, options);
    },
    async *examine() {
      const { examine } = await import('./worker/examine.js');
      yield* examine();
    },
  };
}

/** There may be no entry for the user, as in a container that runs under a number. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function version(): string {
  const manifest: { version: string } = createRequire(import.meta.url)('../package.json');
  return manifest.version;
}

// A terminal that was closed takes no more words; what is to be ended is still ended in order.
process.stderr.on('error', () => undefined);
// Whoever reads only the beginning, as `head` does, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
void runCli(process.argv.slice(2), createContext(), version()).then((code) => {
  process.exitCode = code;
});
