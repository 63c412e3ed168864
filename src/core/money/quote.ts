import {
  ASSUMED_PRICE,
  COMPACTION,
  DEFAULT_MAX_OUTPUT_TOKENS,
  LANDING_FUND,
  LEAST_OUTPUT_TOKENS,
  REVIEW,
  WAIT_QUESTIONS,
} from '../behaviour.js';
import { chargedNanoUsd, openQuestions, toNanoUsd } from './ledger.js';
import { limitReached, limitsOf } from './limits.js';
import { isMetered } from '../metered.js';
import { modelsAskedFor } from '../model/models.js';
import { affordableOutputTokens, dearest, worstCaseNanoUsd, type ModelPrice } from './price.js';
import { promptSize, sizeFor, type PromptSize } from '../context/prompt-size.js';
import type { LimitName } from '../progress.js';
import { reviewRoomNanoUsd } from './review-share.js';
import type { Allowance, ModelPurpose as Purpose, RunState } from '../state.js';

/**
 * Whether a model call can be afforded. `no`: what the smallest one could take and what is left for it, in nano-dollars or tokens. `wait`: not now, but perhaps when the server has said what lost calls really cost.
 * `draw`: when the shared budget grants so much in all.
 */
export type Quote =
  | { kind: 'yes'; allowance: Allowance }
  | { kind: 'no'; limit: 'cost' | 'tokens'; needed: number; left: number }
  | { kind: 'wait' }
  | { kind: 'draw'; totalNanoUsd: number };

/** What is written beside steps has a length of its own. */
const OWN_TOKENS: Partial<Record<Purpose, number>> = {
  review: REVIEW.verdictTokens,
  compaction: COMPACTION.summaryTokens,
};

/** Steps for which money is drawn from a shared budget at once. */
const CALLS_PER_DRAW = 2;

interface Terms {
  price: ModelPrice | null;
  size: PromptSize;
  /** What the run asks for, within what its models can do. */
  naturalTokens: number;
  /** What it would like to have now: on a further attempt as much as on the first. */
  wantedTokens: number;
  leastTokens: number;
}

/** Holds a model call against the ceilings on cost and tokens. A step leaves alone what its run's closing answer needs. */
export function quote(state: RunState, purpose: Purpose): Quote {
  const terms = termsOf(state, purpose);
  const roomTokens = tokenRoom(state, purpose, terms.size);
  if (roomTokens < terms.leastTokens) {
    const { expectedTokens } = terms.size;
    const needed = expectedTokens + terms.leastTokens;
    return { kind: 'no', limit: 'tokens', needed, left: Math.max(0, roomTokens + expectedTokens) };
  }
  return quoteMoney(state, purpose, { ...terms, roomTokens });
}

/** Why a run ends at a ceiling: as `beginLanding` takes it. */
export interface Blocked {
  outcome: 'limit';
  limit: LimitName;
  error: null;
  reason?: string;
}

/** The first ceiling that leaves no room for another step, or `null`. */
export function blockedBy(state: RunState, atMs: number): Blocked | null {
  const limit = limitReached(state, atMs);
  if (limit !== null) return { outcome: 'limit', limit, error: null };
  if (!isMetered(state)) return null;
  const quoted = quote(state, 'step');
  return quoted.kind === 'no' ? tooLittle(state, quoted) : null;
}

/** The same of a review, which may be short of its own share only. */
export function tooLittleForReview({ limit, needed, left }: Extract<Quote, { kind: 'no' }>): string {
  const of =
    limit === 'cost'
      ? "reviewers' share of the cost ceiling, or of what the closing answer leaves of it"
      : 'the token ceiling';
  return `Too little is left of ${of}: a review could take ${amountOf(limit, needed)}, and there are ${amountOf(limit, left)}.`;
}

/** Says what is lacking: a ceiling may be too low for a single step of a dear model. */
export function tooLittle(state: RunState, { limit, needed, left }: Extract<Quote, { kind: 'no' }>): Blocked {
  const { maxCostUsd } = limitsOf(state);
  const isShared =
    limit === 'cost' && ceilingNanoUsd(state) !== (maxCostUsd === null ? null : toNanoUsd(maxCostUsd));
  const what = isShared
    ? `The shared budget ${state.prepared?.budget ?? ''}`
    : `The ${limit === 'cost' ? 'cost' : 'token'} ceiling`;
  const reason = `${what} leaves too little for another step: it could take ${amountOf(limit, needed)}, and beside what the closing answer needs there are ${amountOf(limit, left)}.`;
  return { outcome: 'limit', limit, error: null, reason };
}

function amountOf(limit: 'cost' | 'tokens', value: number): string {
  return limit === 'cost' ? `${(value / 1e9).toFixed(6)} USD` : `${value} tokens`;
}

function termsOf(state: RunState, purpose: Purpose): Terms {
  const size = sizeFor(state, purpose);
  const room = modelsAskedFor(state, purpose).flatMap((model) => {
    const { maxOutputTokens, contextLength } = state.prepared?.modelFacts?.[model] ?? {};
    // Of a conversation that is too long a summary reads a part only.
    const promptTokens = purpose === 'compaction' ? 0 : size.expectedTokens;
    return [maxOutputTokens ?? Infinity, (contextLength ?? Infinity) - promptTokens];
  });
  const asked = OWN_TOKENS[purpose] ?? state.input.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS;
  const leastTokens = Math.min(asked, LEAST_OUTPUT_TOKENS[purpose]);
  // A transcript beyond the context is the server's to refuse: it counts exactly.
  const naturalTokens = Math.max(leastTokens, Math.min(asked, ...room));
  const wantedTokens = state.model.heldTokens ?? naturalTokens;
  return {
    price: priceOf(state, purpose),
    size,
    naturalTokens,
    wantedTokens,
    leastTokens: Math.min(leastTokens, wantedTokens),
  };
}

/** The price to reckon with: the dearest of the models that may answer. */
function priceOf(state: RunState, purpose: Purpose = 'step'): ModelPrice | null {
  const hasCeiling = ceilingNanoUsd(state) !== null;
  const prices: ModelPrice[] = [];
  for (const model of modelsAskedFor(state, purpose)) {
    const price = state.prepared?.modelFacts?.[model]?.price ?? (hasCeiling ? ASSUMED_PRICE : null);
    if (price === null) return null;
    prices.push(price);
  }
  const [first, ...others] = prices;
  return first === undefined ? null : dearest([first, ...others]);
}

/** The ceiling on cost, or `null`. */
export function ceilingNanoUsd(state: RunState): number | null {
  const { maxCostUsd } = limitsOf(state);
  const own = maxCostUsd === null ? null : toNanoUsd(maxCostUsd);
  if (state.draw === null) return own;
  // The budget knows nothing of what the run was continued with.
  return Math.min(own ?? Infinity, state.draw.grantedNanoUsd + state.ledger.inheritedNanoUsd);
}

function tokenRoom(state: RunState, purpose: Purpose, { expectedTokens }: PromptSize): number {
  const { maxTokens } = limitsOf(state);
  if (maxTokens === null) return Infinity;
  const { promptTokens, completionTokens } = state.ledger;
  const left = maxTokens - promptTokens - completionTokens - expectedTokens;
  return purpose === 'landing' ? left : left - expectedTokens - LANDING_FUND.answerTokens;
}

function quoteMoney(state: RunState, purpose: Purpose, terms: Terms & { roomTokens: number }): Quote {
  const { price, size, naturalTokens, leastTokens, roomTokens } = terms;
  const promptTokens = size.mostTokens;
  const wantedTokens = Math.min(terms.wantedTokens, roomTokens);
  const yes = (maxOutputTokens: number): Quote => {
    const reservedNanoUsd = price && worstCaseNanoUsd(price, { promptTokens, maxOutputTokens });
    const { heldTokens, heldBy } = state.model;
    const isWhole = maxOutputTokens >= (heldTokens ?? naturalTokens);
    const clampedBy = isWhole ? heldBy : maxOutputTokens === roomTokens ? 'tokens' : 'cost';
    return { kind: 'yes', allowance: { maxOutputTokens, reservedNanoUsd, clampedBy } };
  };
  const ceiling = ceilingNanoUsd(state);
  if (ceiling === null || price === null) return yes(wantedTokens);
  const takenNanoUsd =
    chargedNanoUsd(state.ledger) +
    (purpose === 'landing' ? 0 : landingFundNanoUsd(price, size, wantedTokens));
  const left = ceiling - takenNanoUsd;
  const ofShare = purpose === 'review' ? reviewRoomNanoUsd(state, ceiling) : Infinity;
  const affordable = affordableOutputTokens(price, { promptTokens, nanoUsd: Math.min(left, ofShare) });
  if (affordable >= wantedTokens) return yes(wantedTokens);
  const worstNanoUsd = worstCaseNanoUsd(price, { promptTokens, maxOutputTokens: wantedTokens });
  const totalNanoUsd = moreToDraw(state, { takenNanoUsd, worstNanoUsd });
  if (totalNanoUsd !== null) return { kind: 'draw', totalNanoUsd };
  if (isWorthWaiting(state, affordable < leastTokens)) return { kind: 'wait' };
  if (affordable >= leastTokens) return yes(affordable);
  const needed = worstCaseNanoUsd(price, { promptTokens, maxOutputTokens: leastTokens });
  return { kind: 'no', limit: 'cost', needed, left: Math.max(0, Math.min(left, ofShare)) };
}

/**
 * Whether money that lost calls still hold is to be waited for: a while for an answer of full length, longer where the run would
 * have to land. The same request as before may even be answered from the cache, for nothing.
 */
function isWorthWaiting({ ledger }: RunState, orLand: boolean): boolean {
  const patience = orLand ? WAIT_QUESTIONS.orLand : WAIT_QUESTIONS.usual;
  return openQuestions(ledger).some(({ asked }) => asked < patience);
}

/** What has to stay for the closing answer while tools and sub-agents are under way; 0 where nothing is known of prices. */
export function landingFund(state: RunState): number {
  const price = priceOf(state);
  return price === null ? 0 : landingFundNanoUsd(price, promptSize(state), 0);
}

/** What the closing answer will need when it is asked for after the step now under way. */
function landingFundNanoUsd(price: ModelPrice, size: PromptSize, stepTokens: number): number {
  const { answerTokens, resultTokens } = LANDING_FUND;
  const grownTokens = Math.min(stepTokens, resultTokens) + resultTokens;
  return worstCaseNanoUsd(price, {
    promptTokens: size.mostTokens + grownTokens,
    maxOutputTokens: answerTokens,
  });
}

/** How much to ask of the shared budget in all, when the run needs more than it asked for before; else `null`. */
function moreToDraw(
  state: RunState,
  { takenNanoUsd, worstNanoUsd }: { takenNanoUsd: number; worstNanoUsd: number },
): number | null {
  if (state.draw === null) return null;
  const { inheritedNanoUsd } = state.ledger;
  const { maxCostUsd } = limitsOf(state);
  const own = maxCostUsd === null ? Infinity : toNanoUsd(maxCostUsd);
  const drawn = (totalNanoUsd: number) => Math.min(totalNanoUsd, own) - inheritedNanoUsd;
  if (drawn(takenNanoUsd + worstNanoUsd) <= state.draw.askedNanoUsd) return null;
  // A few calls at a time; what is left goes back at the end.
  return drawn(takenNanoUsd + worstNanoUsd * CALLS_PER_DRAW);
}
