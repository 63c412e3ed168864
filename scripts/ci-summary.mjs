/**
 * Prints what failed in a run of `.ci/run`, then the closing line "N passed, N failed", and exits 1 when anything failed.
 *
 * Usage: node scripts/ci-summary.mjs JEST_RESULT_FILE [FAILED_CHECK...]
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [resultFile, ...failedChecks] = process.argv.slice(2);
const result = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : null;
const failedTests = (result?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
  const file = relative('.', name);
  const failed = assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => `${file} › ${test.fullName}`);
  // A file that could not be loaded, or whose set-up failed, has no failed test of its own.
  return failed.length === 0 && status === 'failed' ? [`${file}: ${message.split('\n')[0]}`] : failed;
});
// A check that stands for the failed tests is not counted twice.
const otherChecks = failedTests.length > 0 ? failedChecks.filter((name) => name !== 'tests') : failedChecks;
const nothingRan = result === null && otherChecks.length === 0 ? ['tests: no test ran'] : [];
const failures = [...otherChecks, ...failedTests, ...nothingRan];

console.log('');
for (const failure of failures) console.log(`FAILED ${failure}`);
if (result?.numPendingTests > 0)
  console.log(`${result.numPendingTests} tests were left out because of what this machine lacks`);
console.log(`${result?.numPassedTests ?? 0} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
