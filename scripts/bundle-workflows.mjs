/** Bundles the workflows once, at build time, so that a worker starts in one second instead of three. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const path = (relative) => fileURLToPath(new URL(`../dist/${relative}`, import.meta.url));
const silent = () => undefined;
const logger = {
  trace: silent,
  debug: silent,
  info: silent,
  warn: console.warn,
  error: console.error,
  log: silent,
};

const { code } = await bundleWorkflowCode({ workflowsPath: path('workflows/index.js'), logger });
await writeFile(path('workflow-bundle.js'), code);
