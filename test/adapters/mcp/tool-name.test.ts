import fc from 'fast-check';
import { modelToolName } from '../../../src/adapters/mcp/tool-name.js';

const serverName = fc.stringMatching(/^[a-zA-Z0-9_-]{1,32}$/);

test('leaves names as they are that a model can say', () => {
  expect(modelToolName('docs', 'find-page_2')).toBe('docs__find-page_2');
  expect(modelToolName('docs', 'x'.repeat(58))).toBe(`docs__${'x'.repeat(58)}`);
});

test('keeps names apart that are cut or written otherwise', () => {
  const names = ['a.b', 'a/b', 'a_b', `${'x'.repeat(80)}1`, `${'x'.repeat(80)}2`].map((tool) =>
    modelToolName('docs', tool),
  );

  expect(new Set(names).size).toBe(5);
  expect(names[0]).toMatch(/^docs__a_b_[0-9a-f]{8}$/);
});

test('makes a name of any name', () => {
  fc.assert(
    fc.property(serverName, fc.string({ unit: 'binary', maxLength: 200 }), (server, tool) => {
      expect(modelToolName(server, tool)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    }),
  );
});
