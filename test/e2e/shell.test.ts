import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scriptedSteps } from '../../src/testing/stand-in/script.js';
import { itSandboxed } from '../support/bubblewrap.js';
import { untilNamed } from '../support/processes.js';
import { openWorld, untilEvent } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { expectDone, resultsOf, useKillWorlds } from './support/kill-world.js';

jest.setTimeout(60_000);

const server = useTemporalServer();
const open = useKillWorlds(server);
const env = { LONGHAUL_SHELL: 'sandboxed' };

function commands(...all: string[]) {
  const replies = all.map((command) => ({ toolCalls: [{ name: 'shell', args: { command } }] }));
  return scriptedSteps([...replies, { text: 'Done.' }]);
}

it('is there only where it is switched on', async () => {
  const world = await openWorld(server, { script: commands('true') });
  try {
    await world.startWorker();
    const run = await world.client.start({ goal: 'g', tools: ['shell'] });
    expect(await run.result()).toMatchObject({ outcome: 'failed', error: { code: 'TOOL_UNKNOWN' } });
  } finally {
    await world.close();
  }
});

itSandboxed(
  'runs the command that a human put in the place of the model’s, in the workspace and nowhere else',
  async () => {
    let visits = 0;
    const outside = createServer((socket) => {
      visits += 1;
      socket.end('hello');
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    const { port } = outside.address() as AddressInfo; // Of a server that listens on a port.
    const call = `cat </dev/tcp/127.0.0.1/${port}`;
    const world = await open({ env, script: commands('rm -rf .', `${call}; cat made.txt`) });
    try {
      await world.startWorker();
      await writeFile(join(world.dir, 'kept.txt'), 'kept');
      const run = await world.client.start({ goal: 'g' });

      const { kind, reason, args, argsHash } = await untilEvent(run, 'decision_requested');
      expect({ kind, reason, args }).toEqual({ kind: 'decision', args: { command: 'rm -rf .' } });
      await expect(run.approve('s0.c0', { args: { command: ' ' } })).rejects.toMatchObject({
        code: 'ARGS_INVALID',
      });
      const edited = { command: 'cat kept.txt && echo -n made > made.txt' };
      await run.approve('s0.c0', { args: edited, argsHash: argsHash ?? '' });
      await untilEvent(run, 'decision_requested', ({ callId }) => callId === 's1.c0');
      await run.approve('s1.c0');

      const { events, result } = await expectDone(world, run);
      expect(result.answer).toBe('Done.');
      expect(events.filter(({ type }) => type === 'decision_made')).toMatchObject([
        { decision: 'approve', editedArgs: edited },
        { decision: 'approve', editedArgs: null },
      ]);
      expect(events.filter(({ type }) => type === 'context_tainted')).toEqual([]);
      const [first = '', second = ''] = (await run.transcript()).flatMap((item) =>
        item.role === 'tool' ? [item.content] : [],
      );
      // What the model reads names the command that ran.
      expect(first).toMatch(/kept\.txt && echo[^]*Exit code 0 [^]*\n\nkept/);
      expect(second).toMatch(/Exit code 0 [^]*\n\n[^]*(refused|unreachable)[^]*made$/i);
      expect(visits).toBe(0);
      expect(await readFile(join(world.dir, 'made.txt'), 'utf8')).toBe('made');
    } finally {
      await new Promise((resolve) => outside.close(resolve));
    }
  },
);

itSandboxed(
  'leaves nothing running when its worker is killed, and a human says what became of the command',
  async () => {
    const word = uniqueName('command');
    const sleep = `exec -a ${word} sleep 500`;
    // One in a session of its own, which no signal to the group reaches.
    const command = `setsid bash -c '${sleep}' & echo begun > begun.txt; ${sleep}`;
    const world = await open({ env, script: commands(command) });
    const worker = await world.startProcess();
    const run = await world.client.start({ goal: 'g' });
    await untilEvent(run, 'decision_requested');
    await run.approve('s0.c0');
    await untilNamed(word, 2);

    await worker.kill9();
    await untilNamed(word, 0);
    await world.startWorker();
    await untilEvent(run, 'decision_requested', ({ kind }) => kind === 'unknown_outcome');
    expect(await run.pending()).toMatchObject([{ kind: 'unknown_outcome', callId: 's0.c0', tool: 'shell' }]);
    await run.answer('s0.c0', 'It began, and no more.');

    const { events, result } = await expectDone(world, run);
    expect(result.unknownOutcomes).toEqual([]);
    expect(resultsOf(events)['s0.c0']).toMatchObject({
      status: 'ok',
      content: expect.stringContaining('It began, and no more.'),
      attempt: 1,
    });
    expect(await readFile(join(world.dir, 'begun.txt'), 'utf8')).toBe('begun\n');
  },
);
