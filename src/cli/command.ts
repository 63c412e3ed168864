import type { Command } from 'commander';
import { AgentError } from '../core/errors.js';

/** Options that every command has. */
export interface CommonOptions {
  json?: boolean;
}

/** Begins a command. `usage` is its name and arguments, as commander takes them. */
export function addCommand(program: Command, usage: string, summary: string): Command {
  return program
    .command(usage)
    .description(summary)
    .option('--json', 'print JSON and nothing else on stdout');
}

/** @throws AgentError `INPUT_INVALID` when a flag is used whose feature is not there yet. */
export function refuseLater(options: object, flags: Readonly<Record<string, string>>): void {
  for (const [name, flag] of Object.entries(flags)) {
    if (Reflect.get(options, name) === undefined) continue;
    throw new AgentError('INPUT_INVALID', `${flag} is not available in this version: leave it out.`);
  }
}

/** The properties that are there: commander gives `undefined` for flags that were not used. */
export function given<T extends object>(values: { [Key in keyof T]: T[Key] | undefined }): T {
  // Only properties with a value are left.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
