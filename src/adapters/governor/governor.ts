import { createHash, randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { GOVERNOR_DEFAULTS, type GovernorInput } from '../../contract/governor.js';
import type { Governor } from '../../ports/governor.js';
import { createExchange } from '../temporal/governor-exchange.js';
import { FleetLink, type Exchange } from './fleet-link.js';
import { ModelGate } from './model-gate.js';

/** A governor that has to be closed. */
export interface WorkerGovernor extends Governor {
  /**
   * Stops its timers; from then on it lets everyone through. Resolves when no report is under way, which takes five seconds at most:
   * only then may the connection of its client be closed.
   */
  close(): Promise<void>;
}

/** What a governor that knows only its own process is made of. */
export interface LocalGovernorOptions {
  /** Milliseconds of a clock that only goes forward. Default: that of the process. */
  nowMs?: () => number;
  /** From 0 to 1. Default: `Math.random`. */
  random?: () => number;
  /** The most calls to one model at once, default 1,000. */
  maxLimit?: number;
}

/** What {@link createGovernor} is made of. */
export interface GovernorOptions
  extends LocalGovernorOptions, Pick<GovernorInput, 'initialLimit' | 'idleMs' | 'continueAsNewEvents'> {
  /** With the data converter of the workers. */
  client: Client;
  /** Its workers carry the governor's workflow. */
  taskQueue: string;
  /** See {@link keyFingerprint}. */
  fingerprint: string;
  /** Told when the workflow cannot be reached, once until it can be again. The calls of this process then go on under a limit of their own. */
  onTrouble?: (error: unknown) => void;
}

/**
 * Shares what a key may ask of each model with all workers that name the same fingerprint, through one workflow for each model. Calls
 * never fail for it: where the workflow cannot be reached, the process finds its own limit.
 */
export function createGovernor(options: GovernorOptions): WorkerGovernor {
  const { client, taskQueue, fingerprint, initialLimit, maxLimit, idleMs, continueAsNewEvents } = options;
  const input: GovernorInput = {
    ...(initialLimit !== undefined && { initialLimit }),
    ...(maxLimit !== undefined && { maxLimit }),
    ...(idleMs !== undefined && { idleMs }),
    ...(continueAsNewEvents !== undefined && { continueAsNewEvents }),
  };
  return createLinkedGovernor({
    ...options,
    exchangeFor: (model) => createExchange({ client, taskQueue, fingerprint, model, input }),
  });
}

/** Shares nothing: finds out for this process alone how much each model takes. */
export function createLocalGovernor(options: LocalGovernorOptions = {}): WorkerGovernor {
  return createLinkedGovernor(options);
}

/** A governor over any way to the fleet; without one it is on its own. */
export function createLinkedGovernor(
  options: LocalGovernorOptions & {
    exchangeFor?: (model: string) => Exchange;
    onTrouble?: (error: unknown) => void;
  },
): WorkerGovernor {
  const { nowMs = () => performance.now(), random = Math.random, onTrouble = () => undefined } = options;
  const { maxLimit = GOVERNOR_DEFAULTS.maxLimit, exchangeFor } = options;
  const worker = `w${randomBytes(5).toString('hex')}`;
  const models = new Map<string, { gate: ModelGate; link: FleetLink | null }>();
  let isClosed = false;
  const open = (model: string) => {
    const gate = new ModelGate({ nowMs, random, maxLimit, onChange: () => link?.plan() });
    const exchange = exchangeFor?.(model);
    const link = exchange ? new FleetLink(gate, { worker, exchange, nowMs, random, onTrouble }) : null;
    const opened = { gate, link };
    models.set(model, opened);
    if (isClosed) gate.open();
    return opened;
  };
  return {
    admit: (model, signal) => (models.get(model) ?? open(model)).gate.admit(signal),
    async close() {
      isClosed = true;
      const all = [...models.values()];
      const closing = all.flatMap(({ link }) => link?.close() ?? []);
      for (const { gate } of all) gate.open();
      await Promise.all(closing);
    },
  };
}

/** Stands for a server and a key where others may read it, and does not tell the key: a part of a SHA-256. */
export function keyFingerprint({ baseUrl, apiKey }: { baseUrl: string; apiKey: string }): string {
  return createHash('sha256').update(`${baseUrl}\n${apiKey}`).digest('hex').slice(0, 12);
}
