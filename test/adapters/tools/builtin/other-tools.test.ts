import type { JsonObject } from '../../../../src/core/json.js';
import { askHumanTool } from '../../../../src/adapters/tools/builtin/ask-human.js';
import { delegateTool } from '../../../../src/adapters/tools/builtin/delegate.js';
import { readArtifactTool } from '../../../../src/adapters/tools/builtin/read-artifact.js';
import { waitTool } from '../../../../src/adapters/tools/builtin/wait.js';
import { createBuiltinTools } from '../../../../src/adapters/tools/builtin-tools.js';
import { createToolRegistry } from '../../../../src/adapters/tools/registry.js';
import { cutForTranscript, toResultText } from '../../../../src/adapters/tools/tool-output.js';
import { asksFor, memoryArtifacts, runTool, temporaryDirectories, toolContext } from '../tool-harness.js';

const temporaryDirectory = temporaryDirectories();
const now = Date.parse('2030-01-01T00:00:00Z');
const wait = waitTool(() => now);

describe('wait', () => {
  test.each<[JsonObject, number]>([
    [{ seconds: 1 }, 1_000],
    [{ seconds: 1.5 }, 1_500],
    [{ minutes: 0.5 }, 30_000],
    [{ hours: 1, minutes: 30 }, 5_400_000],
    [{ days: 30 }, 2_592_000_000],
    [{ until: '2030-01-01T00:01:00Z' }, 60_000],
    [{ until: '2030-01-01T02:00:00+01:00' }, 3_600_000],
    [{ until: '2029-12-31T23:59:59Z' }, 0],
    [{ until: '2030-01-31T00:00:00Z' }, 2_592_000_000],
  ])('%j waits %i ms', (args, durationMs) => {
    const parsed = wait.parse(args);

    expect(parsed.ok && wait.control?.(parsed.value)).toEqual({ kind: 'wait', durationMs });
  });

  test.each<[JsonObject, string]>([
    [{}, 'either an amount of time or "until"'],
    [{ seconds: 1, until: '2030-01-01T00:01:00Z' }, 'either an amount of time or "until"'],
    [{ seconds: 0 }, 'shortest wait is 1 second'],
    [{ seconds: 0.5 }, 'shortest wait is 1 second'],
    [{ days: 30, seconds: 1 }, 'longest wait is 30 days'],
    [{ days: 1e308 }, 'longest wait is 30 days'],
    [{ until: '2030-01-31T00:00:01Z' }, 'longest wait is 30 days'],
    [{ until: '2030-01-01T00:01:00' }, 'until: must be an ISO 8601 time with its zone'],
    [{ until: 'tomorrow' }, 'until: must be an ISO 8601 time'],
    [{ seconds: -1 }, 'seconds: '],
    [{ hours: '1' }, 'hours: '],
  ])('%j does not fit', (args, words) => {
    expect(wait.parse(args)).toEqual({ ok: false, message: expect.stringContaining(words) });
  });
});

test('ask_human passes the question on, trimmed, and takes no empty one', () => {
  const tool = askHumanTool();
  const parsed = tool.parse({ question: ' Which one? ' });

  expect(parsed.ok && tool.control?.(parsed.value)).toEqual({ kind: 'ask', question: 'Which one?' });
  expect(tool.parse({ question: ' ' })).toMatchObject({ ok: false });
});

describe('delegate', () => {
  const delegate = delegateTool();

  test('hands on what the model writes, and needs no decision of its own', async () => {
    const args = { goal: 'Find it.', tools: ['read_file'], maxCostUsd: 0.5, maxSteps: 3 };
    const parsed = delegate.parse({ ...args, goal: ' Find it. ' });

    expect(parsed.ok && delegate.control?.(parsed.value)).toEqual({ kind: 'delegate', ...args });
    const short = delegate.parse({ goal: 'Find it.' });
    expect(short.ok && delegate.control?.(short.value)).toEqual({ kind: 'delegate', goal: 'Find it.' });
    await expect(asksFor(delegate, { goal: 'Find it.' })).resolves.toBe(false);
  });

  test.each<[JsonObject, string]>([
    [{}, 'goal: '],
    [{ goal: ' ' }, 'goal: '],
    [{ goal: 'x'.repeat(20_001) }, 'goal: '],
    [{ goal: 'x', tools: 'all' }, 'tools: '],
    [{ goal: 'x', maxCostUsd: 0 }, 'maxCostUsd: '],
    [{ goal: 'x', maxSteps: 0 }, 'maxSteps: '],
    [{ goal: 'x', maxSteps: 1.5 }, 'maxSteps: '],
  ])('does not take %#', (args, words) => {
    expect(delegate.parse(args)).toEqual({ ok: false, message: expect.stringContaining(words) });
  });
});

describe('read_artifact', () => {
  test('pages through a result that was cut, with pages that are not cut again', async () => {
    const artifacts = memoryArtifacts();
    const whole = Array.from({ length: 40_000 }, (_, index) => index % 10).join('');
    const { artifact } = await cutForTranscript({ text: whole, artifacts });

    let read = '';
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const result: string = toResultText(
        await runTool(readArtifactTool(), { id: artifact?.id ?? '', offset }, toolContext({ artifacts })),
      );
      await expect(cutForTranscript({ text: result, artifacts })).resolves.toEqual({ text: result });
      const [, page = '', next] =
        /^(\d+)\n\n\(characters \d+ to \d+ of 40000(?:; go on with offset (\d+))?\)$/.exec(result) ?? [];
      read += page;
      offset = next === undefined ? undefined : Number(next);
    }

    expect(read).toBe(whole);
  });

  test('says that there is no such artifact, or no such place in it', async () => {
    const artifacts = memoryArtifacts();
    const { id } = await artifacts.put('short');
    const read = (args: JsonObject) => runTool(readArtifactTool(), args, toolContext({ artifacts }));

    await expect(read({ id: `sha256-${'0'.repeat(64)}` })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'There is no artifact with this id.',
    });
    await expect(read({ id, offset: 5 })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'The artifact has only 5 characters.',
    });
    expect(readArtifactTool().parse({ id: '../../etc/passwd' })).toMatchObject({ ok: false });
  });
});

test('the built-in tools: their names, effects, and which of them are carried out by the workflow', async () => {
  const workspace = await temporaryDirectory();
  const tools = createBuiltinTools({ workspace, dataDir: `${workspace}/.longhaul` });
  const registry = createToolRegistry([], tools);

  expect(
    registry
      .names()
      .map((name) => [name, registry.get(name)?.effect, registry.get(name)?.control !== undefined]),
  ).toEqual([
    ['ask_human', 'read', true],
    ['delegate', 'read', true],
    ['edit_file', 'idempotent', false],
    ['list_files', 'read', false],
    ['read_artifact', 'read', false],
    ['read_file', 'read', false],
    ['search_files', 'read', false],
    ['wait', 'read', true],
    ['web_fetch', 'read', false],
    ['write_file', 'idempotent', false],
  ]);
  expect(registry.names().filter((name) => registry.get(name)?.untrusted)).toEqual(['web_fetch']);
});

test('no built-in tool asks a human but those that change a file that exists', async () => {
  const workspace = await temporaryDirectory();
  const tools = createBuiltinTools({ workspace, dataDir: `${workspace}/.longhaul` });
  const args: Record<string, JsonObject> = {
    ask_human: { question: 'q' },
    delegate: { goal: 'g' },
    edit_file: { path: 'a', find: 'a', replace: 'b' },
    read_artifact: { id: `sha256-${'0'.repeat(64)}` },
    read_file: { path: 'a' },
    search_files: { pattern: 'a' },
    wait: { seconds: 1 },
    web_fetch: { url: 'https://example.com' },
    write_file: { path: 'a', content: '' },
  };

  for (const tool of tools) await expect(asksFor(tool, args[tool.spec.name] ?? {})).resolves.toBe(false);
});
