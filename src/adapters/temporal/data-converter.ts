import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExternalStorage } from '@temporalio/common';
import type { DataConverter } from '@temporalio/common';
import type { BlobPort } from '../../ports/blobs.js';
import { createBlobStorageDriver } from './blob-storage-driver.js';
import { createEncryptionCodec } from './encryption-codec.js';
import type { EncryptionKey } from '../../ports/encryption.js';
import { createGzipCodec } from './gzip-codec.js';
import { createReadableCodec } from './readable-codec.js';

/** Encoded payloads from this size on (bytes) go to the blob store. Temporal warns at 512 KiB and refuses at 2 MiB. */
const EXTERNAL_FROM_BYTES = 256 * 1024;

/** What {@link createDataConverter} is made of. */
export interface DataConverterOptions {
  blobs: BlobPort;
  /** Default: no encryption. */
  encryptionKeys?: readonly EncryptionKey[];
}

/**
 * How values travel to Temporal, for client, worker and workflow bundle alike: JSON, gzip above 64 KiB, AES-256-GCM when there are keys,
 * and a reference in place of what is still 256 KiB or more. With keys, messages and stack traces of failures are encrypted too;
 * then `failureConverterPath` must also go to whoever bundles the workflows.
 */
export function createDataConverter({ blobs, encryptionKeys = [] }: DataConverterOptions): DataConverter {
  return {
    payloadCodecs: [
      createReadableCodec(),
      createGzipCodec(),
      createEncryptionCodec({ keys: encryptionKeys, stableFromBytes: EXTERNAL_FROM_BYTES }),
    ],
    externalStorage: new ExternalStorage({
      drivers: [createBlobStorageDriver(blobs)],
      payloadSizeThreshold: EXTERNAL_FROM_BYTES,
    }),
    ...(encryptionKeys.length > 0 && { failureConverterPath: failureConverterPath() }),
  };
}

/** The SDK loads it by path: a TypeScript file while developing, a JavaScript file once built. */
function failureConverterPath(): string {
  const extension = extname(fileURLToPath(import.meta.url));
  return fileURLToPath(new URL(`./failure-converter${extension}`, import.meta.url));
}
