import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Check } from '../../src/cli/check.js';
import { exitOfChecks } from '../../src/cli/doctor.js';
import { examine } from '../../src/worker/examine.js';
import { answers, ScriptedServer, type Script } from '../adapters/openrouter/scripted-server.js';
import { useTemporalServer } from '../support/temporal-server.js';

const temporal = useTemporalServer();
const models = new ScriptedServer();
const dir = mkdtempSync(join(tmpdir(), 'longhaul-examine-'));
const before = { ...process.env };

beforeAll(async () => {
  await models.start();
  Object.assign(process.env, {
    TEMPORAL_ADDRESS: temporal.address,
    OPENROUTER_BASE_URL: models.baseUrl,
    OPENROUTER_API_KEY: 'sk-test',
    LONGHAUL_DATA_DIR: join(dir, 'data'),
    LONGHAUL_WORKSPACE: dir,
  });
});
afterAll(async () => {
  process.env = before;
  await models.stop();
  rmSync(dir, { recursive: true });
});

/** What is found of the key at a server that answers the question for it like this, and how the command ends. */
async function foundOf(key: Script): Promise<{ check: Check | undefined; code: number }> {
  models.script = (response, request) =>
    (request.path.endsWith('/key') ? key : answers(404, 'no'))(response, request);
  const checks: Check[] = [];
  for await (const check of examine()) checks.push(check);
  return { check: checks.find(({ name }) => name === 'model key'), code: exitOfChecks(checks) };
}

describe('the key that is examined', () => {
  it('is accepted by a server that says so, with what is left', async () => {
    expect(await foundOf(answers(200, { data: { limit_remaining: 4.5 } }))).toEqual({
      check: {
        name: 'model key',
        status: 'ok',
        detail: `accepted by ${models.baseUrl}, $4.50 left`,
        mend: null,
      },
      code: 0,
    });
  });

  it('could not be checked at a server without such a question, which is no failure', async () => {
    expect(await foundOf(answers(404, { detail: 'Not Found' }))).toEqual({
      check: {
        name: 'model key',
        status: 'warn',
        detail: `not checked: ${models.baseUrl} has no endpoint /key to ask about it`,
        mend: 'The first run shows whether the server accepts it.',
      },
      code: 0,
    });
  });

  it('is refused', async () => {
    const { check, code } = await foundOf(answers(401, { error: { code: 401, message: 'No.' } }));
    expect([check?.status, check?.code, code]).toEqual(['fail', 'MODEL_AUTH', 1]);
    expect(check?.mend).toMatch(/valid key\. To try things out without a key: longhaul dev --stand-in$/);
  });

  it('is not there', async () => {
    const { OPENROUTER_API_KEY: apiKey, OPENROUTER_BASE_URL: baseUrl } = process.env;
    delete process.env['OPENROUTER_API_KEY'];
    delete process.env['OPENROUTER_BASE_URL'];
    try {
      const { check, code } = await foundOf(answers(200, {}));
      expect([check?.status, check?.code, code]).toEqual(['fail', 'CONFIG_INVALID', 2]);
      expect(check?.mend).toContain('longhaul dev --stand-in');
    } finally {
      Object.assign(process.env, { OPENROUTER_API_KEY: apiKey, OPENROUTER_BASE_URL: baseUrl });
    }
  });

  it.each<[string, Script]>([
    ['asks to slow down', answers(429, { error: { code: 429, message: 'Slow down.' } })],
    ['is down', answers(503, 'no')],
    ['breaks the connection', (response) => response.destroy()],
  ])('is not what is wrong with a server that %s', async (_what, script) => {
    const { check, code } = await foundOf(script);
    expect([check?.status, check?.code, code]).toEqual(['fail', 'MODEL_UNREACHABLE', 5]);
    expect(check?.mend).not.toContain('stand-in');
  });
});
