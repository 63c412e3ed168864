import { z } from 'zod';
import type { Tool } from '../../../ports/tools.js';
import { defineControlTool } from '../define-tool.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MAX_WAIT_MS = 30 * DAY_MS;

const amount = z.number().min(0).optional();

const input = z.object({
  seconds: amount,
  minutes: amount,
  hours: amount,
  days: amount,
  until: z.iso
    .datetime({ offset: true, error: 'must be an ISO 8601 time with its zone, such as 2030-01-31T09:00:00Z' })
    .optional()
    .describe(
      'ISO 8601 time with its zone, such as 2030-01-31T09:00:00Z. A time that has passed does not wait.',
    ),
});

type Args = z.output<typeof input>;

/** `wait`: the run sleeps, durably and for free. `nowMs` is the clock that `until` is held against. */
export function waitTool(nowMs: () => number = Date.now): Tool {
  const durationMsOf = (args: Args): number => {
    if (args.until !== undefined) return Math.max(0, Date.parse(args.until) - nowMs());
    const { seconds = 0, minutes = 0, hours = 0, days = 0 } = args;
    return Math.round(seconds * SECOND_MS + minutes * MINUTE_MS + hours * HOUR_MS + days * DAY_MS);
  };
  return defineControlTool({
    name: 'wait',
    description:
      'Waits, from a second to 30 days, then goes on. Costs nothing. Give an amount of time (seconds, minutes, hours, days; they add up) ' +
      'or "until", not both.',
    input: input.superRefine((args, context) => {
      const hasAmount = [args.seconds, args.minutes, args.hours, args.days].some(
        (value) => value !== undefined,
      );
      const hasUntil = args.until !== undefined;
      const durationMs = durationMsOf(args);
      if (hasAmount === hasUntil) context.addIssue('Give either an amount of time or "until".');
      else if (durationMs > MAX_WAIT_MS) context.addIssue('The longest wait is 30 days.');
      else if (hasAmount && durationMs < SECOND_MS) context.addIssue('The shortest wait is 1 second.');
    }),
    effect: 'read',
    control: (args) => ({ kind: 'wait', durationMs: durationMsOf(args) }),
  });
}
