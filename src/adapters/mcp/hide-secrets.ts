import type { McpServer } from '../tools/define-config.js';

/** Takes what the configuration of a server holds in confidence out of texts. */
export interface SecretGuard {
  /** For errors and logs: no value of `env` and `headers`, no secret among the arguments, and nothing of the address but its host. */
  hideAll: (text: string) => string;
  /** For results, in which a directory of `env` may well stand: what is a secret by its place or name. */
  hideSecrets: (text: string) => string;
}

// Anything shorter is no secret, and would be found everywhere.
const MIN_SECRET_CHARS = 4;
const SECRET_NAME = /key|token|secret|pass|pwd|auth|cred|private|cookie|session|dsn|_url$/i;
const HIDDEN = '[hidden]';

/** Makes the {@link SecretGuard} of a server. */
export function guardSecrets(server: McpServer): SecretGuard {
  const isProgram = 'command' in server;
  const named = Object.entries((isProgram ? server.env : server.headers) ?? {});
  const args = isProgram ? (server.args ?? []) : [];
  const isSecret = ([name]: readonly [string, string]) => SECRET_NAME.test(name);
  const addresses = (isProgram ? args.filter(isAddress) : [server.url]).flatMap(addressParts);
  return {
    hideAll: hiding([...valuesOf([...named, ...namedArgs(args).filter(isSecret)]), ...addresses]),
    hideSecrets: hiding(valuesOf(named.filter(isSecret))),
  };
}

/** `--token x`, `--token=x` and `Authorization: x`. Whether a text without a name is a secret, nothing tells. */
function namedArgs(args: readonly string[]): [name: string, value: string][] {
  return args.map((arg, index) => {
    const [, name = '', value] = /^-*([\w.-]+)\s*(?:[=:]\s*(.*))?$/s.exec(arg) ?? [];
    const next = arg.startsWith('-') ? args[index + 1] : undefined;
    return [name, value ?? next ?? ''];
  });
}

function isAddress(arg: string): boolean {
  return /^https?:\/\//.test(arg) && URL.canParse(arg);
}

/** `Bearer x` is a secret, and so is `x`. */
function valuesOf(named: readonly [name: string, value: string][]): string[] {
  return named.flatMap(([, value]) => [value, value.slice(value.indexOf(' ') + 1)]);
}

/** Addresses carry keys in their path and query. */
function addressParts(address: string): string[] {
  const url = new URL(address);
  const path = url.pathname.split('/').filter((part) => part.length >= 16);
  return [address, url.href, url.search, ...url.searchParams.values(), ...path];
}

function hiding(values: readonly string[]): (text: string) => string {
  const secrets = [...new Set(values.flatMap((value) => [value, value.trim(), encodeURIComponent(value)]))]
    .filter((value) => value.length >= MIN_SECRET_CHARS)
    // A secret that contains another one goes first, or a part of it would stay.
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
}
