import { resolve } from 'node:path';
import type { Command } from 'commander';
import { addCommand, type CommonOptions } from './command.js';
import { writeJson, type CliContext } from './context.js';
import { defaultKeyFile, writeKeyFile } from './key-file.js';

interface KeysFlags extends CommonOptions {
  out?: string;
  name?: string;
}

/** `keys`: makes the keys of an approver; what goes to stdout is public, and names whom a run listens to. */
export function addKeys(program: Command, context: CliContext): void {
  addCommand(program, 'keys', 'make a pair of keys to sign decisions with, and print the public one')
    .option('-o, --out <file>', 'where the private key goes (default: ~/.config/longhaul/approver.pem)')
    .option('--name <name>', 'whom decisions name; the key itself when left out')
    .action((flags: KeysFlags) => makeKeys(context, flags));
}

function makeKeys(context: CliContext, { out, name, json }: KeysFlags): void {
  const { approver, privateKeyPem } = context.signing.generateKey(name);
  const keyFile = out === undefined ? defaultKeyFile(context.homeDir) : resolve(out);
  writeKeyFile(keyFile, privateKeyPem, { makeDir: out === undefined });
  if (json) return writeJson(context, { approver, keyFile });
  context.stdout.write(`${approver}\n`);
  context.stderr.write(
    [
      `The private key is in ${keyFile}. Keep it secret, and out of reach of the agent's tools.`,
      'The line above is public. Runs that name it take decisions signed with this key only:',
      `  longhaul start "GOAL" --approver "${approver}"`,
      `  longhaul approve RUN --sign ${keyFile}`,
      '',
    ].join('\n'),
  );
}
