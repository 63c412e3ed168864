import { z } from 'zod';
import type { McpServer } from '../tools/define-config.js';

const MAX_INT32 = 2_147_483_647;
// Leaves room for the tool in the 64 characters that a name may have.
const SERVER_NAME = /^[a-zA-Z0-9_-]{1,32}$/;
const ENV_NAME = /^[^=\0]+$/;

const text = z.string('must be a text').min(1, 'must not be empty');
const texts = z.array(text, 'must be a list of texts');
const milliseconds = z
  .int('must be a whole number of milliseconds')
  .min(1, 'must be 1 or more')
  .max(MAX_INT32, `must be at most ${MAX_INT32}`);

const options = {
  tools: texts.exactOptional(),
  effects: z
    .record(
      z.string(),
      z.enum(['read', 'idempotent', 'once'], "must be 'read', 'idempotent' or 'once'"),
      'must be effects by tool',
    )
    .exactOptional(),
  approval: z.enum(['always', 'never'], "must be 'always' or 'never'").exactOptional(),
  trustAnnotations: z.boolean('must be true or false').exactOptional(),
  timeoutMs: milliseconds.exactOptional(),
  connectTimeoutMs: milliseconds.exactOptional(),
};

const program = z.strictObject({
  ...options,
  command: text,
  args: z.array(z.string('must be a text'), 'must be a list of texts').exactOptional(),
  env: z
    .record(
      z.string(),
      z.string('must be a text').refine((value) => !value.includes('\0'), 'must not contain a zero byte'),
      'must be texts by variable',
    )
    .refine((env) => Object.keys(env).every((name) => ENV_NAME.test(name)), 'must have names of variables')
    .exactOptional(),
});

const address = z.strictObject({
  ...options,
  url: z.string('must be an address').refine(isPlainUrl, {
    message: 'must be an http or https address without user and password: those belong into headers',
  }),
  headers: z
    .record(z.string(), z.string('must be a text'), 'must be texts by header')
    .refine(areHeaders, 'must be names and values that HTTP allows')
    .exactOptional(),
});

const server = z.unknown().transform((value, context): McpServer => {
  const isObject = typeof value === 'object' && value !== null;
  if (!isObject || 'command' in value === 'url' in value) {
    context.addIssue({ code: 'custom', message: 'must have either a command or a url' });
    return z.NEVER;
  }
  const checked = 'command' in value ? program.safeParse(value) : address.safeParse(value);
  if (checked.success) return checked.data;
  // Only path and message: an issue can hold the value, which may be a secret.
  for (const { path, message } of checked.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

/** `mcpServers` of the configuration module, by name. No message repeats a value: it may be a secret. */
export const mcpServersConfig = z
  .record(z.string(), server, 'must be servers by name')
  .check(({ value, issues }) => {
    const names = Object.keys(value);
    for (const name of names.filter((one) => !SERVER_NAME.test(one)))
      issues.push({
        code: 'custom',
        path: [name],
        message: 'must have a name of 1 to 32 letters, digits, _ or -',
        input: value,
      });
    for (const [one, other] of ambiguousNames(names))
      issues.push({
        code: 'custom',
        message: `must not have both "${one}" and "${other}": tools of the two could get the same name`,
        input: value,
      });
  });

/** `a__b` + `__` + `c` is also `a` + `__` + `b__c`. */
function ambiguousNames(names: readonly string[]): [string, string][] {
  return names.flatMap((one) =>
    names
      .filter((other) => other !== one && `${other}__`.startsWith(`${one}__`))
      .map((other): [string, string] => [one, other]),
  );
}

function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

function areHeaders(value: Record<string, string>): boolean {
  try {
    return new Headers(value) instanceof Headers;
  } catch {
    return false;
  }
}
