import { createFileBlobs } from './adapters/blobs/file-blobs.js';
import { checkRunInput } from './adapters/run-input.js';
import { connectClient } from './adapters/temporal/connect.js';
import { createDataConverter } from './adapters/temporal/data-converter.js';
import { RunClient } from './client/run-client.js';
import { loadConfig, type Config } from './config.js';

/** What a client is made of; everything comes from the environment when left out. */
export interface ConnectOptions {
  config?: Config;
  /** Takes the place of the configured Temporal address. */
  address?: string;
}

/** Starts runs and finds them again; put together from the environment. */
export class AgentClient extends RunClient {
  /**
   * Connects by Temporal's own environment configuration.
   * @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID`
   */
  static async connect(options: ConnectOptions = {}): Promise<AgentClient> {
    const config = options.config ?? loadConfig();
    const { encryptionKeys, taskQueue } = config;
    const dataConverter = createDataConverter({ blobs: createFileBlobs(config.blobs.dir), encryptionKeys });
    const client = await connectClient({
      dataConverter,
      ...(options.address && { address: options.address }),
    });
    return new AgentClient({ client, taskQueue, checkInput: checkRunInput });
  }
}
