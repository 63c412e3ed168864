import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

// What a mutant meets must not depend on chance, and nobody reads the smallest example that kills it.
fc.configureGlobal({ seed: 1, endOnFailure: true });

// All examples of the core as one suite: loading thirty of them for each mutant would take longer than running them.
const CORE = join(__dirname, '../core');
for (const name of readdirSync(CORE, { encoding: 'utf8', recursive: true }))
  if (name.endsWith('.test.ts') && !name.endsWith('.property.test.ts')) require(join(CORE, name));
