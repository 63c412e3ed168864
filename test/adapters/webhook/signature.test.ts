import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { signWebhook, verifyWebhook, webhookKey } from '../../../src/adapters/webhook/signature.js';

const SECRET = 'sixteen letters or more';
const NOW_MS = 1_700_000_000_000;
const BODY = '{"type":"run_completed","text":"ü"}';

const signed = (changes: Partial<{ secret: string; id: string; timestamp: string; body: string }> = {}) => {
  const { secret, id, timestamp, body } = {
    secret: SECRET,
    id: 'first_1',
    timestamp: String(NOW_MS / 1_000),
    body: BODY,
    ...changes,
  };
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signWebhook({ key: webhookKey(secret), id, timestamp, body }),
  };
};
const verify = (headers: Parameters<typeof verifyWebhook>[0]['headers'], changes: object = {}) =>
  verifyWebhook({ secret: SECRET, headers, body: BODY, nowMs: NOW_MS, ...changes });

it('signs the example that implementations of Standard Webhooks share', () => {
  const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const message = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: '1614265330',
    body: '{"test": 2432232314}',
  };

  expect(signWebhook({ key, ...message })).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

it.each([
  ['as it is', SECRET, Buffer.from(SECRET, 'utf8')],
  ['beyond ASCII as UTF-8', 'größe größe größe', Buffer.from('größe größe größe', 'utf8')],
  ['after whsec_ as base64', 'whsec_AAEC/+8=', Buffer.from([0, 1, 2, 255, 239])],
])('takes a secret %s', (_, secret, key) => {
  const { 'webhook-signature': signature } = signed({ secret });

  const digest = createHmac('sha256', key)
    .update(`first_1.${NOW_MS / 1_000}.${BODY}`)
    .digest('base64');
  expect(signature).toBe(`v1,${digest}`);
});

it.each(['', 'whsec_', 'whsec_?', 'whsec_a b c d', 'whsec_AAAA=AAAA'])('refuses the secret %j', (secret) => {
  const refusal = expect.objectContaining({ code: 'CONFIG_INVALID' });

  expect(() => webhookKey(secret)).toThrow(refusal);
  expect(() => verify(signed(), { secret })).toThrow(refusal);
});

describe('a message that was signed', () => {
  it('passes, whatever its text, id and secret', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.stringMatching(/^[\w-]{1,40}$/),
        fc.string({ minLength: 16 }),
        (body, id, rest) => {
          const secret = `x${rest}`;
          expect(verify(signed({ body, id, secret }), { body, secret })).toBe(true);
        },
      ),
    );
  });

  it('passes as bytes, and with headers of any kind', () => {
    const headers = signed();
    const shouted = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
    );

    expect(verify(headers, { body: Buffer.from(BODY) })).toBe(true);
    expect(verify(new Headers(headers))).toBe(true);
    expect(verify(shouted)).toBe(true);
  });

  it('passes when one of several signatures fits', () => {
    const { 'webhook-signature': signature, ...headers } = signed();

    const several = `v1a,AAAA v1,${'A'.repeat(43)}= ${signature}`;
    expect(verify({ ...headers, 'webhook-signature': several })).toBe(true);
  });

  it.each([
    [-300_000, true],
    [300_000, true],
    [-300_001, false],
    [300_001, false],
    [NaN, false],
  ])('and is judged %i ms later passes: %s', (laterMs, passes) => {
    expect(verify(signed(), { nowMs: NOW_MS + laterMs })).toBe(passes);
  });

  it('is held against the tolerance that is asked for', () => {
    expect(verify(signed(), { nowMs: NOW_MS + 1_000, toleranceMs: 999 })).toBe(false);
    expect(verify(signed(), { nowMs: NOW_MS + 600_000, toleranceMs: 600_000 })).toBe(true);
    expect(verify(signed(), { toleranceMs: NaN })).toBe(false);
  });

  it('is judged by the clock when no time is given', () => {
    const now = signed({ timestamp: String(Math.floor(Date.now() / 1_000)) });

    expect(verifyWebhook({ secret: SECRET, headers: now, body: BODY })).toBe(true);
    expect(verifyWebhook({ secret: SECRET, headers: signed(), body: BODY })).toBe(false);
  });
});

describe('a message is refused', () => {
  const good = signed();

  it.each<[string, Record<string, string | string[] | undefined>]>([
    ['without headers', {}],
    ['without an id', { ...good, 'webhook-id': undefined }],
    ['with another id', { ...good, 'webhook-id': 'first_2' }],
    ['with another time', { ...good, 'webhook-timestamp': String(NOW_MS / 1_000 + 1) }],
    ['with a time that is no number', { ...signed({ timestamp: 'now' }) }],
    ['with a time below zero', { ...signed({ timestamp: '-1' }) }],
    ['without a signature', { ...good, 'webhook-signature': undefined }],
    ['with an empty signature', { ...good, 'webhook-signature': '' }],
    ['with a signature of nothing', { ...good, 'webhook-signature': 'v1,' }],
    [
      'with a signature of another version',
      { ...good, 'webhook-signature': good['webhook-signature'].replace('v1', 'v2') },
    ],
    ['with half a signature', { ...good, 'webhook-signature': good['webhook-signature'].slice(0, 20) }],
    ['with a longer signature', { ...good, 'webhook-signature': `${good['webhook-signature']}=` }],
    ['signed with another secret', signed({ secret: 'another secret of some length' })],
    ['with a header that is there twice', { ...good, 'webhook-id': ['first_1', 'first_1'] }],
  ])('%s', (_, headers) => {
    expect(verify(headers)).toBe(false);
  });

  it('when any one byte of it is another', () => {
    fc.assert(
      fc.property(fc.nat(Buffer.byteLength(BODY) - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const body = Buffer.from(BODY);
        body[index] = (body[index] ?? 0) ^ change;
        expect(verify(good, { body })).toBe(false);
      }),
    );
  });
});
