import { hashArgs } from '../../src/activities/plan-calls.js';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signerOf } from '../../src/activities/verify-signature.js';
import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import type { CliContext, Run } from '../../src/cli/context.js';
import { AgentError } from '../../src/core/errors.js';
import type { PendingItem } from '../../src/core/progress.js';
import { statementText, type Statement } from '../../src/core/human/statement.js';
import { cli, progressOf } from './support.js';

const AT = '2026-01-01T00:00:00.000Z';
const { approver, privateKeyPem } = generateApproverKey('Ada');

let dir: string;
let keyFile: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'longhaul-keys-'));
  keyFile = join(dir, 'ada.pem');
  writeFileSync(keyFile, privateKeyPem, { mode: 0o600 });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const modeOf = (file: string) => statSync(file).mode & 0o777;

/** Every file that is there may be read by tests alone; nothing is sent. */
const offline: Partial<CliContext> = {
  connect: async () => {
    throw new Error('Nothing is to be sent.');
  },
};

describe('keys', () => {
  it('writes the private key for its owner alone, and prints the public line alone on stdout', async () => {
    const file = join(dir, 'new.pem');
    const { code, stdout, stderr } = await cli(['keys', '-o', file, '--name', 'Ada L.'], {
      context: offline,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ed25519:\S{43}= Ada L\.\n$/);
    expect(stderr).toContain(`--approver "${stdout.trim()}"`);
    expect(modeOf(file)).toBe(0o600);
    const pem = readFileSync(file, 'utf8');
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(stdout + stderr).not.toContain(pem.split('\n')[1]);
  });

  it('prints one JSON object with --json', async () => {
    const file = join(dir, 'new.pem');
    const { stdout, stderr } = await cli(['keys', '--out', file, '--json'], { context: offline });
    expect(JSON.parse(stdout)).toEqual({
      approver: expect.stringMatching(/^ed25519:\S{44}$/),
      keyFile: file,
    });
    expect(stderr).toBe('');
  });

  it('puts the key into the home directory when it is not said where, in a directory for its owner alone', async () => {
    const { stdout } = await cli(['keys', '--json'], { context: { ...offline, homeDir: dir } });
    const file = join(dir, '.config', 'longhaul', 'approver.pem');
    expect(JSON.parse(stdout)).toMatchObject({ keyFile: file });
    expect([modeOf(file), modeOf(join(dir, '.config', 'longhaul'))]).toEqual([0o600, 0o700]);
  });

  it('overwrites nothing, not even through a link that leads nowhere', async () => {
    const link = join(dir, 'link.pem');
    symlinkSync(join(dir, 'elsewhere.pem'), link);
    for (const file of [keyFile, link]) {
      const { code, stdout } = await cli(['keys', '-o', file, '--json'], { context: offline });
      expect([code, JSON.parse(stdout)]).toEqual([
        2,
        {
          error: expect.objectContaining({
            code: 'INPUT_INVALID',
            message: expect.stringContaining('-o FILE'),
          }),
        },
      ]);
    }
    expect(readFileSync(keyFile, 'utf8')).toBe(privateKeyPem);
    expect(readdirSync(dir).sort()).toEqual(['ada.pem', 'link.pem']);
  });

  it.each([
    ['a name with a line break', ['--name', 'a\nb']],
    ['an empty name', ['--name', '']],
    ['a name of 101 characters', ['--name', 'x'.repeat(101)]],
    ['a directory that is not there', ['-o', '/does/not/exist/a.pem']],
  ])('refuses %s and writes nothing', async (_what, flags) => {
    const { code, stdout } = await cli(['keys', ...flags, '--json'], {
      context: { ...offline, homeDir: join(dir, 'home') },
    });
    expect([code, JSON.parse(stdout).error.code]).toEqual([2, 'INPUT_INVALID']);
    expect(readdirSync(dir)).toEqual(['ada.pem']);
  });
});

/** What the pending calls would run with. */
const ARGS = { usd: 5 };

const item = (callId: string, fields: Partial<PendingItem> = {}): PendingItem => ({
  kind: 'decision',
  callId,
  tool: 'pay',
  args: ARGS,
  argsHash: hashArgs(ARGS),
  summary: 'pay',
  requestedAt: AT,
  expiresAt: null,
  ...fields,
});

/** A run in which these wait, and what was sent to it. */
function runWith(...pending: PendingItem[]) {
  const sent: unknown[][] = [];
  const note =
    (name: string) =>
    async (...args: unknown[]): Promise<void> =>
      void sent.push([name, ...args]);
  const run: Partial<Run> = {
    pending: async () => pending,
    progress: async () => progressOf({ pending }),
    approve: note('approve'),
    reject: note('reject'),
    answer: note('answer'),
  };
  return { run, sent };
}

/** Who signed a statement, by what was sent. */
const signerOfSent = (statement: Statement, sent: unknown) =>
  signerOf(Buffer.from(statementText(statement)), String(Object(sent).signature), [approver])?.name;

describe('--sign', () => {
  const statement = { runId: 'r', callId: 's0.c0', argsHash: hashArgs(ARGS), requestedAt: AT };

  it('signs an approval as it is shown, with the arguments, the scope and the note that are sent, and names nobody beside', async () => {
    const { run, sent } = runWith(item('s0.c0'), item('s0.c1', { kind: 'question' }));
    const flags = ['--args', '{"usd":1}', '--for-run', '--note', 'Less.', '--sign', keyFile];
    const { stdout, stderr } = await cli(['approve', 'r', ...flags, '--json'], { run });
    expect(JSON.parse(stdout)).toEqual({ runId: 'r', accepted: true, callId: 's0.c0', scope: 'run' });
    expect(stderr).toBe('');
    const chosen = { args: { usd: 1 }, scope: 'run' as const };
    expect(sent).toEqual([
      [
        'approve',
        's0.c0',
        {
          ...chosen,
          note: 'Less.',
          argsHash: hashArgs(ARGS),
          signature: expect.any(String),
        },
      ],
    ]);
    expect(signerOfSent({ ...statement, decision: 'approve', ...chosen, text: 'Less.' }, sent[0]?.[2])).toBe(
      'Ada',
    );
  });

  it('signs a rejection and an answer', async () => {
    const { run, sent } = runWith(
      item('s0.c0'),
      item('s0.c1', { kind: 'question', argsHash: null, requestedAt: '2026-01-01T00:00:09.000Z' }),
    );
    await cli(['reject', 'r', 's0.c0', '--note', 'No.', '--sign', keyFile], { run });
    await cli(['answer', 'r', 's0.c1', 'Blue.', '--sign', keyFile], { run });
    expect(sent).toEqual([
      ['reject', 's0.c0', { note: 'No.', argsHash: hashArgs(ARGS), signature: expect.any(String) }],
      ['answer', 's0.c1', 'Blue.', { by: 'tester', signature: expect.any(String) }],
    ]);
    expect(signerOfSent({ ...statement, decision: 'reject', text: 'No.' }, sent[0]?.[2])).toBe('Ada');
    const question = { runId: 'r', callId: 's0.c1', argsHash: null, requestedAt: '2026-01-01T00:00:09.000Z' };
    expect(signerOfSent({ ...question, decision: 'answer', text: 'Blue.' }, sent[1]?.[3])).toBe('Ada');
  });

  it('leaves it to the signature to say who has settled an unknown outcome', async () => {
    const { run, sent } = runWith(item('s0.c0', { kind: 'unknown_outcome' }));
    await cli(['answer', 'r', 's0.c0', 'It ran.', '--sign', keyFile], { run });
    expect(sent).toEqual([['answer', 's0.c0', 'It ran.', { signature: expect.any(String) }]]);
    expect(signerOfSent({ ...statement, decision: 'answer', text: 'It ran.' }, sent[0]?.[3])).toBe('Ada');
  });

  it.each([
    ['a call that is not pending', ['approve', 'r', 's9.c9'], 'CALL_NOT_PENDING', /s9\.c9 is not pending/],
    ['no call at all', ['reject', 'r'], 'CALL_NOT_PENDING', /No call waits for this/],
  ])('sends nothing for %s', async (_what, args, code, message) => {
    const { run, sent } = runWith(...(args.length === 3 ? [item('s0.c0')] : []));
    const { stdout } = await cli([...args, '--sign', keyFile, '--json'], { run });
    expect(JSON.parse(stdout).error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(sent).toEqual([]);
  });

  it('says of a run that has ended that it has', async () => {
    const run = { progress: async () => progressOf({ status: 'closed' }) };
    const { stdout } = await cli(['approve', 'r', 's0.c0', '--sign', keyFile, '--json'], { run });
    expect(JSON.parse(stdout).error.code).toBe('RUN_CLOSED');
  });

  it.each([0o640, 0o604, 0o644])(
    'warns of a key file that others can read (mode %o), and signs',
    async (mode) => {
      chmodSync(keyFile, mode);
      const { run, sent } = runWith(item('s0.c0'));
      const { code, stdout, stderr } = await cli(['approve', 'r', '--sign', keyFile], { run });
      expect([code, stdout, sent.length]).toEqual([0, 'r s0.c0 approved\n', 1]);
      expect(stderr).toBe(
        `warning: ${keyFile} is open to other users (mode 0${mode.toString(8)}). Keep it to yourself: chmod 600 ${keyFile}\n`,
      );
    },
  );

  it('knows of a key that cannot be read before it connects, for each decision', async () => {
    mkdirSync(join(dir, 'folder'));
    for (const file of [join(dir, 'missing.pem'), join(dir, 'folder')])
      for (const args of [
        ['approve', 'r', 'c'],
        ['reject', 'r', 'c'],
        ['answer', 'r', 'c', 'text'],
      ]) {
        const { code, stdout } = await cli([...args, '--sign', file, '--json'], { context: offline });
        expect([code, JSON.parse(stdout).error]).toEqual([
          2,
          expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(file) }),
        ]);
      }
  });

  it('sends nothing with a file that is no key', async () => {
    writeFileSync(keyFile, 'secret words');
    const { run, sent } = runWith(item('s0.c0'));
    const { code, stdout, stderr } = await cli(['approve', 'r', '--sign', keyFile, '--json'], { run });
    expect([code, JSON.parse(stdout).error.code, sent]).toEqual([2, 'INPUT_INVALID', []]);
    expect(stdout + stderr).not.toContain('secret words');
  });
});

it('approve --for-run says what it means, and sends the scope', async () => {
  const { run, sent } = runWith(item('s0.c0'));
  const { stdout } = await cli(['approve', 'r', '--for-run'], { run });
  expect(stdout).toBe('r s0.c0 approved, and every call of its tool from now on\n');
  expect(sent).toEqual([['approve', 's0.c0', { by: 'tester', scope: 'run' }]]);
});

describe('start', () => {
  const bob = generateApproverKey('Bob').approver;

  /** The approvers of the run that a command line starts. */
  async function approversOf(flags: readonly string[]): Promise<unknown> {
    let input: unknown;
    const start = async (given: unknown): Promise<never> => {
      input = given;
      throw new AgentError('RUN_EXISTS', 'there');
    };
    // Whether the lines are approvers is the command line's own check.
    const checkInput = (given: unknown) => Object(given);
    await cli(['start', 'x', ...flags], { runs: { start }, context: { checkInput } });
    return Object(input).approvers;
  }

  it('takes approvers one by one, with commas or with line breaks between', async () => {
    expect(await approversOf(['--approver', approver, '--approver', ` ${bob} `])).toEqual([approver, bob]);
    expect(await approversOf(['--approvers', `${approver},${bob}`])).toEqual([approver, bob]);
    expect(await approversOf(['--approvers', `${approver}\n\n${bob}\n`])).toEqual([approver, bob]);
    expect(await approversOf(['--approvers', approver, '--approver', bob])).toEqual([approver, bob]);
    expect(await approversOf([])).toBeUndefined();
  });

  it.each([
    ['--approver', 'Ada'],
    ['--approver', ''],
    ['--approvers', ''],
    ['--approvers', '\n'],
    ['--approvers', `${approver},ed2551:typo`],
  ])('refuses %s %j, as a run must not listen to others than were meant', async (...flags) => {
    const { code, stdout } = await cli(['start', 'x', ...flags, '--json'], { context: offline });
    expect([code, JSON.parse(stdout).error.code]).toEqual([2, 'INPUT_INVALID']);
  });
});
