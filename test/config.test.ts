import { inspect } from 'node:util';
import fc from 'fast-check';
import { DEFAULT_MODEL, loadConfig, requireModelKey } from '../src/config.js';

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const invalid = (words: string) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) });

test('an empty environment gives the defaults of the contract', () => {
  const config = loadConfig({}, '/home/me');

  expect(config).toEqual({
    openrouter: { baseUrl: 'https://openrouter.ai/api/v1' },
    model: DEFAULT_MODEL,
    wire: 'chat',
    taskQueue: 'longhaul',
    configPath: null,
    dataDir: '/home/me/.longhaul',
    workspace: '/home/me',
    blobs: { kind: 'file', dir: '/home/me/.longhaul/blobs' },
    bus: { kind: 'in-process' },
    console: {},
    shell: 'off',
    webhook: { allow: [] },
    encryptionKeys: [],
    heartbeatTimeoutMs: 8_000,
    stallTimeoutMs: 120_000,
    firstContentTimeoutMs: 300_000,
    continueAsNewEvents: 2_000,
    metricsAddress: null,
    temporal: { addressIsSet: false },
    noColor: false,
  });
  expect(config.openrouter.apiKey).toBeNull();
  expect(config.console.token).toBeNull();
  expect(config.webhook.secret).toBeNull();
});

test('every variable is read', () => {
  const config = loadConfig(
    {
      OPENROUTER_API_KEY: ' sk-or-1 ',
      OPENROUTER_BASE_URL: 'http://127.0.0.1:4010/api/v1//',
      LONGHAUL_MODEL: 'a/b:free',
      LONGHAUL_WIRE: 'responses',
      LONGHAUL_TASK_QUEUE: 'queue-2',
      LONGHAUL_CONFIG: 'conf/agent.ts',
      LONGHAUL_DATA_DIR: '/var/longhaul',
      LONGHAUL_WORKSPACE: 'work',
      LONGHAUL_BLOB_URL: 'file:///var/my%20blobs',
      LONGHAUL_CONSOLE_TOKEN: 'token',
      LONGHAUL_SHELL: 'sandboxed',
      LONGHAUL_WEBHOOK_SECRET: 'sixteen letters!',
      LONGHAUL_WEBHOOK_ALLOW: ' 127.0.0.1:8080, [::1]:9,hooks.internal:443 ,',
      LONGHAUL_ENCRYPTION_KEYS: `new:${key(1)}, old:${key(2)}`,
      LONGHAUL_HEARTBEAT_TIMEOUT_MS: '1000',
      LONGHAUL_STALL_TIMEOUT_MS: '500',
      LONGHAUL_FIRST_CONTENT_TIMEOUT_MS: '600',
      LONGHAUL_CONTINUE_AS_NEW_EVENTS: '50',
      LONGHAUL_METRICS_ADDRESS: '127.0.0.1:9464',
      TEMPORAL_ADDRESS: 'host:7233',
      NO_COLOR: '1',
    },
    '/home/me',
  );

  expect(config).toMatchObject({
    openrouter: { baseUrl: 'http://127.0.0.1:4010/api/v1' },
    model: 'a/b:free',
    wire: 'responses',
    taskQueue: 'queue-2',
    configPath: '/home/me/conf/agent.ts',
    dataDir: '/var/longhaul',
    workspace: '/home/me/work',
    blobs: { dir: '/var/my blobs' },
    shell: 'sandboxed',
    webhook: { allow: ['127.0.0.1:8080', '[::1]:9', 'hooks.internal:443'] },
    heartbeatTimeoutMs: 1_000,
    stallTimeoutMs: 500,
    firstContentTimeoutMs: 600,
    continueAsNewEvents: 50,
    metricsAddress: '127.0.0.1:9464',
    temporal: { addressIsSet: true },
    noColor: true,
  });
  expect(config.openrouter.apiKey).toBe('sk-or-1');
  expect(config.console.token).toBe('token');
  expect(config.webhook.secret).toBe('sixteen letters!');
  expect(config.encryptionKeys.map(({ id, key: bytes }) => [id, bytes])).toEqual([
    ['new', Buffer.alloc(32, 1)],
    ['old', Buffer.alloc(32, 2)],
  ]);
});

test('empty and blank values count as not set', () => {
  expect(
    loadConfig({ LONGHAUL_MODEL: '', LONGHAUL_WIRE: '  ', LONGHAUL_BUS_URL: '', NO_COLOR: '' }, '/'),
  ).toEqual(loadConfig({}, '/'));
});

test.each([
  ['file:blobs', '/home/me/blobs'],
  ['file:/var/blobs', '/var/blobs'],
  ['file:', '/home/me/.longhaul/blobs'],
])('LONGHAUL_BLOB_URL %s means %s', (url, dir) => {
  expect(loadConfig({ LONGHAUL_BLOB_URL: url }, '/home/me').blobs.dir).toBe(dir);
});

test('takes keys in URL-safe base64 and without padding', () => {
  const bytes = Buffer.alloc(32, 0xfb);

  const config = loadConfig({ LONGHAUL_ENCRYPTION_KEYS: `a:${bytes.toString('base64url')}` });

  expect(config.encryptionKeys[0]?.key).toEqual(bytes);
});

test.each([
  ['OPENROUTER_API_KEY', 'two words'],
  ['OPENROUTER_API_KEY', 'sk\nx-evil: 1'],
  ['OPENROUTER_API_KEY', 'schlüssel'],
  ['OPENROUTER_BASE_URL', 'openrouter.ai'],
  ['OPENROUTER_BASE_URL', 'ftp://openrouter.ai'],
  ['OPENROUTER_BASE_URL', 'https://user:pass@openrouter.ai/api'],
  ['OPENROUTER_BASE_URL', 'https://openrouter.ai/api?key=1'],
  ['LONGHAUL_MODEL', 'two words'],
  ['LONGHAUL_MODEL', 'x'.repeat(201)],
  ['LONGHAUL_WIRE', 'grpc'],
  ['LONGHAUL_WIRE', 'Responses'],
  ['LONGHAUL_TASK_QUEUE', 'a\tb'],
  ['LONGHAUL_BLOB_URL', 's3://bucket/prefix'],
  ['LONGHAUL_BLOB_URL', '/var/blobs'],
  ['LONGHAUL_BLOB_URL', 'file://host/blobs'],
  ['LONGHAUL_BLOB_URL', 'file:///a%2Fb'],
  ['LONGHAUL_BUS_URL', 'redis://localhost'],
  ['LONGHAUL_CONSOLE_TOKEN', 'two words'],
  ['LONGHAUL_SHELL', 'on'],
  ['LONGHAUL_SHELL', 'Sandboxed'],
  ['LONGHAUL_WEBHOOK_SECRET', 'fifteen letters'],
  ['LONGHAUL_WEBHOOK_ALLOW', 'hooks.internal'],
  ['LONGHAUL_WEBHOOK_ALLOW', 'a:1,https://hooks.internal:443'],
  ['LONGHAUL_WEBHOOK_ALLOW', 'user@hooks.internal:443'],
  ['LONGHAUL_ENCRYPTION_KEYS', 'nocolon'],
  ['LONGHAUL_ENCRYPTION_KEYS', `a:${Buffer.alloc(16).toString('base64')}`],
  ['LONGHAUL_ENCRYPTION_KEYS', `a:${Buffer.alloc(33).toString('base64')}`],
  ['LONGHAUL_ENCRYPTION_KEYS', `a:${'*'.repeat(43)}`],
  ['LONGHAUL_ENCRYPTION_KEYS', `a:${key(1)},a:${key(2)}`],
  ['LONGHAUL_ENCRYPTION_KEYS', `:${key(1)}`],
  ['LONGHAUL_METRICS_ADDRESS', '9464'],
  ['LONGHAUL_METRICS_ADDRESS', 'localhost:9464'],
  ['LONGHAUL_METRICS_ADDRESS', '127.0.0.1:0'],
  ['LONGHAUL_METRICS_ADDRESS', '127.0.0.1:65536'],
  ['LONGHAUL_METRICS_ADDRESS', 'http://127.0.0.1:9464'],
  ['LONGHAUL_HEARTBEAT_TIMEOUT_MS', '999'],
  ['LONGHAUL_HEARTBEAT_TIMEOUT_MS', '600001'],
  ['LONGHAUL_HEARTBEAT_TIMEOUT_MS', '8s'],
  ['LONGHAUL_HEARTBEAT_TIMEOUT_MS', '1e4'],
  ['LONGHAUL_HEARTBEAT_TIMEOUT_MS', '-8000'],
  ['LONGHAUL_STALL_TIMEOUT_MS', '0'],
  ['LONGHAUL_FIRST_CONTENT_TIMEOUT_MS', '1.5'],
  ['LONGHAUL_CONTINUE_AS_NEW_EVENTS', '9'],
  ['LONGHAUL_CONTINUE_AS_NEW_EVENTS', '50001'],
])('refuses %s=%j by one error that names the variable and not the value', (name, value) => {
  let message = '';
  try {
    loadConfig({ [name]: value });
  } catch (error) {
    expect(error).toEqual(invalid(`${name} must `));
    message = (error as Error).message; // The line above proved it an error.
  }
  expect(message.match(/[A-Z_]{9,}/g)).toEqual([name]);
  if (value.length > 6 && !/^\d+$/.test(value)) expect(message).not.toContain(value);
});

test.each([
  ['LONGHAUL_BLOB_URL', 's3://bucket'],
  ['LONGHAUL_BUS_URL', 'redis://localhost'],
])('says that %s=%s is not available in this version', (name, value) => {
  expect(() => loadConfig({ [name]: value })).toThrow(invalid('not available in this version'));
});

test('names all bad variables in one error', () => {
  const env = { LONGHAUL_WIRE: 'x', LONGHAUL_STALL_TIMEOUT_MS: 'x', LONGHAUL_ENCRYPTION_KEYS: 'x' };

  expect(() => loadConfig(env)).toThrow(
    /^LONGHAUL_WIRE must be chat or responses\. LONGHAUL_ENCRYPTION_KEYS must .*\. LONGHAUL_STALL_TIMEOUT_MS must be a whole number from 1 to 86400000\.$/,
  );
});

test('shows no secret when it is logged', () => {
  const config = loadConfig({
    OPENROUTER_API_KEY: 'sk-secret',
    LONGHAUL_CONSOLE_TOKEN: 'tok-secret',
    LONGHAUL_WEBHOOK_SECRET: 'secret of the webhook',
    LONGHAUL_ENCRYPTION_KEYS: `k:${key(7)}`,
  });

  for (const shown of [
    JSON.stringify(config),
    inspect(config, { depth: 10 }),
    JSON.stringify({ ...config }),
  ]) {
    expect(shown).not.toMatch(/secret|type.*Buffer|<Buffer|BwcH/);
  }
  expect(JSON.stringify(config.encryptionKeys)).toBe('[{"id":"k"}]');
});

test('cannot be changed', () => {
  const config = loadConfig({ LONGHAUL_ENCRYPTION_KEYS: `k:${key(7)}` });

  const frozen = [
    config,
    config.openrouter,
    config.blobs,
    config.bus,
    config.console,
    config.webhook,
    config.webhook.allow,
    config.temporal,
    config.encryptionKeys,
    config.encryptionKeys[0],
  ];
  expect(frozen.filter((part) => !Object.isFrozen(part))).toEqual([]);
});

test('whatever a variable holds, it is taken or refused by name, never otherwise', () => {
  const name = fc.constantFrom(
    'OPENROUTER_BASE_URL',
    'LONGHAUL_BLOB_URL',
    'LONGHAUL_ENCRYPTION_KEYS',
    'LONGHAUL_STALL_TIMEOUT_MS',
    'LONGHAUL_MODEL',
  );
  const prefix = fc.constantFrom('', 'file:', 'file://', 'https://', 'a:');
  fc.assert(
    fc.property(name, prefix, fc.string({ unit: 'grapheme' }), (variable, start, rest) => {
      try {
        loadConfig({ [variable]: start + rest });
      } catch (error) {
        expect(error).toEqual(invalid(`${variable} must `));
      }
    }),
  );
});

test('reads the environment of the process when given none', () => {
  const before = process.env['LONGHAUL_TASK_QUEUE'];
  process.env['LONGHAUL_TASK_QUEUE'] = 'from-process';
  try {
    expect(loadConfig().taskQueue).toBe('from-process');
  } finally {
    if (before === undefined) delete process.env['LONGHAUL_TASK_QUEUE'];
    else process.env['LONGHAUL_TASK_QUEUE'] = before;
  }
});

describe('the model key', () => {
  test('is needed for OpenRouter, and the error says what to do', () => {
    expect(() => requireModelKey(loadConfig({}))).toThrow(
      invalid('Set it to a key from https://openrouter.ai/keys'),
    );
    expect(() =>
      requireModelKey(loadConfig({ OPENROUTER_BASE_URL: 'https://openrouter.ai/api/v1/' })),
    ).toThrow(invalid('OPENROUTER_API_KEY'));
  });

  test('is not needed elsewhere', () => {
    expect(requireModelKey(loadConfig({ OPENROUTER_BASE_URL: 'http://127.0.0.1:1/v1' }))).toBeNull();
    expect(requireModelKey(loadConfig({ OPENROUTER_API_KEY: 'sk-1' }))).toBe('sk-1');
  });
});
