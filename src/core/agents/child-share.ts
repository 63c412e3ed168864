import { CHILD_SHARE_NANO_USD } from '../behaviour.js';
import { delegationOf } from './delegation.js';
import { chargedNanoUsd } from '../money/ledger.js';
import { limitsOf } from '../money/limits.js';
import type { Delegation } from '../outcomes.js';
import { ceilingNanoUsd, landingFund } from '../money/quote.js';
import type { RunState } from '../state.js';

/** What a sub-agent may spend, or what has to come first. Tokens and nano-dollars; `null`: no ceiling. */
export type Share =
  | { kind: 'yes'; nanoUsd: number | null; tokens: number | null }
  | { kind: 'draw'; totalNanoUsd: number }
  | { kind: 'none' };

/** Of what is left beside the closing answer, each sub-agent of a step gets an equal part unless it was said how much, and one part stays. */
export function shareOf(state: RunState, { maxCostUsd }: Delegation): Share {
  const waiting = state.calls.filter((call) => call.status === 'ready' && delegationOf(call)).length;
  const tokens = tokenShare(state, waiting);
  const ceiling = ceilingNanoUsd(state);
  if (tokens !== null && tokens <= 0) return { kind: 'none' };
  const asked = maxCostUsd === undefined ? null : Math.floor(maxCostUsd * 1e9);
  if (ceiling === null) return { kind: 'yes', nanoUsd: asked, tokens };
  const taken = chargedNanoUsd(state.ledger) + landingFund(state);
  const part = (limit: number) => Math.floor((limit - taken) / (waiting + 1));
  const { maxCostUsd: own } = limitsOf(state);
  const wanted = asked ?? (own === null ? CHILD_SHARE_NANO_USD : part(Math.floor(own * 1e9)));
  const left = ceiling - taken;
  if (state.draw && left < wanted) {
    const totalNanoUsd = taken + wanted - state.ledger.inheritedNanoUsd;
    // What is asked for already is waited for.
    if (state.draw.call || totalNanoUsd > state.draw.askedNanoUsd) return { kind: 'draw', totalNanoUsd };
  }
  const nanoUsd = Math.min(left, wanted);
  return nanoUsd <= 0 ? { kind: 'none' } : { kind: 'yes', nanoUsd, tokens };
}

function tokenShare(state: RunState, waiting: number): number | null {
  const { maxTokens } = limitsOf(state);
  if (maxTokens === null) return null;
  const { promptTokens, completionTokens } = state.ledger;
  const held = state.calls.reduce((sum, { child }) => sum + (child?.input.limits?.maxTokens ?? 0), 0);
  return Math.floor((maxTokens - promptTokens - completionTokens - held) / (waiting + 1));
}
