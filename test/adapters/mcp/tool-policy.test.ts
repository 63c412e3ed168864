import { policyOf } from '../../../src/adapters/mcp/tool-policy.js';

const trust = { trustAnnotations: true };

test.each([
  ['nothing is said', {}, trust, 'once', true],
  ['it only reads', { readOnlyHint: true }, trust, 'read', false],
  ['it may be repeated and may destroy', { idempotentHint: true }, trust, 'idempotent', true],
  [
    'it may be repeated and destroys nothing',
    { idempotentHint: true, destructiveHint: false },
    trust,
    'idempotent',
    false,
  ],
  ['it destroys nothing', { destructiveHint: false }, trust, 'once', true],
  ['it only reads, but is not trusted', { readOnlyHint: true }, {}, 'once', true],
  ['the user says read', {}, { effects: { t: 'read' } }, 'read', false],
  ['the user says once', { readOnlyHint: true }, { ...trust, effects: { t: 'once' } }, 'once', true],
  ['the user speaks of another tool', {}, { effects: { other: 'read' } }, 'once', true],
  ['the user lets all calls run', {}, { approval: 'never' }, 'once', false],
  ['the user gates all calls', { readOnlyHint: true }, { ...trust, approval: 'always' }, 'read', true],
] as const)('when %s', (_, annotations, options, effect, isGated) => {
  expect(policyOf({ name: 't', annotations }, options)).toEqual({ effect, isGated });
});

test('takes no word of a prototype for one of the user', () => {
  expect(policyOf({ name: 'constructor' }, { effects: {} })).toEqual({ effect: 'once', isGated: true });
});
