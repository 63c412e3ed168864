import { Dice } from '../core/support/dice.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { audit, type Tally } from './support/kill-audit.js';
import { openCrew, type KillCrew } from './support/kill-crew.js';
import { killScript, liveAndDecide } from './support/kill-life.js';
import { seedOf } from './support/random-life.js';
import { withRandomKills } from './support/random-kills.js';

const LIVES = Number(process.env['LONGHAUL_KILL_LIVES'] ?? 12);
const SEED = Number(process.env['LONGHAUL_KILL_SEED'] ?? 1);
const AT_ONCE = 12;
const WORKERS = 2;
const ENV = { LONGHAUL_HEARTBEAT_TIMEOUT_MS: '1500', LONGHAUL_CONTINUE_AS_NEW_EVENTS: '45' };

const server = useTemporalServer();
let crew: KillCrew;

beforeAll(async () => {
  crew = await openCrew(server, { script: killScript, env: ENV });
}, 60_000);
afterAll(() => crew.close());

it(
  'never does twice unasked what may be done once, shows all that is unknown, and loses no decision, whenever workers are killed',
  async () => {
    const left = Array.from({ length: LIVES }, (_, index) => SEED + index);
    const problems: string[] = [];
    const tallies: Tally[] = [];
    const lives = async () => {
      for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
        try {
          tallies.push(await liveOnce(seed));
        } catch (error) {
          problems.push(
            `LONGHAUL_KILL_SEED=${seed} LONGHAUL_KILL_LIVES=1:\n${String(Object(error).message)}`,
          );
        }
      }
    };
    const { kills } = await withRandomKills(crew, { dice: new Dice(SEED), workers: WORKERS }, () =>
      Promise.all(Array.from({ length: AT_ONCE }, lives)),
    );
    if (process.env['LONGHAUL_KILL_LIVES']) report(tallies, kills);
    expect(problems.join('\n\n')).toBe('');
    crew.expectNoRefusals();
    const sum = sumOf(tallies);
    expect(sum.onceEffects).toBeGreaterThan(LIVES / 2);
    expect(Object.keys(kills).length).toBeGreaterThan(0);
  },
  60_000 + LIVES * 30_000,
);

async function liveOnce(seed: number): Promise<Tally> {
  const run = await crew.client.start({ goal: 'Live.' }, { id: `${uniqueName('kill')}:${seed}` });
  const sent = await liveAndDecide(crew, run, new Dice(seedOf(`${seed}`)));
  return audit(crew, run, sent);
}

function sumOf(tallies: readonly Tally[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of tallies)
    for (const [name, value] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

function report(tallies: readonly Tally[], kills: Record<string, number>): void {
  const total = Object.values(kills).reduce((sum, one) => sum + one, 0);
  process.stderr.write(
    `${JSON.stringify({ lives: tallies.length, total, kills, ...sumOf(tallies) }, null, 1)}\n`,
  );
}
