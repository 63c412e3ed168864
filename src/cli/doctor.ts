import type { Command } from 'commander';
import type { Check } from './check.js';
import { addCommand, type CommonOptions } from './command.js';
import { writeJson, type CliContext } from './context.js';
import { EXIT, exitOfCode } from './exit.js';
import { indented } from './format.js';
import type { Style } from './style.js';

/** `doctor`: looks at everything that a run needs and says how to mend what is wrong. */
export function addDoctor(program: Command, context: CliContext): void {
  addCommand(program, 'doctor', 'check everything that a run needs, and say how to mend it').action(
    async ({ json }: CommonOptions) => {
      const checks: Check[] = [];
      for await (const check of context.examine()) {
        checks.push(check);
        if (!json) context.stdout.write(`${renderCheck(check, context.style).join('\n')}\n`);
      }
      context.exitCode = exitOfChecks(checks);
      if (json) writeJson(context, { ok: context.exitCode === EXIT.done, checks });
    },
  );
}

/** The exit code for the worst that was found: what is to be configured comes before what cannot be reached. */
export function exitOfChecks(checks: readonly Check[]): number {
  const codes = checks
    .filter(({ status }) => status === 'fail')
    .map(({ code }) => (code === undefined ? EXIT.failed : exitOfCode(code)));
  return [EXIT.usage, EXIT.unreachable, EXIT.failed].find((code) => codes.includes(code)) ?? EXIT.done;
}

/** A check as lines. */
export function renderCheck({ name, status, detail, mend }: Check, style: Style): string[] {
  const mark = { ok: style.green('ok  '), warn: style.yellow('warn'), fail: style.red('FAIL') }[status];
  return [
    `${mark}  ${style.bold(name.padEnd(18))} ${indented(detail, '').join(' ')}`,
    ...(mend === null ? [] : indented(mend, `      ${' '.repeat(19)}`)),
  ];
}
