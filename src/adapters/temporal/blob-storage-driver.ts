import { StorageDriverClaim } from '@temporalio/common';
import type { StorageDriver } from '@temporalio/common';
import { AgentError } from '../../core/errors.js';
import type { BlobPort } from '../../ports/blobs.js';
import { payloadFromBytes, payloadToBytes } from './payload-bytes.js';

/**
 * The SDK's external storage over blobs. Content-addressed, because a worker stores outgoing payloads again when it replays.
 * Reading throws CONFIG_INVALID for a blob that is missing or damaged.
 */
export function createBlobStorageDriver(blobs: BlobPort): StorageDriver {
  return {
    name: 'longhaul-blobs',
    type: 'longhaul.blobs',
    store: (_context, payloads) =>
      Promise.all(
        payloads.map(
          async (payload) => new StorageDriverClaim({ key: await blobs.put(payloadToBytes(payload)) }),
        ),
      ),
    retrieve: (_context, claims) =>
      Promise.all(
        claims.map(async ({ claimData }) => payloadFromBytes(await read(blobs, claimData['key'] ?? ''))),
      ),
  };
}

async function read(blobs: BlobPort, key: string): Promise<Uint8Array> {
  const bytes = await blobs.get(key);
  if (bytes === null) {
    throw new AgentError(
      'CONFIG_INVALID',
      `Blob ${key} is not in the blob store. Point LONGHAUL_BLOB_URL at the store that the run's other workers use.`,
      {
        details: { key },
      },
    );
  }
  return bytes;
}
