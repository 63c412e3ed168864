import { isUnsent, systemCode, unsentError } from '../../../src/adapters/openrouter/network-error.js';

const error = (more: object, cause?: unknown) => Object.assign(new Error('x', { cause }), more);
const fetchFailed = (cause: unknown) => error({}, cause);

describe('isUnsent', () => {
  it.each<[string, unknown]>([
    ['a refused connection', fetchFailed(error({ code: 'ECONNREFUSED', syscall: 'connect' }))],
    ['a name that is not known', fetchFailed(error({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }))],
    ['a resolver that does not answer', error({ code: 'EAI_AGAIN' })],
    ['a connection that took too long', fetchFailed(error({ code: 'UND_ERR_CONNECT_TIMEOUT' }))],
    ['a connection that the system gave up', error({ code: 'ETIMEDOUT', syscall: 'connect' })],
    ['a certificate that is not trusted', error({ code: 'SELF_SIGNED_CERT_IN_CHAIN' })],
    [
      'addresses none of which answered',
      fetchFailed(
        error({ code: 'ETIMEDOUT', errors: [error({ syscall: 'connect' }), error({ syscall: 'connect' })] }),
      ),
    ],
  ])('is true of %s, in the words of the network and in ours', (_name, thrown) => {
    expect(isUnsent(thrown)).toBe(true);
    const said = unsentError(thrown);
    expect(isUnsent(fetchFailed(said))).toBe(true);
    expect(systemCode(said)).toBe(systemCode(thrown));
    // As `openai` tells a timeout, of which it drops the cause.
    expect(`${String(said)}${String(said.cause)}`).not.toMatch(/timed? ?out/i);
  });

  it.each<[string, unknown]>([
    ['a reset', fetchFailed(error({ code: 'ECONNRESET', syscall: 'read' }))],
    ['a socket that closed', fetchFailed(error({ code: 'UND_ERR_SOCKET' }))],
    ['a timeout of a connection', error({ code: 'ETIMEDOUT', syscall: 'read' })],
    ['headers that took too long', error({ code: 'UND_ERR_HEADERS_TIMEOUT' })],
    ['an abort', error({ name: 'AbortError' })],
    [
      'several errors, one of which is no refusal',
      error({ errors: [error({ syscall: 'connect' }), error({})] }),
    ],
    ['no errors in a list', error({ errors: [] })],
    ['no error', 'ECONNREFUSED'],
    ['nothing', undefined],
  ])('is false of %s', (_name, thrown) => {
    expect(isUnsent(thrown)).toBe(false);
  });

  it('ends with causes that go in a circle', () => {
    const circle = error({});
    circle.cause = circle;
    expect(isUnsent(circle)).toBe(false);
  });
});
