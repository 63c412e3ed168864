import { scriptedSteps } from '../../../src/testing/stand-in/script.js';
import { GrpcProxy } from '../../support/grpc-proxy.js';
import { uniqueName, useTemporalServer } from '../../support/temporal-server.js';
import { expectDone, useKillWorlds } from '../support/kill-world.js';
import { WorkerProcess } from '../../support/worker-process.js';
const server = useTemporalServer();
const open = useKillWorlds(server);
it('passes', async () => {
  const seen: Record<string, number> = {};
  const proxy = await GrpcProxy.start(server.address, ({ method, status }, when) => {
    seen[`${method} ${when} ${status}`] = (seen[`${method} ${when} ${status}`] ?? 0) + 1;
  });
  const world = await open({ script: scriptedSteps([{ toolCalls: [{ name: 'once_act' }] }, { text: 'Done.' }]) });
  const { env } = await import('../support/effects.js').then((m) => m.writeEffectTools(world.dir));
  const worker = new WorkerProcess({ cwd: world.dir, env: { ...world.env, ...env, TEMPORAL_ADDRESS: proxy.address } });
  await worker.ready;
  const t = Date.now();
  const run = await world.client.start({ goal: 'x', requireApproval: 'never' }, { id: uniqueName('p') });
  await expectDone(world, run);
  console.log(Date.now() - t, seen);
  await worker.kill9();
  await proxy.close();
}, 60000);
