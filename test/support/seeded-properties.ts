import fc from 'fast-check';

const seed = process.env['LONGHAUL_PROPERTY_SEED'];

/**
 * The same cases in every run, so that a failure is one of the commit and not of the dice.
 * `LONGHAUL_PROPERTY_SEED=random` (with more `LONGHAUL_PROPERTY_RUNS`) hunts for new ones.
 */
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  seed: seed === 'random' ? Date.now() & 0x7fffffff : Number(seed ?? 1),
});
