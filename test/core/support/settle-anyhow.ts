import type { Dice } from './dice.js';
import { someCostReport, someDraw } from './model-world.js';
import type { Fact, Shell, StartedWork } from './shell.js';
import { someArgsCheck, someToolOutcome, someVerification } from './tool-world.js';

type Simple = 'tool' | 'check' | 'reconcile' | 'draw' | 'verify';

/** Settles work whose end depends on nothing that was before, as the dice fall; a tool of a calm world works. */
export function settleAnyhow(
  shell: Shell,
  work: Extract<StartedWork, { kind: Simple }>,
  { dice, isCalm }: { dice: Dice; isCalm: boolean },
): Fact {
  const { key } = work;
  switch (work.kind) {
    case 'tool':
      return shell.settlementOf(
        key,
        'tool',
        isCalm ? { kind: 'ok', value: { content: 'ok' } } : someToolOutcome(dice),
      );
    case 'check':
      return shell.settlementOf(key, 'check', someArgsCheck(dice));
    case 'reconcile': {
      const asked = shell.state.ledger.charges.filter(({ generationId = '' }) =>
        work.input.generationIds.includes(generationId),
      );
      return shell.settlementOf(key, 'reconcile', someCostReport(dice, asked));
    }
    case 'draw':
      return shell.settlementOf(key, 'draw', someDraw(dice, work.input));
    case 'verify':
      return shell.settlementOf(key, 'verify', someVerification(dice));
  }
}
