import { renderErrorsDoc } from '../../scripts/errors-doc.js';
import { ERROR_CODES } from '../../src/core/errors.js';
import { read } from '../architecture/support/project.js';

describe('docs/errors.md', () => {
  it('says what the table of codes says', () => {
    expect(read('docs/errors.md')).toBe(renderErrorsDoc());
  });

  it('has one row for each code', () => {
    const codes = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]);
    expect(codes).toEqual(Object.keys(ERROR_CODES));
  });
});
