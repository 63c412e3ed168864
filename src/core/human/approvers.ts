/** A new pair of keys: what signs, and the line that names who has it. */
export interface ApproverKey {
  /** PKCS#8 in PEM. Secret. */
  privateKeyPem: string;
  /** See {@link Approver}. */
  approver: string;
}

/** Who may decide, read out of a line `ed25519:<base64 of the raw 32-byte public key>[ name]`. */
export interface Approver {
  /** Base64 of the raw public key. */
  key: string;
  name: string | null;
}

/** Longest name of an approver, in characters. */
export const MAX_APPROVER_NAME_CHARS = 100;

/** 32 bytes in base64, written in the only canonical way: the last digit has two bits to spare. */
const LINE = /^ed25519:([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)(?: (.+))?$/s;

/** Control characters, line separators, and what turns the direction of text: a name is shown to whoever looks at a decision. */
const UNFIT_FOR_NAMES = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/**
 * Points of small order in every encoding. Signatures that fit them can be made by anybody, without a private key; the first one is
 * what a row of zeros as a placeholder comes to. Computed from the curve of RFC 8032 §5.1.
 */
const WEAK_KEYS = new Set([
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA=',
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA=',
  'JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=',
  'JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/IU=',
  'xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=',
  'xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA/o=',
  '7P///////////////////////////////////////38=',
  '7P////////////////////////////////////////8=',
  '7f///////////////////////////////////////38=',
  '7f////////////////////////////////////////8=',
  '7v///////////////////////////////////////38=',
  '7v////////////////////////////////////////8=',
]);

/** Reads a line that names an approver; `null` when it is none. */
export function parseApprover(line: unknown): Approver | null {
  const [, key, name = null] = (typeof line === 'string' && LINE.exec(line)) || [];
  if (key === undefined || WEAK_KEYS.has(key)) return null;
  return name === null || isApproverName(name) ? { key, name } : null;
}

/** Whether a line names an approver. */
export function isApprover(line: unknown): line is string {
  return parseApprover(line) !== null;
}

/** Whether an approver may have this name. */
export function isApproverName(name: string): boolean {
  return (
    name !== '' &&
    name === name.trim() &&
    name.length <= MAX_APPROVER_NAME_CHARS &&
    !UNFIT_FOR_NAMES.test(name)
  );
}

/** What an approver is called on record: the name, or the key of one without. */
export function approverId({ key, name }: Approver): string {
  return name ?? `ed25519:${key}`;
}
