import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { payloadEncoding, payloadFromBytes, payloadToBytes } from './payload-bytes.js';

const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

const ENCODING = 'binary/gzip';

/** Payloads up to this size are left alone: they are cheap, and readable in the Web UI. */
const DEFAULT_MIN_BYTES = 64 * 1024;

/**
 * Compresses payloads above `minBytes` (default 64 KiB) where that makes them smaller. The compressed data is the whole protobuf
 * payload. Equal payloads give equal bytes, as a content-addressed store behind it needs.
 */
export function createGzipCodec(minBytes: number = DEFAULT_MIN_BYTES): PayloadCodec {
  return {
    encode: (payloads) => Promise.all(payloads.map((payload) => compress(payload, minBytes))),
    decode: (payloads) => Promise.all(payloads.map(decompress)),
  };
}

async function compress(payload: Payload, minBytes: number): Promise<Payload> {
  if ((payload.data?.byteLength ?? 0) <= minBytes) return payload;
  const bytes = payloadToBytes(payload);
  const data = await gzipAsync(bytes);
  if (data.byteLength >= bytes.byteLength) return payload;
  return { metadata: { encoding: Buffer.from(ENCODING) }, data };
}

async function decompress(payload: Payload): Promise<Payload> {
  if (payloadEncoding(payload) !== ENCODING) return payload;
  try {
    return payloadFromBytes(await gunzipAsync(payload.data ?? new Uint8Array()));
  } catch {
    // Not of our making. Whoever reads it says so; an error here would block the run that got it.
    return payload;
  }
}
