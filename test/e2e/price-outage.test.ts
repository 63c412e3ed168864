import type { StartInput } from '../../src/client/run-client.js';
import type { RunHandle } from '../../src/client/run-handle.js';
import { untilEvent, type World } from '../support/run-support.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { askedBy, expectExactBill, UNPRICED, untilProgress, useMoneyWorlds } from './support/money-world.js';
import { Unpluggable } from './support/unpluggable.js';

/** Far too little for a call at the price that is assumed where none is known. */
const LOW = { maxCostUsd: 0.05 };
/** How long an end may take: three attempts at a closing answer, seconds apart. */
const SOON_MS = 10_000;

const server = useTemporalServer();
const openMoneyWorld = useMoneyWorlds(server);
let line: Unpluggable;
let world: World;

beforeEach(async () => {
  line = await Unpluggable.open();
  const script = () => ({ text: 'Here I am.' });
  world = await openMoneyWorld({ script, env: { OPENROUTER_BASE_URL: line.url } });
  line.targetPort = world.standIn.port;
  await line.unplug();
}, 60_000);

afterEach(() => line.unplug().catch(() => undefined));

/** Starts a run while the model server is down, and sees it wait. */
async function startInOutage(input: Partial<StartInput> = {}): Promise<RunHandle> {
  const run = await world.client.start({ goal: 'Say something.', limits: LOW, ...input });
  const { warnings } = await untilEvent(run, 'run_started');
  expect(warnings.join()).toMatch(/could not be asked/);
  await untilProgress(run, ({ waiting }) => waiting !== null);
  return run;
}

describe('a run with a ceiling on cost that starts in an outage', () => {
  it('shows that it waits, and what for; goes on when the server is back, at the true price', async () => {
    const run = await startInOutage();
    await untilEvent(run, 'model_failed', ({ attempt }) => attempt > 1);
    await untilProgress(run, ({ waiting }) => waiting !== null);
    expect(await run.progress()).toMatchObject({
      model: 'stand-in/agent',
      waiting: { code: 'MODEL_UNREACHABLE', message: expect.any(String), until: expect.any(String) },
      spend: { reservedNanoUsd: 0, costNanoUsd: 0, estimatedNanoUsd: 0 },
    });
    await line.plugIn();
    await run.resume();
    const { outcome, answer, spend } = await expectExactBill(world, run);
    expect({ outcome, answer }).toEqual({ outcome: 'done', answer: 'Here I am.' });
    expect(spend.costNanoUsd).toBeGreaterThan(0);
    expect(spend.lostModelCalls).toBe(0);
    const [asked, ...others] = askedBy(world, run);
    expect(others).toEqual([]);
    expect(asked?.body).toMatchObject({ provider: { max_price: { prompt: 0.5, completion: 2 } } });
    await untilEvent(run, 'model_failed', ({ code }) => code === 'PRICE_CHANGED');
  }, 60_000);

  it('goes on by itself', async () => {
    const run = await startInOutage();
    await line.plugIn();
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'done', answer: 'Here I am.' });
  }, 60_000);

  it('draws from a shared budget once it knows the price', async () => {
    const budget = uniqueName('budget');
    await world.client.budgets.set(budget, { limitUsd: LOW.maxCostUsd });
    const run = await startInOutage({ limits: {}, budget });
    await line.plugIn();
    const { outcome, spend } = await expectExactBill(world, run);
    expect(outcome).toBe('done');
    expect(await world.client.budgets.show(budget)).toMatchObject({ usedNanoUsd: spend.costNanoUsd });
    expect(askedBy(world, run)).toHaveLength(1);
  }, 60_000);

  it('ends soon when a human stops it', async () => {
    const run = await startInOutage();
    const sinceMs = Date.now();
    await run.stop();
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'stopped' });
    expect(Date.now() - sinceMs).toBeLessThan(SOON_MS);
  }, 60_000);

  it('ends soon after its time is over', async () => {
    const sinceMs = Date.now();
    const run = await startInOutage({ limits: { ...LOW, maxDurationMs: 3_000 } });
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'limit', limit: 'duration' });
    expect(Date.now() - sinceMs).toBeLessThan(3_000 + SOON_MS);
  }, 60_000);

  it.each([
    [UNPRICED, 'PRICE_UNKNOWN'],
    ['no/such', 'MODEL_BAD_REQUEST'],
  ])(
    'ends when the server is back and has no price for %s',
    async (model, code) => {
      const run = await startInOutage({ model });
      await line.plugIn();
      expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'failed', error: { code } });
      expect(askedBy(world, run)).toEqual([]);
    },
    60_000,
  );

  it('ends at its ceiling when the true price is too high for it', async () => {
    const run = await startInOutage({ limits: { maxCostUsd: 0.000_001 } });
    await line.plugIn();
    expect(await expectExactBill(world, run)).toMatchObject({ outcome: 'limit', limit: 'cost' });
    expect(askedBy(world, run)).toEqual([]);
  }, 60_000);
});
