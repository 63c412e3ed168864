import fc from 'fast-check';
import { Simulator } from './support/simulator.js';
it('counts', () => {
  const count: Record<string, number> = {};
  const number = fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff }));
  const arb = fc.record({ setup: number, moves: fc.array(number, { minLength: 200, maxLength: 400, size: 'max' }), ending: number });
  const lives = fc.sample(arb, { numRuns: 60 }).map((s) => new Simulator(s, {isLong: true}).finish(s.ending));
  for (const { shell } of lives) {
    const seen = new Set<string>();
    for (const e of shell.events) {
      if (e.type === 'compacted') seen.add(`compacted ${e.by}`);
      if (e.type === 'loop_detected') seen.add(`loop ${e.rung}`);
      if (e.type === 'fallback_used') seen.add(`fallback ${e.code === 'LOOP'}`);
      if (e.type === 'fallback_ended') seen.add(e.type);
      if (e.type === 'model_failed' && e.code === 'MODEL_CONTEXT_LENGTH') seen.add(e.code);
      if (e.type === 'landing_started') seen.add(`landing ${e.limit}`);
      if (e.type === 'decision_requested' && e.reason === 'loop') seen.add('asked loop');
    }
    seen.add(shell.state.result?.outcome ?? 'open');
    seen.add(`steps ${Math.floor(shell.state.step/10)*10}`);
    if (shell.state.compaction.count > 3) seen.add('compactions>3');
    if (shell.state.compaction.count > 10) seen.add('compactions>10');
    if (shell.starts.some(({work, state})=> work.kind==='model' && work.input.purpose==='compaction' && state.draw)) seen.add('compaction draw');
    for (const s of seen) count[s] = (count[s] ?? 0) + 1;
  }
  console.log(count);
});
