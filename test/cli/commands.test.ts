import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WatchedEvent } from '../../src/client/run-handle.js';
import { AgentError, type ErrorCode } from '../../src/core/errors.js';
import type { PendingItem, RunResult } from '../../src/core/progress.js';
import { cli, event, resultOf, textDelta } from './support.js';

const parsed = (text: string): unknown => JSON.parse(text);
const lines = (text: string): unknown[] => text.trim().split('\n').map(parsed);
const refusing = (code: ErrorCode) => async (): Promise<never> => {
  throw new AgentError(code, `message of ${code}`);
};
const pendingCall = (callId: string, kind: PendingItem['kind'] = 'decision'): PendingItem => ({
  kind,
  callId,
  tool: 'pay',
  args: { usd: 5 },
  argsHash: null,
  summary: 'pay',
  requestedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: null,
});

async function* endingIn(result: RunResult): AsyncGenerator<WatchedEvent> {
  yield event({ type: 'run_started' });
  yield event({ type: 'step_started', seq: 1 });
  yield event({ type: 'model_completed', seq: 2, text: 'the answer' });
  yield event({ type: 'run_completed', seq: 3, result });
}

describe('the command line', () => {
  test.each([
    [['nope']],
    [['fork', 'r', '--step', 'x']],
    [['talk', 'hello']],
    [['console']],
    [[]],
    [['watch']],
    [['start', 'x', '--max-cost', 'much']],
    [['start', 'x', '--max-duration', 'long']],
    [['start', 'x', '--max-steps', '0']],
    [['start', 'x', '--unknown']],
    [['start', 'x', '--require-approval', 'sometimes']],
    [['start', 'x', '--wait', '--detach']],
    [['start', 'x', '--input', '/does/not/exist.json']],
    [['start']],
    [['start', ' ']],
    [['start', 'x', '--review', 'often']],
    [['start', 'x', '--review-ask']],
    [['start', 'x', '--schema', '/does/not/exist.json']],
    [['start', 'x', '--idle', '2h']],
    [['start', 'x', '--session', '--idle', 'long']],
    [['start', 'x', '--session', '--idle', '400d']],
    [['start', 'x', '--taint', 'on']],
    [['start', 'x', '--webhook', 'ftp://x']],
    [['start', 'x', '--webhook', 'https://user:secret@x']],
    [['start', 'x', '--requested-by', ' ']],
    [['start', 'x', '--temperature', '9']],
    [['approve', 'r', '--args', '[1]']],
    [['approve', 'r', '--args', '{']],
    [['approve', 'r', '--sign', 'key']],
    [['say', 'r', 'hi', '--mode', 'shout']],
    [['limits', 'r']],
    [['list', '--status', 'odd']],
    [['dev', '--console-port', '1']],
    [['dev', '--port', '70000']],
  ])('%j is a usage error: exit 2, one JSON object with --json, words on stderr without', async (args) => {
    const connect = async (): Promise<never> => {
      throw new Error('Nothing is to be sent.');
    };
    const asJson = await cli([...args, '--json'], { context: { connect } });
    expect(asJson.code).toBe(2);
    expect(lines(asJson.stdout)).toEqual([
      { error: { code: 'INPUT_INVALID', message: expect.any(String), hint: expect.any(String) } },
    ]);
    const asText = await cli(args, { context: { connect } });
    expect(asText).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: .+\nhint: .+\n$/s),
    });
  });

  it('prints help and version on stdout and exits 0', async () => {
    expect(await cli(['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
    expect(await cli(['start', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--max-cost'),
    });
  });

  it('refuses a goal of 3 MB before anything is sent', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'longhaul-cli-'));
    try {
      const file = join(dir, 'input.json');
      writeFileSync(file, JSON.stringify({ goal: 'x'.repeat(3_000_000) }));
      const { code, stdout } = await cli(['start', '--input', file, '--json'], {
        context: { connect: refusing('TEMPORAL_UNREACHABLE') },
      });
      expect([code, parsed(stdout)]).toEqual([
        2,
        { error: expect.objectContaining({ code: 'INPUT_INVALID' }) },
      ]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('puts flags over the input file and hands both to the run', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'longhaul-cli-'));
    try {
      const file = join(dir, 'input.json');
      writeFileSync(
        file,
        JSON.stringify({
          goal: 'from file',
          model: 'a',
          limits: { maxSteps: 5, maxCostUsd: 1 },
          shared: { k: 1 },
        }),
      );
      const started: unknown[] = [];
      const start = async (...call: unknown[]): Promise<never> => {
        started.push(...call);
        throw new AgentError('RUN_EXISTS', 'there');
      };
      const flags = [
        '--model',
        'b',
        '--fallback',
        'c,d',
        '--max-cost',
        '2.50',
        '--max-duration',
        '3h',
        '--id',
        'mine',
        '--tools',
        'x,y',
        '--require-approval',
        'always',
      ];
      const { code } = await cli(['start', '--input', file, ...flags], { runs: { start } });
      expect(code).toBe(1);
      expect(started).toEqual([
        {
          requestedBy: 'tester',
          goal: 'from file',
          model: 'b',
          models: ['c', 'd'],
          tools: ['x', 'y'],
          requireApproval: 'always',
          shared: { k: 1 },
          limits: { maxSteps: 5, maxCostUsd: 2.5, maxDurationMs: 10_800_000 },
        },
        { id: 'mine' },
      ]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('start --detach --json prints the ids and the link', async () => {
    const { code, stdout } = await cli(['start', 'x', '--detach', '--json']);
    expect([code, parsed(stdout)]).toEqual([
      0,
      { runId: 'r', workflowId: 'r', temporalRunId: 't', webUiUrl: 'http://ui' },
    ]);
  });

  test.each([
    ['done', 0],
    ['limit', 3],
    ['stopped', 4],
    ['cancelled', 4],
    ['failed', 1],
  ] as const)(
    'a run that ends %s makes start --json, --wait --json and watch exit with %d',
    async (outcome, expected) => {
      const result = resultOf({ outcome });
      const run = { events: () => endingIn(result) };
      const streamed = await cli(['start', 'x', '--json'], { run });
      expect(streamed.code).toBe(expected);
      expect(lines(streamed.stdout).at(-1)).toMatchObject({ type: 'run_completed', seq: 3, result });
      const waited = await cli(['start', 'x', '--wait', '--json'], { run });
      expect([waited.code, parsed(waited.stdout)]).toEqual([expected, result]);
      expect((await cli(['watch', 'r'], { run })).code).toBe(expected);
    },
  );

  it('start --wait prints the answer alone on stdout', async () => {
    const { stdout, stderr } = await cli(['start', 'x', '--wait'], {
      run: { events: () => endingIn(resultOf()) },
    });
    expect(stdout).toBe('the answer\n');
    expect(stderr).toContain('done');
  });

  it('watch --json tells deltas in their place, and events from --from on', async () => {
    let goOn = (): void => undefined;
    const deltaSeen = new Promise<void>((resolve) => (goOn = resolve));
    const run = {
      async *events() {
        yield event({ type: 'run_started' });
        yield event({ type: 'step_started', seq: 1 });
        await deltaSeen;
        yield event({ type: 'model_completed', seq: 2, text: 'word' });
        yield event({ type: 'run_completed', seq: 3 });
      },
      async *deltas(signal: AbortSignal) {
        yield textDelta('word', 0);
        goOn();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    };
    const { stdout } = await cli(['watch', 'r', '--from', '1', '--json'], { run });
    expect(lines(stdout)).toEqual(
      ['step_started', 'text_delta', 'model_completed', 'run_completed'].map((type) =>
        expect.objectContaining({ type }),
      ),
    );
  });

  it('goes on where it was when the server comes back', async () => {
    const asked: unknown[] = [];
    const run = {
      async *events(options: { fromSeq?: number } = {}) {
        asked.push(options.fromSeq);
        if (asked.length > 1)
          return yield* (async function* () {
            for await (const one of endingIn(resultOf())) if (one.seq >= (options.fromSeq ?? 0)) yield one;
          })();
        yield event({ type: 'run_started' });
        throw new AgentError('TEMPORAL_UNREACHABLE', 'away');
      },
    };
    const { code, stdout, stderr } = await cli(['watch', 'r', '--json'], { run });
    expect([code, asked, lines(stdout).length]).toEqual([0, [0, 1], 4]);
    expect(stderr).toContain('Waiting for it');
  });

  test.each([
    ['TEMPORAL_UNREACHABLE', 5],
    ['RUN_NOT_FOUND', 1],
    ['RUN_CLOSED', 1],
    ['ALREADY_DECIDED', 1],
    ['ARGS_INVALID', 1],
  ] as const)('%s exits %d', async (code, expected) => {
    const refuse = refusing(code);
    const run = { approve: refuse, say: refuse, progress: refuse };
    for (const args of [
      ['approve', 'r', 's0.c0'],
      ['say', 'r', 'hi'],
      ['show', 'r'],
    ]) {
      const { code: exit, stdout } = await cli([...args, '--json'], { run });
      expect([exit, parsed(stdout)]).toEqual([expected, { error: expect.objectContaining({ code }) }]);
    }
  });

  it('decisions name who made them and take the only pending call when none is named', async () => {
    const made: unknown[] = [];
    const note =
      (name: string) =>
      async (...args: unknown[]): Promise<void> =>
        void made.push([name, ...args]);
    const run = {
      pending: async () => [pendingCall('s1.c0'), pendingCall('s1.c1', 'question')],
      approve: note('approve'),
      reject: note('reject'),
      answer: note('answer'),
    };
    expect(parsed((await cli(['approve', 'r', '--args', '{"usd":1}', '--json'], { run })).stdout)).toEqual({
      runId: 'r',
      accepted: true,
      callId: 's1.c0',
    });
    expect((await cli(['reject', 'r', 's1.c0', '--note', 'no'], { run })).stdout).toBe('r s1.c0 rejected\n');
    await cli(['answer', 'r', 's1.c1', 'blue'], { run });
    expect(made).toEqual([
      ['approve', 's1.c0', { by: 'tester', args: { usd: 1 } }],
      ['reject', 's1.c0', { by: 'tester', note: 'no' }],
      ['answer', 's1.c1', 'blue', { by: 'tester' }],
    ]);
    const unclear = await cli(['reject', 'r', '--json'], { run });
    expect([unclear.code, parsed(unclear.stdout)]).toEqual([
      1,
      {
        error: expect.objectContaining({
          code: 'CALL_NOT_PENDING',
          message: expect.stringContaining('s1.c0, s1.c1'),
        }),
      },
    ]);
  });

  it('decides for sub-agents by the ids that pending shows, and names them where it is not clear', async () => {
    const approved: unknown[] = [];
    const ids = ['s0.c0/s1.c0', 's0.c1/s0.c0/s2.c0'];
    const run = {
      pending: async () => ids.map((callId) => pendingCall(callId)),
      approve: async (callId?: string) => void approved.push(callId),
    };
    const unclear = await cli(['approve', 'r', '--json'], { run });
    expect(parsed(unclear.stdout)).toMatchObject({
      error: { code: 'CALL_NOT_PENDING', message: expect.stringContaining(ids.join(', ')) },
    });
    expect((await cli(['approve', 'r', 's0.c1/s0.c0/s2.c0'], { run })).stdout).toBe(
      'r s0.c1/s0.c0/s2.c0 approved\n',
    );
    expect(approved).toEqual(['s0.c1/s0.c0/s2.c0']);
  });

  test.each([
    [{ messageId: 'm12', position: 2 }, 'message m12 taken, 2 before it'],
    [{ messageId: 'm12', position: 0 }, 'message m12 taken'],
    [
      { messageId: 'm12', position: null, repeated: true as const },
      'message m12 was taken before, and the model has it',
    ],
    [{ messageId: 'm12', position: 1, repeated: true as const }, 'message m12 was taken before, 1 before it'],
  ])('say tells what the run says of the message: %j', async (receipt, words) => {
    const said: unknown[] = [];
    const say = async (...args: unknown[]) => {
      said.push(args);
      return receipt;
    };
    const args = ['say', 'r', 'hi', '--mode', 'queue', '--message-id', 'm12'];
    expect((await cli(args, { run: { say } })).stdout).toBe(`r ${words}\n`);
    expect(parsed((await cli([...args, '--json'], { run: { say } })).stdout)).toEqual({
      runId: 'r',
      accepted: true,
      ...receipt,
    });
    expect(said[0]).toEqual(['hi', { by: 'tester', mode: 'queue', messageId: 'm12' }]);
  });

  test.each([
    [['list'], {}],
    [['list', '--all', '--limit', '5', '--status', 'paused'], { all: true, limit: 5, status: 'paused' }],
  ])('%j lists sub-agents only when asked to', async (args, expected) => {
    const asked: unknown[] = [];
    const list = async (options?: object) => {
      asked.push(options);
      return [];
    };
    await cli([...args, '--json'], { runs: { list } });
    expect(asked).toEqual([expected]);
  });

  it('fork says who asks for the new run', async () => {
    const asked: unknown[] = [];
    const fork = async (options?: object): Promise<never> => {
      asked.push(options);
      throw new AgentError('RUN_EXISTS', 'there');
    };
    await cli(['fork', 'r'], { run: { fork } });
    await cli(['fork', 'r', '--requested-by', 'Ada'], { run: { fork } });
    expect(asked).toEqual([
      { limits: {}, requestedBy: 'tester' },
      { limits: {}, requestedBy: 'Ada' },
    ]);
  });

  it('limits sends only what was given, none as null, and says what to do about a closed run', async () => {
    const sent: unknown[] = [];
    const setLimits = async (...args: unknown[]): Promise<void> => void sent.push(args);
    const { stdout } = await cli(['limits', 'r', '--max-cost', 'none', '--max-duration', '90m', '--json'], {
      run: { setLimits },
    });
    expect(parsed(stdout)).toEqual({
      runId: 'r',
      accepted: true,
      limits: { maxCostUsd: null, maxDurationMs: 5_400_000 },
    });
    expect(sent).toEqual([[{ maxCostUsd: null, maxDurationMs: 5_400_000 }, { by: 'tester' }]]);
    const closed = await cli(['limits', 'r', '--max-steps', '9'], {
      run: { setLimits: refusing('RUN_CLOSED') },
    });
    expect(closed).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('longhaul fork r --max-steps 9'),
    });
  });

  it('pending looks through all open runs', async () => {
    const item = {
      temporalRunId: 't',
      parentId: null,
      status: 'waiting',
      outcome: null,
      limit: null,
      model: 'm',
      steps: 1,
      costUsd: 0,
      needsDecision: true,
      startedAt: '2026-01-01T00:00:00.000Z',
      closedAt: null,
    };
    const runs = {
      list: async () => [
        { runId: 'a', ...item },
        { runId: 'b', ...item, closedAt: '2026-01-01T00:00:01.000Z' },
      ],
    };
    const run = { pending: async () => [pendingCall('s1.c0')] };
    expect(parsed((await cli(['pending', '--json'], { run, runs })).stdout)).toEqual([
      { runId: 'a', ...pendingCall('s1.c0') },
    ]);
    expect((await cli(['pending'], { run, runs })).stdout).toContain('longhaul approve a s1.c0');
  });
});
