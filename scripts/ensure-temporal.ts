import { findTemporalBinary } from '../src/adapters/temporal/find-temporal.js';
import { isAgentError } from '../src/core/errors.js';

// Before the tests, so that a first build (minutes) is seen and does not eat into the time-out of a test.
try {
  const { path, version } = await findTemporalBinary({
    env: process.env,
    onProgress: (line) => console.error(line),
  });
  console.error(`Temporal CLI ${version}: ${path}`);
} catch (error) {
  if (!isAgentError(error)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
}
