import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withFileLock } from '../../src/adapters/temporal/file-lock.js';
import { toExit } from '../../src/cli/exit.js';
import { parsePort } from '../../src/cli/parse-values.js';
import { AgentError } from '../../src/core/errors.js';
import { prepareDemo, shownPath, type DemoOptions } from './demo-environment.js';
import { runSession } from './session.js';

const HELP = `npm run demo -- [options]

An agent audits the dependencies of this clone: on an embedded Temporal server, with a worker of its own, asking for one decision.
A reviewer reads its answer before it counts. With OPENROUTER_API_KEY it runs on OpenRouter, without it on a stand-in model server.
Started again after it was interrupted or killed, it carries its run on. With TEMPORAL_ADDRESS it uses that Temporal server instead
of an embedded one.

  --fast           no pauses between the words of the stand-in model
  --port N         port of the Temporal server (default: 7233 when free, else any)
  --ui-port N      port of Temporal's Web UI (default: 8233 when free, else any)
  --help           shows this
`;

/**
 * Runs the demo and returns its exit code.
 * @param options.root the clone. @param options.args the command line behind the name of the script.
 */
export async function demo({ args, root }: { args: string[]; root: string }): Promise<number> {
  try {
    const options = readOptions(args);
    if (options === null) {
      process.stdout.write(HELP);
      return 0;
    }
    const plan = prepareDemo(process.env, { root, ...options });
    await mkdir(plan.dir, { recursive: true });
    const tellWaiting = () =>
      console.log(`Another demo is running with ${shownPath(root, plan.dir)}. Waiting for it to end.`);
    return await withFileLock(join(plan.dir, 'lock'), tellWaiting, () => runSession(plan));
  } catch (error) {
    return toExit(error, { json: false });
  }
}

function readOptions(args: string[]): DemoOptions | null {
  try {
    const { values } = parseArgs({
      args,
      options: {
        fast: { type: 'boolean' },
        port: { type: 'string' },
        'ui-port': { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return null;
    const portOf = (text: string | undefined) => (text === undefined ? null : parsePort(text));
    return { isFast: values.fast ?? false, port: portOf(values.port), uiPort: portOf(values['ui-port']) };
  } catch (error) {
    throw new AgentError(
      'INPUT_INVALID',
      `${error instanceof Error ? error.message : String(error)} See: npm run demo -- --help`,
    );
  }
}
