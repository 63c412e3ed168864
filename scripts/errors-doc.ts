import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '../src/core/errors.js';
import { MODEL_FAULTS, REACTIONS, WAITS } from '../src/testing/model-faults.js';

const FILE = fileURLToPath(new URL('../docs/errors.md', import.meta.url));

/** `docs/errors.md`, from the tables of codes and of faults. */
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
    'is made again. This page is made from `src/core/errors.ts` and `src/testing/model-faults.ts` by `npm run docs`.',
    '',
    '| code | meaning | what to do | again |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...renderFaults(),
  ].join('\n');
}

function renderFaults(): string[] {
  const reactions = Object.entries(REACTIONS).map(([name, words]) => `- **${name}**: ${words}`);
  const waits = Object.entries(WAITS).map(([name, words]) => `- **${name}**: ${words}.`);
  const rows = MODEL_FAULTS.map(
    ({ id, what, becomes, reaction, wait }) =>
      `| \`${id}\` | ${what} | ${becomes === 'an answer' ? becomes : `\`${becomes}\``} | ${reaction} | ${wait} |`,
  );
  return [
    '## Faults of a model server',
    '',
    'Whatever a model server does wrong becomes one of the codes above, or an answer that the run can go on with. Tests act each row of this table',
    'out against the real adapter. What a run does then:',
    '',
    ...reactions,
    '',
    'How long it waits before the next attempt:',
    '',
    ...waits,
    '',
    '| fault | what the server does | becomes | the run | wait |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, renderErrorsDoc());
