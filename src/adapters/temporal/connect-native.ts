import { NativeConnection } from '@temporalio/worker';
import { readTemporalConfig, temporalTarget } from './connect.js';
import { unreachable } from './unreachable.js';

/**
 * Connects a worker.
 * @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`
 */
export async function connectNative(options: { address?: string } = {}): Promise<NativeConnection> {
  const { connectionOptions } = readTemporalConfig();
  const address = options.address ?? temporalTarget().address;
  try {
    return await NativeConnection.connect({ ...connectionOptions, address });
  } catch (cause) {
    throw unreachable(address, cause);
  }
}
