import { useTemporalServer } from '../support/temporal-server.js';
import { byGoal } from './support/goal-scripts.js';
import { useMoneyWorlds } from './support/money-world.js';

const open = useMoneyWorlds(useTemporalServer());
const RETRY_AFTER_SECONDS = 6;

it('a call that its worker holds back, because the server has asked another run to wait, is no lost call', async () => {
  const world = await open({
    script: byGoal({
      first: (_request, { attempt }) =>
        attempt === 1
          ? { fault: { kind: 'http', status: 429, headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } } }
          : { text: 'First.' },
      second: () => ({ text: 'Second.' }),
    }),
    // Far less than the wait.
    env: { LONGHAUL_HEARTBEAT_TIMEOUT_MS: '1000' },
  });
  const first = await world.client.start({ goal: 'first' });
  for await (const event of first.events()) if (event.type === 'model_failed') break;
  const second = await world.client.start({ goal: 'second' });
  const failed: unknown[] = [];
  for await (const event of second.events()) if (event.type === 'model_failed') failed.push(event);
  expect(failed).toEqual([]);
  expect(await second.result()).toMatchObject({
    outcome: 'done',
    answer: 'Second.',
    spend: { modelCalls: 1, lostModelCalls: 0 },
  });
  expect(await first.result()).toMatchObject({ outcome: 'done', answer: 'First.' });
  world.expectNoRefusals();
});
