// Codes that can only come before a request is on its way: no name, no port, no certificate to be trusted.
const UNSENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);
// Other codes (ETIMEDOUT, EHOSTUNREACH) are also those of connections that broke; then the system call tells.
const UNSENT_CALLS = new Set(['connect', 'getaddrinfo']);
const MAX_CAUSES = 5;

/** The system's short code (`ECONNREFUSED`) from an error or from what caused it. */
export function systemCode(error: unknown): string | undefined {
  return withCauses(error)
    .map((each) => textOf(each, 'code'))
    .find((code) => code !== undefined);
}

/** Whether an error of the network means that no connection was made, so that no byte of the request left. */
export function isUnsent(error: unknown): boolean {
  return withCauses(error).some(
    (each) =>
      UNSENT_CODES.has(textOf(each, 'code') ?? '') ||
      UNSENT_CALLS.has(textOf(each, 'syscall') ?? '') ||
      // All addresses of a host were tried.
      ('errors' in each &&
        Array.isArray(each.errors) &&
        each.errors.length > 0 &&
        each.errors.every(isUnsent)),
  );
}

/** Says the same as an error that {@link isUnsent}, in words that `openai` does not take for a timeout: from those it drops the cause. */
export function unsentError(error: unknown): Error {
  const said = new Error('no connection could be made');
  return Object.assign(said, { code: systemCode(error), syscall: 'connect' });
}

/** A text property of an error. Not by `instanceof`: what the network throws may come from another realm. */
export function textOf(value: unknown, key: 'code' | 'message' | 'syscall'): string | undefined {
  if (typeof value !== 'object' || value === null || !(key in value)) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' ? found : undefined;
}

function withCauses(error: unknown): object[] {
  const chain: object[] = [];
  let found = error;
  while (typeof found === 'object' && found !== null && chain.length < MAX_CAUSES) {
    chain.push(found);
    found = 'cause' in found ? found.cause : undefined;
  }
  return chain;
}
