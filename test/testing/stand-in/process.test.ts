import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(__dirname, '../../../src/testing/stand-in/main.ts');
const SCRIPT = `
export const models = [{ id: 'my/model', promptNanoUsd: 1, completionNanoUsd: 1 }];
export const script = () => ({ text: 'from a file', toolCalls: [{ name: 'look' }] });
`;

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stand-in-'));
  writeFileSync(join(directory, 'script.mjs'), SCRIPT);
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

async function startProcess(...args: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, url: JSON.parse(String(line)).url };
}

const ask = async (url: string, model: string): Promise<unknown> => {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] });
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    body,
    headers: { authorization: 'Bearer k' },
  });
  // A completion, as the server's own tests show.
  const { choices } = (await response.json()) as { choices: { message: unknown }[] };
  return choices[0]?.message;
};

test('the server runs as a process, answers from a script file the same after a restart, and ends when told', async () => {
  const first = await startProcess('--script', join(directory, 'script.mjs'));
  const answer = await ask(first.url, 'my/model');
  expect(answer).toMatchObject({
    content: 'from a file',
    tool_calls: [{ id: expect.stringMatching(/^call_/) }],
  });
  const ledger = await (await fetch(new URL('/__stand-in/ledger', first.url))).json();
  expect(ledger).toMatchObject([{ model: 'my/model', completed: true }]);
  first.child.kill('SIGTERM');
  expect(await once(first.child, 'exit')).toEqual([0, null]);
  const second = await startProcess(
    '--script',
    join(directory, 'script.mjs'),
    '--port',
    new URL(first.url).port,
  );
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, 'my/model')).toEqual(answer);
});

test('without a script it echoes', async () => {
  expect(await ask((await startProcess()).url, 'stand-in/agent')).toMatchObject({ content: 'hi' });
});
