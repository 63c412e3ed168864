import { ATTEMPTS, BACKOFF, LONGEST_POLITE_WAIT_MS, OUTAGE } from '../../../src/core/behaviour.js';
import type { JsonObject } from '../../../src/core/json.js';
import { view } from '../../../src/core/view.js';
import { MODEL_FAULTS, type ModelFault } from '../../../src/testing/model-faults.js';
import {
  callOf,
  eventsOf,
  FREE,
  modelAnswers,
  modelCalls,
  modelFails,
  modelInput,
  running,
  toolAnswers,
} from '../support/run.js';
import type { Shell } from '../support/shell.js';

const HOUR_MS = 3_600_000;
const MODELS = ['maker/first', 'maker/second'];
/** Far more than any run takes that comes to an end. */
const MOST_TURNS = 5_000;

const failing = MODEL_FAULTS.filter(({ becomes }) => becomes !== 'an answer');
/** Rows that the core cannot tell apart are one case. */
function withReaction(reaction: ModelFault['reaction']): [ids: string, ModelFault][] {
  const cases = new Map<string, ModelFault[]>();
  for (const fault of failing.filter((one) => one.reaction === reaction)) {
    const seen = JSON.stringify([fault.becomes, detailsOf(fault)]);
    cases.set(seen, [...(cases.get(seen) ?? []), fault]);
  }
  return [...cases.values()].flatMap((faults) =>
    faults.slice(0, 1).map((first): [string, ModelFault] => [faults.map(({ id }) => id).join(', '), first]),
  );
}

const askedMs = ({ id }: ModelFault): number => (id === 'retry-after-hour' ? HOUR_MS : 7_000);

function detailsOf(fault: ModelFault): JsonObject {
  return {
    ...FREE,
    ...(fault.wait === 'asked' && { delayMs: askedMs(fault) }),
    ...(fault.id === 'http-402-affordable' && { affordableTokens: 700 }),
  };
}

/** The fault strikes at the call under way. */
function strike(shell: Shell, fault: ModelFault): Shell {
  return modelFails(shell, fault.becomes, fault.reaction === 'again', detailsOf(fault));
}

/** What a run waited for: nothing else may be under way then. */
interface Rest {
  status: string;
  forMs: number;
  underWay: number;
  heldNanoUsd: number;
}

/** The fault strikes each call there is, until the run ends, pauses, or has nothing more to wait for. */
function strikeForEver(shell: Shell, fault: ModelFault): Rest[] {
  const rests: Rest[] = [];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    if (shell.closed || shell.state.pause) return rests;
    if ([...shell.started.values()].some(({ kind }) => kind === 'model')) {
      strike(shell, fault);
      continue;
    }
    if (shell.timerAtMs === null) throw new Error('The run hangs: nothing is under way, and no time is set.');
    const { status, spend } = view(shell.state);
    rests.push({
      status,
      forMs: shell.timerAtMs - shell.nowMs,
      underWay: shell.started.size,
      heldNanoUsd: spend.reservedNanoUsd,
    });
    shell.awaitTimer();
  }
  throw new Error('The run does not come to an end.');
}

/** Calls of steps as they were made: of which model how many in a row. */
function series(shell: Shell, purpose = 'step'): [string, number][] {
  const found: [string, number][] = [];
  for (const { work } of shell.starts) {
    if (work.kind !== 'model' || work.input.purpose !== purpose) continue;
    const last = found.at(-1);
    if (last?.[0] === work.input.model) last[1] += 1;
    else found.push([work.input.model, 1]);
  }
  return found;
}

const twoModels = () => running({ models: MODELS.slice(1) });

describe('a fault that passes', () => {
  it.each(withReaction('again'))(
    '%s is tried again within its bounds, then waited out in sight, then the run lands',
    (_id, fault) => {
      const shell = twoModels();
      const rests = strikeForEver(shell, fault);
      // A server that wants an hour is left for the other model at once.
      const first = askedMs(fault) === HOUR_MS && fault.wait === 'asked' ? 1 : ATTEMPTS.step;
      expect(series(shell).slice(0, 2)).toEqual([
        [MODELS[0], first],
        [MODELS[1], expect.any(Number)],
      ]);
      for (const [, calls] of series(shell)) expect(calls).toBeLessThanOrEqual(ATTEMPTS.step);
      expect(series(shell, 'landing').length).toBe(1);
      for (const [, calls] of series(shell, 'landing')) expect(calls).toBeLessThanOrEqual(ATTEMPTS.landing);
      expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: fault.becomes } });
      const waits = rests.filter(({ status }) => status === 'waiting');
      expect(waits.length).toBeGreaterThan(0);
      const longWaits = rests.filter(({ forMs }) => forMs > LONGEST_POLITE_WAIT_MS + BACKOFF.firstMs);
      expect(longWaits.filter(({ status }) => status !== 'waiting')).toEqual([]);
      expect(shell.nowMs - shell.state.startedAtMs).toBeLessThan(OUTAGE.patienceMs * 1.5);
      for (const { underWay, heldNanoUsd } of rests) expect([underWay, heldNanoUsd]).toEqual([0, 0]);
    },
  );

  it.each(withReaction('again'))('%s is waited for as long as the table says', (_id, fault) => {
    const shell = running();
    for (let failures = 0; failures < ATTEMPTS.step - 1; failures++) {
      strike(shell, fault);
      const forMs = (shell.timerAtMs ?? NaN) - shell.nowMs;
      const aboutMs = Math.min(BACKOFF.firstMs * 2 ** failures, BACKOFF.longestMs);
      const [least, most] =
        fault.wait === 'asked'
          ? [askedMs(fault), askedMs(fault) + BACKOFF.firstMs]
          : [aboutMs * (1 - BACKOFF.spread), aboutMs * (1 + BACKOFF.spread)];
      expect(forMs).toBeGreaterThanOrEqual(least);
      expect(forMs).toBeLessThanOrEqual(most);
      shell.awaitTimer();
    }
  });

  it.each(withReaction('again'))('%s that strikes once is made good by the next attempt', (_id, fault) => {
    const shell = strike(running(), fault).awaitTimer();
    expect(modelInput(shell).model).toBe(MODELS[0]);
    modelAnswers(shell, { text: 'Done.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'Done.', steps: 1 });
  });
});

describe('a fault that is final for a model', () => {
  it.each(withReaction('next model'))(
    '%s is no other attempt’s, but the next model’s; without one the run fails',
    (_id, fault) => {
      const shell = twoModels();
      const rests = strikeForEver(shell, fault);
      expect(series(shell)).toEqual([
        [MODELS[0], 1],
        [MODELS[1], 1],
      ]);
      expect(rests).toEqual([]);
      expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: fault.becomes } });
      expect(eventsOf(shell.events, 'fallback_used')).toMatchObject([
        { from: MODELS[0], to: MODELS[1], code: fault.becomes },
      ]);
    },
  );

  it.each(withReaction('next model'))(
    '%s of the last model ends no run whose first model may recover',
    (_id, fault) => {
      const shell = twoModels();
      for (let n = 1; n < ATTEMPTS.step; n++) modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE).awaitTimer();
      modelFails(shell, 'MODEL_UNAVAILABLE', true, FREE);
      strike(shell, fault);
      expect(view(shell.state).status).toBe('waiting');
      expect(modelInput(shell.awaitTimer()).model).toBe(MODELS[0]);
    },
  );
});

describe('a request that is too long', () => {
  it.each(withReaction('shorten'))(
    '%s leads to a shorter one once, then to the next model, then to an end',
    (_id, fault) => {
      const shell = twoModels();
      for (let step = 0; step < 8; step++)
        toolAnswers(modelCalls(shell, callOf({ args: `{"n":${step}}` })), `s${step}.c0`, 'x'.repeat(4_000));
      shell.starts.splice(0, shell.starts.length - 1);
      strikeForEver(shell, fault);
      expect(series(shell)).toEqual([
        [MODELS[0], 2],
        [MODELS[1], 1],
      ]);
      expect(series(shell, 'compaction')).toEqual([[MODELS[0], 1]]);
      expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: fault.becomes } });
    },
  );

  it.each(withReaction('shorten'))(
    '%s leads to the next model at once where nothing can be shortened',
    (_id, fault) => {
      const shell = twoModels();
      strikeForEver(shell, fault);
      expect(series(shell)).toEqual(MODELS.map((model) => [model, 1]));
      expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: fault.becomes } });
    },
  );
});

describe('a fault that a human has to mend', () => {
  it.each(withReaction('pause'))('%s pauses the run, which goes on when it is resumed', (_id, fault) => {
    const shell = twoModels();
    strikeForEver(shell, fault);
    expect(series(shell)).toEqual([[MODELS[0], fault.id === 'http-402-affordable' ? 2 : 1]]);
    expect([view(shell.state).status, shell.started.size]).toEqual(['paused', 0]);
    modelAnswers(shell.control('resume'), { text: 'Paid.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'Paid.' });
  });

  it.each(withReaction('fail'))('%s ends the run at once, whatever other models there are', (_id, fault) => {
    const shell = twoModels();
    strikeForEver(shell, fault);
    expect(series(shell)).toEqual([[MODELS[0], 1]]);
    expect(shell.state.result).toMatchObject({ outcome: 'failed', error: { code: fault.becomes } });
  });
});

it('has each failing row of the table in one of the tests above', () => {
  const covered = (['again', 'next model', 'shorten', 'pause', 'fail'] as const).flatMap(withReaction);
  expect(covered.flatMap(([ids]) => ids.split(', ')).sort()).toEqual(failing.map(({ id }) => id).sort());
});
