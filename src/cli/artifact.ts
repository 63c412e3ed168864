import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { AgentError } from '../core/errors.js';
import { addCommand, type CommonOptions } from './command.js';
import { writeJson, type CliContext } from './context.js';
import { printable } from './format.js';

interface ArtifactFlags extends CommonOptions {
  out?: string;
}

/** `artifact ID`: what a tool has kept in full, out of the blob store; no server is needed. */
export function addArtifact(program: Command, context: CliContext): void {
  addCommand(program, 'artifact <id>', 'print a text that a tool has kept, as show names it')
    .option('-o, --out <file>', 'write it to a file, byte for byte')
    .action((id: string, flags: ArtifactFlags) => readArtifact(context, id, flags));
}

async function readArtifact(context: CliContext, id: string, { out, json }: ArtifactFlags): Promise<void> {
  const { stdout } = context;
  const bytes = await context.readArtifact(id);
  if (bytes === null)
    throw new AgentError(
      'INPUT_INVALID',
      `No artifact ${id} is kept here. Where the worker keeps them, LONGHAUL_BLOB_URL and LONGHAUL_DATA_DIR say; set them alike.`,
    );
  if (out !== undefined) writeOut(out, bytes);
  const text = () => Buffer.from(bytes).toString('utf8');
  const sizeBytes = bytes.byteLength;
  if (json) writeJson(context, { id, sizeBytes, ...(out === undefined ? { text: text() } : { file: out }) });
  else if (out !== undefined) context.stderr.write(`${id} written to ${out}\n`);
  else if (stdout.isTTY) stdout.write(`${printable(text()).trimEnd()}\n`);
  else stdout.write(bytes);
}

function writeOut(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new AgentError(
      'INPUT_INVALID',
      `The file ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
