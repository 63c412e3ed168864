import { z } from 'zod';
import { createSharedCheck } from '../../../src/adapters/tools/shared-check.js';

it('finds nothing wrong where there is no schema', () => {
  expect(createSharedCheck(undefined)({ any: ['thing'] })).toBeNull();
});

it('says what does not fit the schema, and where', () => {
  const check = createSharedCheck(z.object({ city: z.string(), seats: z.int().optional() }));
  expect(check({ city: 'Oslo', more: 1 })).toBeNull();
  expect(check({ seats: 1.5 })).toMatch(/city: .*; seats: /);
});

it('takes a schema that cannot be applied for one that nothing fits', () => {
  expect(createSharedCheck(z.object({}).refine(async () => true))({})).toMatch(/could not be checked/);
});
