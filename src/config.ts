import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AgentError } from './core/errors.js';
import type { EncryptionKey } from './ports/encryption.js';
import type { Wire } from './ports/model.js';

/** Everything that the environment says, checked and frozen. Secrets are not enumerable, so logging it shows none. */
export interface Config {
  openrouter: {
    /** Without a slash at the end. */
    baseUrl: string;
    /** Not enumerable. `null` when not set. */
    readonly apiKey: string | null;
  };
  /** For runs that name none. */
  model: string;
  /** Likewise. */
  wire: Wire;
  taskQueue: string;
  /** The configuration module that is asked for, absolute; `null`: the default one, if present. */
  configPath: string | null;
  /** Absolute. */
  dataDir: string;
  /** Absolute. */
  workspace: string;
  blobs: { kind: 'file'; dir: string };
  bus: { kind: 'in-process' };
  console: {
    /** Not enumerable. `null` when not set. */
    readonly token: string | null;
  };
  /** The shell tool: not there; there where commands can be confined by bubblewrap; there without any confinement. */
  shell: 'off' | 'sandboxed' | 'unconfined';
  webhook: {
    /** Signs what is sent. Not enumerable. `null` when not set. */
    readonly secret: string | null;
    /** `host:port` that may be called though it is not on the public internet. */
    allow: readonly string[];
  };
  /** The first one encrypts, all decrypt. Empty: payloads are not encrypted. */
  encryptionKeys: readonly EncryptionKey[];
  heartbeatTimeoutMs: number;
  stallTimeoutMs: number;
  firstContentTimeoutMs: number;
  continueAsNewEvents: number;
  /** `host:port` where workers serve their metrics; `null`: they serve none. */
  metricsAddress: string | null;
  /** The rest of `TEMPORAL_*` is read by Temporal's own environment configuration. */
  temporal: { addressIsSet: boolean };
  /** `NO_COLOR` is set and not empty (https://no-color.org). */
  noColor: boolean;
}

/** Where OpenRouter is; its API needs a key. */
export const DEFAULT_BASE_URL = 'https://openrouter.ai/api/v1';

/** Our own choice, the contract names none: small, cheap, good with tools. */
export const DEFAULT_MODEL = 'openai/gpt-5-mini';

const DAY_MS = 86_400_000;

const count = (options: { min: number; max: number; fallback: number }) => {
  const message = `must be a whole number from ${options.min} to ${options.max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(options.min, message).max(options.max, message))
    .default(options.fallback);
};
const word = (message: string) => z.string().regex(/^[^\s\p{Cc}]{1,200}$/u, message);
const headerValue = () =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,1000}$/, 'must be one word of visible ASCII characters')
    .optional();

const variables = z.object({
  OPENROUTER_API_KEY: headerValue(),
  OPENROUTER_BASE_URL: z.string().refine(isBaseUrl, baseUrlRule()).default(DEFAULT_BASE_URL),
  LONGHAUL_MODEL: word('must be a model name of up to 200 characters, without spaces').default(DEFAULT_MODEL),
  LONGHAUL_WIRE: z.enum(['chat', 'responses'], 'must be chat or responses').default('chat'),
  LONGHAUL_TASK_QUEUE: word('must be a name of up to 200 characters, without spaces').default('longhaul'),
  LONGHAUL_CONFIG: z.string().optional(),
  LONGHAUL_DATA_DIR: z.string().default('.longhaul'),
  LONGHAUL_WORKSPACE: z.string().default('.'),
  LONGHAUL_BLOB_URL: z
    .string()
    .refine((url) => !url.startsWith('s3:'), {
      error: 'must begin with file: because s3: is not available in this version',
      abort: true,
    })
    .refine(isFileUrl, 'must be file: or file:///directory')
    .default('file:'),
  LONGHAUL_BUS_URL: z
    .string()
    .optional()
    .refine(
      (url) => url === undefined,
      'must be left out: redis is not available in this version, the bus is in-process',
    ),
  LONGHAUL_CONSOLE_TOKEN: headerValue(),
  LONGHAUL_SHELL: z
    .enum(['off', 'sandboxed', 'unconfined'], 'must be off, sandboxed or unconfined')
    .default('off'),
  LONGHAUL_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  LONGHAUL_WEBHOOK_ALLOW: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .refine((hosts) => hosts.every((host) => /^[^\s/@]+:\d{1,5}$/.test(host)), 'must be a list of host:port'),
  LONGHAUL_ENCRYPTION_KEYS: z.string().default('').transform(parseKeys),
  LONGHAUL_HEARTBEAT_TIMEOUT_MS: count({ min: 1_000, max: 600_000, fallback: 8_000 }),
  LONGHAUL_STALL_TIMEOUT_MS: count({ min: 1, max: DAY_MS, fallback: 120_000 }),
  LONGHAUL_FIRST_CONTENT_TIMEOUT_MS: count({ min: 1, max: DAY_MS, fallback: 300_000 }),
  // From 10: a run must get to its first step before it continues as new. To 50,000: the server ends a run at 51,200 events.
  LONGHAUL_CONTINUE_AS_NEW_EVENTS: count({ min: 10, max: 50_000, fallback: 2_000 }),
  LONGHAUL_METRICS_ADDRESS: z
    .string()
    .refine(isListenAddress, 'must be an IP address and a port, such as 127.0.0.1:9464')
    .optional(),
  TEMPORAL_ADDRESS: z.string().optional(),
  NO_COLOR: z.string().optional(),
});

/**
 * Reads the environment. Values are trimmed, empty ones count as not set, relative paths are relative to `cwd`.
 * @throws AgentError `CONFIG_INVALID`, one for all problems, naming each variable and what fits; never with a value in it.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  cwd: string = process.cwd(),
): Config {
  const given = Object.entries(env).map(([name, value]) => [name, value?.trim() || undefined]);
  const result = variables.safeParse(Object.fromEntries(given));
  if (!result.success) {
    const problems = new Map(result.error.issues.map(({ path, message }) => [String(path[0]), message]));
    throw new AgentError(
      'CONFIG_INVALID',
      [...problems].map(([name, message]) => `${name} ${message}.`).join(' '),
    );
  }
  const values = result.data;
  const dataDir = resolve(cwd, values.LONGHAUL_DATA_DIR);
  return Object.freeze({
    openrouter: withSecret(
      { baseUrl: values.OPENROUTER_BASE_URL.replace(/\/+$/, '') },
      'apiKey',
      values.OPENROUTER_API_KEY ?? null,
    ),
    model: values.LONGHAUL_MODEL,
    wire: values.LONGHAUL_WIRE,
    taskQueue: values.LONGHAUL_TASK_QUEUE,
    configPath: values.LONGHAUL_CONFIG === undefined ? null : resolve(cwd, values.LONGHAUL_CONFIG),
    dataDir,
    workspace: resolve(cwd, values.LONGHAUL_WORKSPACE),
    blobs: Object.freeze({ kind: 'file', dir: blobDir(values.LONGHAUL_BLOB_URL, { cwd, dataDir }) }),
    bus: Object.freeze({ kind: 'in-process' }),
    console: withSecret({}, 'token', values.LONGHAUL_CONSOLE_TOKEN ?? null),
    shell: values.LONGHAUL_SHELL,
    webhook: withSecret(
      { allow: Object.freeze(values.LONGHAUL_WEBHOOK_ALLOW) },
      'secret',
      values.LONGHAUL_WEBHOOK_SECRET ?? null,
    ),
    encryptionKeys: Object.freeze(values.LONGHAUL_ENCRYPTION_KEYS),
    heartbeatTimeoutMs: values.LONGHAUL_HEARTBEAT_TIMEOUT_MS,
    stallTimeoutMs: values.LONGHAUL_STALL_TIMEOUT_MS,
    firstContentTimeoutMs: values.LONGHAUL_FIRST_CONTENT_TIMEOUT_MS,
    continueAsNewEvents: values.LONGHAUL_CONTINUE_AS_NEW_EVENTS,
    metricsAddress: values.LONGHAUL_METRICS_ADDRESS ?? null,
    temporal: Object.freeze({ addressIsSet: values.TEMPORAL_ADDRESS !== undefined }),
    noColor: values.NO_COLOR !== undefined,
  });
}

/**
 * The key for the model API; `null` when none is set and the server is not OpenRouter, which may then need none.
 * @throws AgentError `CONFIG_INVALID` when OpenRouter itself would be called without a key.
 */
export function requireModelKey(config: Pick<Config, 'openrouter'>): string | null {
  const { apiKey, baseUrl } = config.openrouter;
  if (apiKey === null && baseUrl === DEFAULT_BASE_URL) {
    throw new AgentError(
      'CONFIG_INVALID',
      'OPENROUTER_API_KEY is not set. Set it to a key from https://openrouter.ai/keys, ' +
        'or point OPENROUTER_BASE_URL at another OpenAI-compatible server.',
    );
  }
  return apiKey;
}

function withSecret<Shown extends object, Name extends string, Secret>(
  shown: Shown,
  name: Name,
  secret: Secret,
): Shown & Readonly<Record<Name, Secret>> {
  const holder = Object.defineProperty({ ...shown }, name, { value: secret, enumerable: false });
  return Object.freeze(holder) as Shown & Readonly<Record<Name, Secret>>; // defineProperty does not tell the type what it added.
}

function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return (
    (protocol === 'http:' || protocol === 'https:') &&
    [username, password, search, hash].every((part) => part === '')
  );
}

function baseUrlRule(): string {
  return 'must be an http or https address without user name, password, query and fragment';
}

function isFileUrl(value: string): boolean {
  try {
    return value.startsWith('file://') ? fileURLToPath(value) !== '' : value.startsWith('file:');
  } catch {
    return false; // It names a host, or hides a slash.
  }
}

function isListenAddress(value: string): boolean {
  const [, host = '', port = ''] = /^\[?([0-9a-f:.]+?)\]?:(\d{1,5})$/i.exec(value) ?? [];
  return isIP(host) !== 0 && Number(port) >= 1 && Number(port) <= 65_535;
}

function blobDir(url: string, { cwd, dataDir }: { cwd: string; dataDir: string }): string {
  const path = url.slice('file:'.length);
  if (path === '') return resolve(dataDir, 'blobs');
  return path.startsWith('//') ? fileURLToPath(url) : resolve(cwd, path);
}

function parseKeys(list: string, context: z.RefinementCtx): EncryptionKey[] {
  const keys: EncryptionKey[] = [];
  for (const entry of list
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)) {
    const [, id, encoded] = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/_-]{43}=?)$/.exec(entry) ?? [];
    if (id === undefined || encoded === undefined || keys.some((other) => other.id === id)) {
      context.addIssue(
        'must be a list of id:base64 with different ids, each key being 32 bytes (44 characters of base64)',
      );
      return z.NEVER;
    }
    keys.push(withSecret({ id }, 'key', Buffer.from(encoded, 'base64')));
  }
  return keys;
}

/** The environment for commands that are run, such as Go and the Temporal CLI: all of it but our secrets. */
export function commandEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  const secrets = [
    'OPENROUTER_API_KEY',
    'LONGHAUL_CONSOLE_TOKEN',
    'LONGHAUL_ENCRYPTION_KEYS',
    'LONGHAUL_WEBHOOK_SECRET',
    'TEMPORAL_API_KEY',
  ];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secrets.includes(name)));
}
