import type { TelemetryOptions } from '@temporalio/worker';

/**
 * The part of Temporal's telemetry that serves metrics of a worker and its runs for Prometheus, at `http://<address>/metrics`.
 * @param address `host:port`; `null`: none are served.
 */
export function metricsTelemetry(address: string | null): Pick<TelemetryOptions, 'metrics'> {
  return address === null ? {} : { metrics: { prometheus: { bindAddress: address } } };
}
