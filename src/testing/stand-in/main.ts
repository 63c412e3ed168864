import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { echoScript } from './script.js';
import { startStandIn, type StandInOptions } from './stand-in.js';

/**
 * The stand-in as a process of its own, for tests that kill the others:
 * `main.js [--port N] [--latency-ms N] [--script FILE]`. The file exports `script`, and may export `models`, `faults` and `rateLimit`.
 * Prints one line `{"ready":true,"url":…}`; ends at SIGINT or SIGTERM.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      'latency-ms': { type: 'string', default: '0' },
      script: { type: 'string' },
    },
  });
  // What a script file exports is its author's word; a wrong shape fails with the first request.
  const scripted =
    values.script === undefined
      ? {}
      : ((await import(pathToFileURL(resolve(values.script)).href)) as Partial<StandInOptions>);
  const { script = echoScript, models, faults, rateLimit } = scripted;
  const server = await startStandIn({
    script,
    port: Number(values.port),
    latencyMs: Number(values['latency-ms']),
    ...(models === undefined ? {} : { models }),
    ...(faults === undefined ? {} : { faults }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
  });
  process.stdout.write(`${JSON.stringify({ ready: true, url: server.url })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
}

await main();
