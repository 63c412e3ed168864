import type { Payload } from '@temporalio/common';
// The package is CommonJS without names that Node can see, so its default is the only way in.
import proto from '@temporalio/proto';

const { Payload: PayloadProto } = proto.temporal.api.common.v1;

/** A payload as protobuf bytes. */
export function payloadToBytes(payload: Payload): Uint8Array {
  return PayloadProto.encode(payload).finish();
}

/** The payload in protobuf bytes. */
export function payloadFromBytes(bytes: Uint8Array): Payload {
  return PayloadProto.decode(bytes);
}

/** The `encoding` that a payload's metadata names, or an empty text. */
export function payloadEncoding(payload: Payload): string {
  return metadataText(payload, 'encoding');
}

/** A metadata value as text, or an empty text. */
export function metadataText(payload: Payload, key: string): string {
  return Buffer.from(payload.metadata?.[key] ?? []).toString('utf8');
}
