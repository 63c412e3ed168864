import { afterRefusal, afterSuccesses, newThrottle, type Throttle } from './throttle.js';

/** What a worker was given, and what it said it does with it. */
export interface Lease {
  /** Calls that it may have under way. */
  share: number;
  /** Calls that it had under way. They count against the limit also where its share has shrunk below them. */
  inFlight: number;
  /** The most calls that it had under way or waiting since the report before. */
  want: number;
  untilMs: number;
  /** Number of the report since which it waits for a share, or with which it was last seen to have one. */
  servedAt: number;
}

/** How the calls of all workers with one key to one model are shared. */
export interface FleetState {
  throttle: Throttle;
  /** Time of the last cut, `null` when there was none. */
  cutAtMs: number | null;
  /** How many reports there were. */
  reports: number;
  /** By the name of the worker. */
  leases: Record<string, Lease>;
}

/** How far the limit of a fleet may go. */
export interface FleetSettings {
  initialLimit: number;
  maxLimit: number;
}

/** What a worker tells now and then. */
export interface GovernorReport {
  /** Its name, the same as long as it lives, up to 64 characters. */
  worker: string;
  inFlight: number;
  /** The most calls that it had under way or waiting since its last report. All zero hands the share back. */
  want: number;
  /** Epoch of its share; `null` when it has none. */
  epoch: number | null;
  /** Calls of this epoch that went well since its last report. */
  ok: number;
  /** Whether a call of this epoch was refused for the rate since its last report. */
  limited: boolean;
  /** For how long a server asked it, from now on, to stay away; `null`: not at all. */
  retryAfterMs: number | null;
}

/** What a worker is told. All times are spans, as clocks differ. */
export interface GovernorReply {
  /** Calls that it may have under way. */
  share: number;
  epoch: number;
  /** Limit of the whole fleet. */
  limit: number;
  /** Nobody may call before this has passed. */
  pauseMs: number;
  /** After it the share belongs to others, unless the worker has reported again. */
  leaseMs: number;
  /** It need not report again before, if nothing special happens. */
  renewMs: number;
  /** It must not report again before, whatever happens. */
  gapMs: number;
}

// Our own choices. A worker that has enough sends four messages a minute; one in want, or with a refusal to tell, one a second.
const CALM_RENEW_MS = 15_000;
const TIGHT_RENEW_MS = 2_000;
/** From so much of the limit in firm hands on, those who have more than they need are asked often. */
const TIGHT_OF_LIMIT = 0.75;
const MIN_LEASE_MS = 10_000;
const LEASE_OF_RENEW = 3;
const GAP_MS = 200;
const PRESSED_GAP_MS = 1_000;
/** More workers report less often: 20 reports a second are about what one workflow should take. */
const GAP_PER_WORKER_MS = 50;
/** So long after a cut, workers stay close to the governor. */
const ALERT_MS = 60_000;
/** Room in a share for calls that come before the next report. */
const HEADROOM = 16;

/** A fleet that has just begun. */
export function newFleet({ initialLimit, maxLimit }: FleetSettings): FleetState {
  return { throttle: newThrottle({ limit: initialLimit, maxLimit }), cutAtMs: null, reports: 0, leases: {} };
}

/**
 * Takes in what a worker tells and gives it its share. What workers hold together never grows beyond the limit: a share grows out of
 * what nobody holds. So it takes one report of those who have too much before those who have too little get theirs.
 */
export function takeReport(
  state: FleetState,
  report: GovernorReport,
  { atMs, settings }: { atMs: number; settings: FleetSettings },
): { state: FleetState; reply: GovernorReply } {
  const live = Object.entries(state.leases).filter(([, lease]) => lease.untilMs > atMs);
  const before = state.leases[report.worker];
  const others = live.filter(([worker]) => worker !== report.worker);
  const wanted = report.want + sum(others, ({ want }) => want);
  const throttle = learn(state.throttle, report, { atMs, wanted, maxLimit: settings.maxLimit });
  const cutAtMs = throttle.epoch > state.throttle.epoch ? atMs : state.cutAtMs;

  const isLeaving = report.want === 0 && report.inFlight === 0;
  const held = before !== undefined && before.untilMs > atMs ? before : undefined;
  const reports = state.reports + 1;
  const servedAt = held === undefined || held.share > 0 ? reports : held.servedAt;
  const asking = { inFlight: report.inFlight, want: report.want, servedAt };
  const share = isLeaving ? 0 : shareFor(report.worker, asking, { others, limit: throttle.limit });

  const holders = others.length + (isLeaving ? 0 : 1);
  const isPressed = share < report.want || (cutAtMs !== null && atMs - cutAtMs < ALERT_MS);
  // The first share of a worker is provisional, as a whole fleet may be starting.
  const isTight =
    isPressed || held === undefined || sum(others, holds) + share > throttle.limit * TIGHT_OF_LIMIT;
  const pauseMs = Math.max(0, throttle.notBeforeMs - atMs);
  const gapMs = Math.max(isPressed ? PRESSED_GAP_MS : GAP_MS, GAP_PER_WORKER_MS * holders);
  const tightRenewMs = Math.max(TIGHT_RENEW_MS, 2 * gapMs, Math.min(pauseMs, CALM_RENEW_MS));
  const renewMs = isTight ? tightRenewMs : Math.max(CALM_RENEW_MS, 2 * gapMs);
  const leaseMs = Math.max(MIN_LEASE_MS, LEASE_OF_RENEW * renewMs);
  const lease: Lease = { ...asking, share, untilMs: atMs + leaseMs };
  return {
    state: {
      throttle,
      cutAtMs,
      reports,
      leases: Object.fromEntries(isLeaving ? others : [...others, [report.worker, lease]]),
    },
    reply: { share, epoch: throttle.epoch, limit: throttle.limit, pauseMs, leaseMs, renewMs, gapMs },
  };
}

function learn(
  throttle: Throttle,
  report: GovernorReport,
  { atMs, wanted, maxLimit }: { atMs: number; wanted: number; maxLimit: number },
): Throttle {
  // Who has no share yet knows of no epoch. A refusal is news to the fleet unless it was in a pause anyway.
  const epoch = report.epoch ?? (atMs >= throttle.notBeforeMs ? throttle.epoch : null);
  const { limited, retryAfterMs } = report;
  if (limited || retryAfterMs !== null)
    return afterRefusal(throttle, { atMs, epoch: limited ? epoch : null, retryAfterMs });
  if (epoch !== throttle.epoch) return throttle;
  return afterSuccesses(throttle, { count: report.ok, wanted, maxLimit });
}

type Asking = Pick<Lease, 'inFlight' | 'want' | 'servedAt'>;
type Named<T> = [worker: string, lease: T];

function shareFor(
  worker: string,
  asking: Asking,
  { others, limit }: { others: Named<Lease>[]; limit: number },
): number {
  const all: Named<Asking>[] = [...others, [worker, asking]];
  const shares = fairShares(all, limit);
  const fair = shares.get(worker) ?? 0;
  // What others are due is kept for them, or those who ask at the right moment would take it again and again.
  const taken = ([other, lease]: Named<Lease>) => Math.max(holds(lease), shares.get(other) ?? 0);
  const free = Math.max(0, limit - others.reduce((total, lease) => total + taken(lease), 0));
  const unwanted = limit - sum(all, ({ want }) => want);
  // The holders split half of what nobody wants, so that the next one who comes finds something too.
  const room = Math.max(0, Math.floor(unwanted / (2 * all.length)));
  return Math.min(free, fair + Math.min(room, Math.max(asking.want, HEADROOM)));
}

/**
 * Max-min fairness: who wants little gets it, the others get the same. Where there is not even one for each, those come first who have
 * waited longest; so shares go round, and nobody starves.
 */
function fairShares(all: Named<Asking>[], limit: number): Map<string, number> {
  const shares = new Map<string, number>();
  let left = limit;
  let open = all.filter(([, { want }]) => want > 0);
  const goRound = limit < open.length;
  open.sort(([a, one], [b, other]) => (goRound ? one.servedAt - other.servedAt : 0) || (a < b ? -1 : 1));
  while (open.length > 0 && left > 0) {
    const each = Math.max(1, Math.floor(left / open.length));
    for (const [worker, { want }] of open) {
      const given = shares.get(worker) ?? 0;
      const more = Math.min(each, want - given, left);
      shares.set(worker, given + more);
      left -= more;
    }
    open = open.filter(([worker, { want }]) => want > (shares.get(worker) ?? 0));
  }
  return shares;
}

/** What a worker takes of the limit. */
function holds({ share, inFlight }: Lease): number {
  return Math.max(share, inFlight);
}

function sum<T>(leases: Named<T>[], of: (lease: T) => number): number {
  return leases.reduce((total, [, lease]) => total + of(lease), 0);
}

const MAX_WORKER_CHARS = 64;
const MAX_COUNT = 1_000_000;

/** Whether a value from outside is a report. */
export function isGovernorReport(value: unknown): value is GovernorReport {
  const { worker, inFlight, want, epoch, ok, limited, retryAfterMs } = Object(value);
  return (
    typeof worker === 'string' &&
    worker.length > 0 &&
    worker.length <= MAX_WORKER_CHARS &&
    [inFlight, want, ok, epoch ?? 0].every(isCount) &&
    typeof limited === 'boolean' &&
    (retryAfterMs === null || (Number.isFinite(retryAfterMs) && retryAfterMs >= 0))
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COUNT;
}
