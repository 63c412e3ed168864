import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createOpenRouterModel } from '../../src/adapters/openrouter/model.js';
import { answerChat } from '../../src/adapters/openrouter/normalized-chat.js';
import type { CliContext } from '../../src/cli/context.js';
import type { JsonObject } from '../../src/core/json.js';
import type { ChatAnswer } from '../../src/ports/chat.js';
import { startStandIn, type StandIn } from '../../src/testing/stand-in/stand-in.js';
import { cli } from './support.js';

const ANSWER: ChatAnswer = {
  content: 'Terve\u001b[2J',
  tool_calls: [],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1234, output_tokens: 5 },
};
const CALL = { id: 'a', name: 'look', input: { path: 'a.txt\u0007' } };

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'longhaul-chat-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function fileOf(value: unknown): string {
  const file = join(dir, 'file.json');
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

interface Surroundings {
  answer?: Partial<ChatAnswer>;
  stdin?: string;
  terminal?: boolean;
}

/** Runs `chat` against a call that notes its request and gives an answer. */
async function run(args: string[], { answer, stdin, terminal = false }: Surroundings = {}) {
  const requests: JsonObject[] = [];
  const whole = { ...ANSWER, ...answer };
  const stdout = Object.assign(new PassThrough(), { isTTY: terminal });
  const input = Object.assign(new PassThrough(), { isTTY: stdin === undefined });
  if (stdin !== undefined) input.end(stdin);
  const chat: CliContext['chat'] = async (request, { onText }) => {
    requests.push(request);
    for (const piece of whole.content?.match(/.{1,3}/gsu) ?? []) onText?.(piece);
    return whole;
  };
  const connect = async (): Promise<never> => {
    throw new Error('No server is needed.');
  };
  // Plain streams take the place of a terminal's.
  const streams = { stdin: input, stdout } as unknown as Pick<CliContext, 'stdin' | 'stdout'>;
  const { code, stderr } = await cli(['chat', ...args], { context: { chat, connect, ...streams } });
  return { code, stderr, stdout: String(stdout.read() ?? ''), request: requests[0] };
}

describe('chat', () => {
  it('prints exactly the answer with --json', async () => {
    const { code, stdout, stderr } = await run(['hello', '--json'], { answer: { tool_calls: [CALL] } });
    expect([code, JSON.parse(stdout), stderr]).toEqual([0, { ...ANSWER, tool_calls: [CALL] }, '']);
  });

  it('prints the content as it is for other programs, and what was used on stderr', async () => {
    expect(await run(['hello'])).toMatchObject({
      code: 0,
      stdout: 'Terve\u001b[2J\n',
      stderr: '1,234 tokens in, 5 out, end_turn\n',
    });
  });

  it('prints the text on a terminal as it comes, printable', async () => {
    expect((await run(['hello'], { terminal: true })).stdout).toBe('Terve\\x1b[2J\n');
  });

  it('prints the calls that the model asks for', async () => {
    const answer = { content: null, tool_calls: [CALL], stop_reason: 'tool_use' as const };
    expect((await run(['hello'], { answer })).stdout).toBe('look {"path":"a.txt\\u0007"}\n');
    expect((await run(['hello'], { answer, terminal: true })).stdout).toBe('look {"path":"a.txt\\u0007"}\n');
  });

  it('says when the answer was cut off', async () => {
    const { code, stderr } = await run(['hello'], { answer: { stop_reason: 'max_tokens' } });
    expect([code, stderr]).toEqual([0, expect.stringContaining('raise --max-tokens')]);
  });

  it.each([null, '', ' \n'])('says when the answer is empty: %j', async (content) => {
    for (const terminal of [false, true]) {
      const { code, stdout, stderr } = await run(['hello'], { answer: { content }, terminal });
      expect([code, stdout.trim(), stderr]).toEqual([0, '', expect.stringContaining('the answer is empty')]);
    }
    const called = await run(['hello'], {
      answer: { content, tool_calls: [CALL], stop_reason: 'tool_use' },
    });
    expect(called.stderr).not.toContain('empty');
    const cut = await run(['hello'], { answer: { content, stop_reason: 'max_tokens' } });
    expect(cut.stderr).toContain('raise --max-tokens');
  });

  it('sends what the flags say, and nothing that they do not', async () => {
    expect((await run(['hello'])).request).toEqual({ messages: [{ role: 'user', content: 'hello' }] });
    const tools = [{ name: 'look', input_schema: { type: 'object' } }];
    const flags = ['--model', 'm', '--system', 's', '--max-tokens', '9', '--temperature', '0.5'];
    expect((await run(['hello', ...flags, '--tools', fileOf(tools)])).request).toEqual({
      model: 'm',
      system: 's',
      max_tokens: 9,
      temperature: 0.5,
      tools,
      messages: [{ role: 'user', content: 'hello' }],
    });
  });

  it.each([[['-']], [[]]])('reads the prompt from standard input with %j', async (args) => {
    const { request } = await run(args, { stdin: 'two\nlines\n' });
    expect(request).toEqual({ messages: [{ role: 'user', content: 'two\nlines' }] });
  });

  const request = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'one' }] };

  it('sends a request out of a file or standard input', async () => {
    expect((await run(['--input', fileOf(request)])).request).toEqual(request);
    expect((await run(['--input', '-'], { stdin: JSON.stringify(request) })).request).toEqual(request);
  });

  it('lets flags win over the file, and puts a prompt after its messages', async () => {
    const { request: sent } = await run(['two', '--input', fileOf(request), '--model', 'n']);
    expect(sent).toEqual({
      model: 'n',
      max_tokens: 9,
      messages: [...request.messages, { role: 'user', content: 'two' }],
    });
    const piped = await run(['-', '--input', fileOf(request)], { stdin: 'three' });
    expect(piped.request?.['messages']).toEqual([...request.messages, { role: 'user', content: 'three' }]);
  });

  it.each<[string, string[], Surroundings, string]>([
    ['no prompt on a terminal', [], {}, 'longhaul chat "PROMPT"'],
    ['an empty prompt', [' '], {}, 'longhaul chat "PROMPT"'],
    ['nothing on standard input', [], { stdin: '\n' }, 'longhaul chat "PROMPT"'],
    ['standard input for two', ['-', '--input', '-'], { stdin: '{}' }, 'Standard input'],
    ['an input file that is away', ['--input', '/does/not/exist'], {}, '--input /does/not/exist'],
    ['tools that are away', ['x', '--tools', '/does/not/exist'], {}, '--tools /does/not/exist'],
    ['a request that is a list', ['--input', '-'], { stdin: '[]' }, 'no JSON object'],
    ['a request that is no JSON', ['--input', '-'], { stdin: '{' }, '--input - cannot be used'],
    ['no tokens', ['x', '--max-tokens', '0'], {}, 'whole number from 1'],
    ['a temperature in words', ['x', '--temperature', 'hot'], {}, 'Write a number'],
  ])('refuses %s: exit 2, nothing sent', async (_what, args, surroundings, words) => {
    const { code, stdout, request: sent } = await run([...args, '--json'], surroundings);
    expect([code, JSON.parse(stdout).error, sent]).toEqual([
      2,
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(words) }),
      undefined,
    ]);
  });
});

describe('chat with a server', () => {
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startStandIn({
      apiKeys: ['sk-right'],
      script: ({ tools }) => (tools === undefined ? { text: 'Hi' } : { toolCalls: [{ name: 'look' }] }),
    });
  });
  afterAll(() => standIn.stop());

  const chatWith =
    (apiKey: string, baseUrl: string): CliContext['chat'] =>
    (request, options) =>
      answerChat(
        { model: 'stand-in/agent', ...request },
        { ...options, model: createOpenRouterModel({ apiKey, baseUrl }) },
      );
  const runWith = async (chat: CliContext['chat'], ...args: string[]) => {
    const { code, stdout } = await cli(['chat', ...args, '--json'], { context: { chat } });
    return { code, json: JSON.parse(stdout) };
  };

  it('gives its answer', async () => {
    const chat = chatWith('sk-right', standIn.url);
    expect(await runWith(chat, 'hello')).toMatchObject({ code: 0, json: { content: 'Hi', tool_calls: [] } });
    expect(await runWith(chat, 'hello', '--tools', fileOf([{ name: 'look' }]))).toMatchObject({
      code: 0,
      json: { content: null, tool_calls: [{ name: 'look' }], stop_reason: 'tool_use' },
    });
  });

  it.each([
    ['a request that does not fit', 'sk-right', '', ['x', '--temperature', '3'], 2, 'INPUT_INVALID'],
    ['a wrong key', 'sk-wrong', '', ['x'], 1, 'MODEL_AUTH'],
    ['a model that there is not', 'sk-right', '', ['x', '--model', 'no/such'], 1, 'MODEL_BAD_REQUEST'],
    ['no server', 'sk-right', 'http://127.0.0.1:9/v1', ['x'], 5, 'MODEL_UNREACHABLE'],
  ])('exits by what went wrong: %s', async (_what, key, url, args, code, errorCode) => {
    const chat = chatWith(key, url || standIn.url);
    expect(await runWith(chat, ...args)).toMatchObject({ code, json: { error: { code: errorCode } } });
  });
});
