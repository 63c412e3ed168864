import { WARN_AT } from '../behaviour.js';
import { append, emit, patch, type Draft } from '../draft.js';
import { limitUses } from './limits.js';

/** Tells model and watchers once of each ceiling that is nearly reached; again when it was raised in between. */
export function warnOfLimits(draft: Draft): void {
  const near = limitUses(draft.state, draft.atMs).filter(({ used, ceiling }) => used >= ceiling * WARN_AT);
  const fresh = near.filter(({ name }) => !draft.state.warned.includes(name));
  const warned = near.map(({ name }) => name);
  if (warned.length !== draft.state.warned.length || fresh.length > 0) patch(draft, { warned });
  if (fresh.length === 0) return;
  for (const { name, used, ceiling } of fresh)
    emit(draft, { type: 'limit_warning', step: draft.state.step, limit: name, used, ceiling });
  const parts = fresh.map(
    ({ name, used, ceiling }) =>
      `${Math.min(100, Math.floor((used / ceiling) * 100))} % of its ${WORDS[name]}`,
  );
  append(draft, [
    {
      role: 'user',
      content: `This run has used ${parts.join(' and ')}. Begin to finish: do what matters most, then answer.`,
    },
  ]);
}

const WORDS = { cost: 'money', steps: 'steps', tokens: 'tokens', duration: 'time' } as const;
