import { z } from 'zod';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import { createToolRegistry } from '../../../src/adapters/tools/registry.js';

const tool = (name: string) =>
  defineTool({ name, description: name, input: z.object({}), execute: () => name });

test('gives tools by name, and names sorted whatever the order they came in', () => {
  const zebra = tool('zebra');
  const registry = createToolRegistry([zebra, tool('apple')], [tool('mango')]);

  expect(registry.names()).toEqual(['apple', 'mango', 'zebra']);
  expect(registry.get('zebra')).toBe(zebra);
  expect(registry.get('toString')).toBeUndefined();
});

test('does not change when a caller changes the list of names it was given', () => {
  const registry = createToolRegistry([tool('a')]);

  registry.names().push('b');

  expect(registry.names()).toEqual(['a']);
});

test.each([
  [
    [tool('a'), tool('b'), tool('a')],
    [],
    'tools[0] of the configuration and tools[2] of the configuration are both called "a"',
  ],
  [
    [tool('wait')],
    [tool('wait')],
    'a built-in tool and tools[0] of the configuration are both called "wait"',
  ],
])('refuses two tools of one name, naming both', (own, builtins, words) => {
  expect(() => createToolRegistry(own, builtins)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
  );
});
