import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { AgentError } from '../../core/errors.js';
import { connectionInterceptors } from './closed-channel.js';
import { unreachable } from './unreachable.js';

/** Above the server's limit for a history. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/** How long a server may take to answer the first call. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Where Temporal is, as its own environment configuration says: `TEMPORAL_*` and the TOML profile. */
export interface TemporalTarget {
  address: string;
  namespace: string;
}

/**
 * Reads Temporal's own environment configuration.
 * @throws AgentError `CONFIG_INVALID` when it cannot be read
 */
export function temporalTarget(): TemporalTarget {
  const { connectionOptions, namespace } = readTemporalConfig();
  return { address: connectionOptions.address ?? 'localhost:7233', namespace: namespace ?? 'default' };
}

/**
 * Temporal's own environment configuration.
 * @throws AgentError `CONFIG_INVALID` when it cannot be read
 */
export function readTemporalConfig() {
  try {
    return loadClientConnectConfig();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('CONFIG_INVALID', `Temporal's environment configuration cannot be read: ${reason}`, {
      cause,
    });
  }
}

/**
 * Connects a client.
 * @param options.address takes the place of the configured one.
 * @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`
 */
export async function connectClient(options: {
  dataConverter: DataConverter;
  address?: string;
}): Promise<Client> {
  const { dataConverter, ...at } = options;
  return new Client({
    connection: await connectPlain(at),
    namespace: temporalTarget().namespace,
    dataConverter,
  });
}

/**
 * A bare connection.
 * @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`
 */
export async function connectPlain(options: { address?: string } = {}): Promise<Connection> {
  const { connectionOptions } = readTemporalConfig();
  const address = options.address ?? temporalTarget().address;
  try {
    return await Connection.connect({
      ...connectionOptions,
      address,
      connectTimeout: CONNECT_TIMEOUT_MS,
      interceptors: connectionInterceptors(),
      // A page of history may hold a run of 50 MB; gRPC's own bound of 4 MB would keep it from being looked at.
      channelArgs: { 'grpc.max_receive_message_length': MAX_ANSWER_BYTES },
    });
  } catch (cause) {
    throw unreachable(address, cause);
  }
}
