import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '../src/core/errors.js';

const FILE = fileURLToPath(new URL('../docs/errors.md', import.meta.url));

/** `docs/errors.md`, from the table of codes. */
export function renderErrorsDoc(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { meaning, hint, retryable }]) =>
      `| \`${code}\` | ${meaning} | ${hint} | ${retryable ? 'yes' : 'no'} |`,
  );
  return [
    '# Error codes',
    '',
    'Every error that longhaul reports has one of these codes, in the library as `error.code` of an `AgentError`, on the command line with',
    '`--json` as `error.code`. Codes are stable; messages are for people and may change. "Again" says whether the same call may succeed when it',
    'is made again. This page is made from `src/core/errors.ts` by `npm run docs`.',
    '',
    '| code | meaning | what to do | again |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, renderErrorsDoc());
