import type { Logger as TemporalLogger, LogMetadata } from '@temporalio/common';
import pino from 'pino';

/** The worker's own log: JSON lines on stderr, so that stdout stays for what was asked for. */
export function createLogger(level: 'info' | 'warn'): TemporalLogger {
  const logger = pino({ level, base: null }, pino.destination(2));
  const write =
    (at: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: LogMetadata) =>
      logger[at](meta ?? {}, message);
  const methods = {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  return {
    ...methods,
    log: (at, message, meta) => methods[LEVELS[at]](message, meta),
  };
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
