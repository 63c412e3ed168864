const { TestEnvironment } = require('jest-environment-node');

/** Skips what comes after the first failure: a mutant dies once. Jest's own `bail` ends no test file before its time. */
module.exports = class BailingEnvironment extends TestEnvironment {
  #hasFailed = false;

  handleTestEvent({ name, test }) {
    if (name === 'test_fn_failure') this.#hasFailed = true;
    if (name === 'test_start' && this.#hasFailed) test.mode = 'skip';
  }
};
