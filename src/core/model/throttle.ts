/**
 * What is known of how much a key may ask of a model: a limit of concurrent calls that grows with success and halves at a refusal
 * (AIMD, as TCP does it, RFC 5681), and a pause. Serves the fleet as a whole, and a worker that is on its own.
 */
export interface Throttle {
  /** Calls that may be under way at once, from 1. */
  limit: number;
  /** Below it the limit doubles with each round of successes, as no refusal speaks against it; from it on it grows by one. */
  threshold: number;
  /** Successes that count towards the next step of growth. */
  credit: number;
  /** How many cuts there were. A refusal of a call that was let through before the last cut says nothing new. */
  epoch: number;
  /** Cuts since the last success: they lengthen the pause where the server names none. */
  strikes: number;
  /** Nothing is let through before. */
  notBeforeMs: number;
}

/** A server may ask for at most this, 5 minutes: the bound that one attempt at a model call has too. */
const MAX_PAUSE_MS = 300_000;
/** So that a server that says "in a millisecond" is not asked a thousand times a second. */
const MIN_PAUSE_MS = 200;
/** The pause after the first refusal that names none; it doubles up to the most. Our own choice. */
const FIRST_OWN_PAUSE_MS = 1_000;
const MAX_OWN_PAUSE_MS = 30_000;

/** A throttle of which nothing bad is known. */
export function newThrottle({ limit, maxLimit }: { limit: number; maxLimit: number }): Throttle {
  return { limit, threshold: maxLimit, credit: 0, epoch: 0, strikes: 0, notBeforeMs: 0 };
}

/** A refusal for the rate. */
export interface Refusal {
  atMs: number;
  /** The epoch in which the call was let through; `null`: before the last cut. */
  epoch: number | null;
  /** What the server asks for; `null`, or what makes no sense: it names nothing. */
  retryAfterMs: number | null;
}

/** The limit halves once an epoch; the pause is kept in any case. */
export function afterRefusal(throttle: Throttle, { atMs, epoch, retryAfterMs }: Refusal): Throttle {
  const isNew = epoch === throttle.epoch;
  const asked = retryAfterMs !== null && retryAfterMs > 0;
  const ownMs = isNew ? Math.min(MAX_OWN_PAUSE_MS, FIRST_OWN_PAUSE_MS * 2 ** throttle.strikes) : 0;
  const pauseMs = asked ? Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, retryAfterMs)) : ownMs;
  const notBeforeMs = pauseMs > 0 ? Math.max(throttle.notBeforeMs, atMs + pauseMs) : throttle.notBeforeMs;
  if (!isNew) return { ...throttle, notBeforeMs };
  const limit = Math.max(1, Math.floor(throttle.limit / 2));
  return {
    limit,
    threshold: limit,
    credit: 0,
    epoch: throttle.epoch + 1,
    strikes: throttle.strikes + 1,
    notBeforeMs,
  };
}

/** Calls that went well. */
export interface Successes {
  count: number;
  /** The most calls that were wanted at once lately: a limit that is not used up tells nothing about more. */
  wanted: number;
  maxLimit: number;
}

/** The limit grows while it is used: to twice of what is wanted while nothing speaks against it, and by one step from `threshold` on. */
export function afterSuccesses(throttle: Throttle, { count, wanted, maxLimit }: Successes): Throttle {
  if (count <= 0) return throttle;
  let { limit } = throttle;
  let credit = throttle.credit + count;
  const isProbing = () => limit < throttle.threshold;
  const mayGrow = () => limit < maxLimit && (isProbing() ? limit < 2 * wanted : limit <= wanted);
  const priceOfOne = () => (isProbing() ? 1 : limit);
  while (mayGrow() && credit >= priceOfOne()) {
    credit -= priceOfOne();
    limit += 1;
  }
  return { ...throttle, limit, strikes: 0, credit: mayGrow() ? credit : 0 };
}

/** How one worker comes back after a pause. */
export interface Comeback {
  /** Nothing is let through before. */
  fromMs: number;
  /** From `fromMs` on, the limit opens evenly over this time. */
  easeMs: number;
}

const EASE_OF_PAUSE = 0.25;
const MIN_EASE_MS = 250;
const MAX_EASE_MS = 5_000;

/**
 * Spreads a fleet over a quarter of the pause, so that it does not come back in one instant.
 * @param lot from 0 to 1, another one for each worker.
 */
export function planComeback(pause: { atMs: number; untilMs: number }, lot: number): Comeback {
  const lengthMs = pause.untilMs - pause.atMs;
  const easeMs = Math.min(MAX_EASE_MS, Math.max(MIN_EASE_MS, lengthMs * EASE_OF_PAUSE));
  return { fromMs: pause.untilMs + lot * easeMs, easeMs };
}

/** How much of a limit is open at a time. */
export function openPart(limit: number, { fromMs, easeMs }: Comeback, atMs: number): number {
  if (atMs < fromMs) return 0;
  if (limit < 1 || atMs >= fromMs + easeMs) return limit;
  return Math.min(limit, Math.max(1, Math.ceil((limit * (atMs - fromMs)) / easeMs)));
}

/** When more than `used` of the limit is open, if only time is in the way; `null` if time is not. */
export function opensAtMs(
  { used, limit }: { used: number; limit: number },
  { fromMs, easeMs }: Comeback,
  atMs: number,
): number | null {
  if (used >= limit) return null;
  const openMs = used === 0 ? fromMs : fromMs + Math.floor((easeMs * used) / limit) + 1;
  return openMs > atMs ? openMs : null;
}
