import { fetch } from 'undici';
import { createOpenRouterModel } from '../../../src/adapters/openrouter/model.js';

// The network does not fail in these ways on demand.
jest.mock('undici', () => ({ ...jest.requireActual<object>('undici'), fetch: jest.fn() }));

const REQUEST = {
  model: 'm',
  items: [],
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 1,
  metadata: {},
  sessionId: 'r',
} as const;

test.each([
  [
    'took too long',
    'UND_ERR_CONNECT_TIMEOUT',
    'Connect Timeout Error (attempted address: 192.0.2.1:443)',
    true,
  ],
  ['is to a name that nobody knows', 'ENOTFOUND', 'getaddrinfo ENOTFOUND api.invalid', true],
  ['was reset, perhaps after the request', 'ECONNRESET', 'read ECONNRESET', false],
  ['took too long to answer', 'UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error', false],
])('says whether nothing was billed when a connection %s', async (_name, code, message, unbilled) => {
  const cause = Object.assign(new Error(message), { code });
  jest.mocked(fetch).mockRejectedValueOnce(new TypeError('fetch failed', { cause }));
  const model = createOpenRouterModel({ apiKey: 'sk-or-v1-test', baseUrl: 'http://127.0.0.1/api/v1' });
  const error: unknown = await model
    .call(REQUEST, { signal: new AbortController().signal })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE', retryable: true });
  expect(error).toHaveProperty('details', unbilled ? { unbilled: true } : {});
});
