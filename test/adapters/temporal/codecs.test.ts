import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload, PayloadCodec } from '@temporalio/common';
import fc from 'fast-check';
import { createEncryptionCodec } from '../../../src/adapters/temporal/encryption-codec.js';
import type { EncryptionKey } from '../../../src/ports/encryption.js';
import { createReadableCodec } from '../../../src/adapters/temporal/readable-codec.js';
import { createGzipCodec } from '../../../src/adapters/temporal/gzip-codec.js';
import { payloadEncoding, payloadToBytes } from '../../../src/adapters/temporal/payload-bytes.js';

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) ?? {};
const valueOf = (payload: Payload): unknown => defaultPayloadConverter.fromPayload(payload);
const encodeOne = async (codec: PayloadCodec, payload: Payload): Promise<Payload> =>
  (await codec.encode([payload]))[0] ?? {};
const decodeOne = async (codec: PayloadCodec, payload: Payload): Promise<Payload> =>
  (await codec.decode([payload]))[0] ?? {};

const KEY_A = { id: 'a', key: Buffer.alloc(32, 1) };
const KEY_B = { id: 'b', key: Buffer.alloc(32, 2) };
const encryption = (...keys: EncryptionKey[]): PayloadCodec =>
  createEncryptionCodec({ keys, stableFromBytes: 10_000 });

describe('the gzip codec', () => {
  const codec = createGzipCodec();

  test('leaves payloads of up to 64 KiB as they are', async () => {
    const payload = payloadOf('a'.repeat(64 * 1024 - 2));
    expect(payload.data?.byteLength).toBe(64 * 1024);
    expect(await encodeOne(codec, payload)).toBe(payload);
  });

  test('makes larger payloads smaller, to the same bytes each time, and back', async () => {
    const payload = payloadOf('a'.repeat(100_000));
    const encoded = await encodeOne(codec, payload);
    expect(payloadEncoding(encoded)).toBe('binary/gzip');
    expect(encoded.data?.byteLength).toBeLessThan(1_000);
    expect(payloadToBytes(await encodeOne(codec, payload))).toEqual(payloadToBytes(encoded));
    expect(valueOf(await decodeOne(codec, encoded))).toBe('a'.repeat(100_000));
  });

  test('leaves payloads that do not get smaller as they are', async () => {
    const payload = payloadOf(new Uint8Array(randomBytes(100_000)));
    expect(await encodeOne(codec, payload)).toBe(payload);
  });
});

describe('payloads that were not made by us', () => {
  test('pass through the gzip codec, and become a text that says so', async () => {
    const broken = { metadata: { encoding: Buffer.from('binary/gzip') }, data: Buffer.from('no gzip') };
    expect(await decodeOne(createGzipCodec(), broken)).toBe(broken);
    expect(valueOf(await decodeOne(createReadableCodec(), broken))).toContain(
      'binary/gzip that cannot be read',
    );
    const cut = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"a":') };
    expect(valueOf(await decodeOne(createReadableCodec(), cut))).toContain('cannot be read');
    const fine = payloadOf({ a: 1 });
    expect(await decodeOne(createReadableCodec(), fine)).toBe(fine);
  });
});

describe('the encryption codec', () => {
  test('brings any value back, whatever other codecs do before it', async () => {
    const gzip = createGzipCodec(20);
    const encrypt = encryption(KEY_A);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const encoded = await encodeOne(encrypt, await encodeOne(gzip, payloadOf(value)));
        expect(payloadEncoding(encoded)).toBe('binary/encrypted');
        expect(JSON.stringify(valueOf(await decodeOne(gzip, await decodeOne(encrypt, encoded))))).toBe(
          JSON.stringify(value),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('shows neither the value nor its own encoding', async () => {
    const bytes = Buffer.from(
      payloadToBytes(await encodeOne(encryption(KEY_A), payloadOf({ password: 'hunter2' }))),
    );
    expect(bytes.includes('hunter2')).toBe(false);
    expect(bytes.includes('json/plain')).toBe(false);
  });

  test('encrypts with the first key and decrypts with all', async () => {
    const old = await encodeOne(encryption(KEY_A), payloadOf('old'));
    const rotated = encryption(KEY_B, KEY_A);
    expect(valueOf(await decodeOne(rotated, old))).toBe('old');
    const fresh = await encodeOne(rotated, payloadOf('new'));
    expect(valueOf(await decodeOne(encryption(KEY_B), fresh))).toBe('new');
  });

  test('never makes equal bytes of equal small payloads, and always of equal large ones', async () => {
    const codec = encryption(KEY_A);
    const twice = async (text: string): Promise<boolean> => {
      const [first, second] = [
        await encodeOne(codec, payloadOf(text)),
        await encodeOne(codec, payloadOf(text)),
      ];
      return Buffer.from(payloadToBytes(first)).equals(payloadToBytes(second));
    };
    expect(await twice('yes')).toBe(false);
    expect(await twice('y'.repeat(10_000))).toBe(true);
    const [left, right] = [
      await encodeOne(codec, payloadOf('x'.repeat(10_000))),
      await encodeOne(codec, payloadOf('z'.repeat(10_000))),
    ];
    expect(Buffer.from(left.data ?? []).subarray(0, 12)).not.toEqual(
      Buffer.from(right.data ?? []).subarray(0, 12),
    );
  });

  test('names the key that is missing', async () => {
    const encoded = await encodeOne(encryption(KEY_A), payloadOf('x'));
    for (const codec of [encryption(KEY_B), encryption()]) {
      await expect(codec.decode([encoded])).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('key "a"'),
        details: { keyId: 'a' },
      });
    }
  });

  test('refuses a payload that was changed, cut, or encrypted with another key of the same name', async () => {
    const encoded = await encodeOne(encryption(KEY_A), payloadOf('transfer 10'));
    const data = Buffer.from(encoded.data ?? []);
    const changed = Buffer.from(data);
    changed[20] = (changed[20] ?? 0) ^ 1;
    const other = encryption({ id: 'a', key: Buffer.alloc(32, 9) });
    const mustFail = { code: 'CONFIG_INVALID', message: expect.stringContaining('cannot be decrypted') };
    await expect(encryption(KEY_A).decode([{ ...encoded, data: changed }])).rejects.toMatchObject(mustFail);
    await expect(encryption(KEY_A).decode([{ ...encoded, data: data.subarray(0, 5) }])).rejects.toMatchObject(
      mustFail,
    );
    await expect(other.decode([encoded])).rejects.toMatchObject(mustFail);
  });

  test('reads plain payloads, which the Temporal CLI and Web UI send', async () => {
    expect(valueOf(await decodeOne(encryption(KEY_A), payloadOf('plain')))).toBe('plain');
  });
});
