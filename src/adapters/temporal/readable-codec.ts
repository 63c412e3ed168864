import type { Payload, PayloadCodec } from '@temporalio/common';
import { payloadEncoding } from './payload-bytes.js';

/**
 * Puts a text in the place of payloads that nobody can read. What cannot be read would fail the workflow task that brings it, again and
 * again: one signal with a strange encoding would block a run for good. The run sees the text, and refuses it as it refuses any other.
 * The first of all codecs, so that it sees what the others have decoded.
 */
export function createReadableCodec(): PayloadCodec {
  return {
    encode: async (payloads) => payloads,
    decode: async (payloads) =>
      payloads.map((payload) => (isReadable(payload) ? payload : unreadable(payload))),
  };
}

function isReadable(payload: Payload): boolean {
  switch (payloadEncoding(payload)) {
    case 'binary/null':
    case 'binary/plain':
      return true;
    case 'json/plain':
      return isJson(Buffer.from(payload.data ?? []).toString());
    default:
      return false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function unreadable(payload: Payload): Payload {
  const text = `A payload of encoding ${payloadEncoding(payload).slice(0, 40)} that cannot be read.`;
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(text)) };
}
