import { LOOP } from '../../src/core/behaviour.js';
import { fingerprint } from '../../src/core/loop-guard.js';
import type { PlannedCall } from '../../src/core/outcomes.js';
import { purposeOf } from './support/long-run.js';
import {
  eventsOf, gatedCall, isClosing, modelAnswers, modelCalls, modelInput, running, toolAnswers, toolSettles, userWords,
} from './support/run.js'; // prettier-ignore
import type { Shell } from './support/shell.js';

const rungs = ({ events }: Shell) => eventsOf(events, 'loop_detected').map(({ rung }) => rung);
const points = ({ state }: Shell) => state.loop.points;

type Move = Partial<PlannedCall> & { result?: string; fails?: boolean };

/** A step of these calls. */
function does(shell: Shell, ...moves: Move[]): Shell {
  const { step } = shell.state;
  shell.nowMs += 1_000;
  const calls = moves.map(({ result: _, fails: __, ...plan }, index) => ({
    id: `call_${step}_${index}`, name: 'look', args: '{"at":"door"}', effect: 'read' as const, ...plan,
  })); // prettier-ignore
  modelCalls(shell, ...calls);
  for (const [index, { result = 'Closed.', fails }] of moves.entries()) {
    const key = `s${step}.c${index}`;
    if (!shell.started.has(key)) continue;
    if (fails) toolSettles(shell, key, { kind: 'ok', value: { content: result, status: 'failed' } });
    else toolAnswers(shell, key, result);
  }
  return shell;
}

function repeats(shell: Shell, times: number, move: (n: number) => Move | Move[] = () => ({})): Shell {
  for (let n = 0; n < times; n += 1) does(shell, ...[move(n)].flat());
  return shell;
}

/** Steps until a human is asked about the repeated call; it is repeated once more. */
function untilAsked(shell: Shell): Shell {
  repeats(shell, 8);
  expect(rungs(shell)).toEqual(['observe', 'tell', 'switch', 'ask']);
  expect(modelInput(shell).asks).toEqual([fingerprint('look', { at: 'door' })]);
  return modelCalls(
    shell,
    gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }, { reason: 'loop' }),
  );
}

describe('a fingerprint', () => {
  it('tells calls apart by tool and arguments, whatever the order of their keys', () => {
    const one = fingerprint('look', { a: 1, b: { c: [1, 2], d: null } });
    expect(fingerprint('look', { b: { d: null, c: [1, 2] }, a: 1 })).toBe(one);
    expect(fingerprint('look', { a: 1, b: { c: [2, 1], d: null } })).not.toBe(one);
    expect(fingerprint('send', { a: 1, b: { c: [1, 2], d: null } })).not.toBe(one);
    expect(fingerprint('look', { a: '1', b: { c: [1, 2], d: null } })).not.toBe(one);
  });
});

describe('a run is taken to go in circles', () => {
  it('when it makes the same call with the same result again and again', () => {
    const shell = running();
    const seen = [1, 2, 3, 4].map(() => points(does(shell, {})));
    expect(seen).toEqual([0, 3, 6, 9]);
    expect(eventsOf(shell.events, 'loop_detected')).toMatchObject([
      { rung: 'observe', repeats: 2, tools: ['look'], step: 2 },
      { rung: 'tell', repeats: 3, tools: ['look'], step: 3 },
    ]);
  });

  it('though the order of the keys of its arguments changes', () => {
    const shell = repeats(running(), 3, (n) => ({ args: n % 2 === 0 ? '{"a":1,"b":2}' : '{"b":2,"a":1}' }));
    expect(points(shell)).toBe(6);
  });

  it('later, when the results are others', () => {
    const shell = repeats(running(), 7, (n) => ({ result: `${n} o'clock` }));
    expect([points(shell), rungs(shell)]).toEqual([6, ['observe']]);
  });

  it('when it goes to and fro between calls', () => {
    const shell = repeats(running(), 7, (n) => ({ args: `{"at":${n % 3}}` }));
    expect([points(shell), rungs(shell)]).toEqual([12, ['observe', 'tell']]);
  });

  it('when it makes new calls of which every one fails', () => {
    const shell = repeats(running(), 5, (n) => ({ args: `{"at":${n}}`, fails: true }));
    expect([points(shell), rungs(shell)]).toEqual([10, ['observe', 'tell']]);
    const unknown = repeats(running(), 3, (n) => ({
      name: `tool_${n}`, problem: { status: 'unknown_tool', message: 'No.' },
    })); // prettier-ignore
    expect(points(unknown)).toBe(6);
    expect(points(does(shell, { args: '{"at":9}', fails: true }, { args: '{"at":10}' }))).toBe(0);
  });

  it('when all of the calls of a step were made before, in whatever order, and not when one is new', () => {
    const both = [{ args: '{"at":1}' }, { args: '{"at":2}' }];
    const shell = does(does(running(), ...both), ...[...both].reverse());
    expect(points(shell)).toBe(3);
    expect(points(does(shell, ...both, { args: '{"at":3}' }))).toBe(0);
    expect(points(does(shell, { args: '{"at":2}' }))).toBe(3);
  });

  it('by what the model asks for, though a human changes it each time', () => {
    const shell = running();
    for (let n = 0; n < 3; n += 1) {
      const { step } = shell.state;
      modelCalls(shell, gatedCall({ name: 'look', effect: 'read' }));
      shell.control('decide', { callId: `s${step}.c0`, decision: 'approve', args: { n } });
      const [key = ''] = [...shell.started].find(([, { kind }]) => kind === 'check') ?? [];
      const value = { ok: true as const, args: `{"n":${n}}`, argsHash: `h${n}` };
      shell.deliver(shell.settlementOf(key, 'check', { kind: 'ok', value }));
      toolAnswers(shell, `s${step}.c0`);
    }
    expect(shell.state.loop.seen.map(({ calls }) => calls[0])).toEqual(
      Array(3).fill(fingerprint('look', { n: 1 })),
    );
    expect(points(shell)).toBe(2);
  });
});

describe('a run is not taken to go in circles', () => {
  const quiet = (shell: Shell) => expect([rungs(shell), points(shell)]).toEqual([[], expect.any(Number)]);

  it('while it edits and tests, though each test fails as the one before', () => {
    const shell = repeats(running(), 40, (n) =>
      n % 2 === 0 ? { name: 'edit', args: `{"line":${n}}` } : { name: 'test', args: '{}', fails: true },
    );
    quiet(shell);
  });

  it('while it does something new now and then', () => {
    quiet(
      repeats(running(), 40, (n) => ({
        args: n % 3 === 0 ? `{"at":"room ${n}"}` : '{"at":"door"}',
        result: `${n}`,
      })),
    );
  });

  it('while it waits, or looks again with a tool that is for that', () => {
    quiet(repeats(running(), 12, () => ({ polling: true })));
    const shell = running();
    for (let n = 0; n < 12; n += 1) {
      modelCalls(shell, {
        id: 'w',
        name: 'wait',
        args: '{}',
        effect: 'read',
        control: { kind: 'wait', durationMs: 60_000 },
      });
      shell.advance(60_000);
    }
    quiet(shell);
    expect(shell.state.loop.seen).toEqual([]);
  });

  it('while a human refuses what it asks for', () => {
    const shell = running();
    for (let n = 0; n < 12; n += 1) {
      const { step } = shell.state;
      modelCalls(shell, gatedCall());
      shell.control('reject', { callId: `s${step}.c0` });
    }
    quiet(shell);
  });

  it('in a run that began before that was watched', () => {
    const shell = repeats(running({ behaviour: 3 }), 12);
    quiet(shell);
    expect(shell.state.loop.seen).toEqual([]);
  });

  it('once a human has said something', () => {
    const shell = repeats(running(), 3);
    shell.control('say', { text: 'Try again.', mode: 'steer' });
    expect(points(repeats(shell, 2))).toBeLessThan(LOOP.rungs.observe);
  });
});

it('a call that nobody decides on in time counts like any other, so that a run alone comes to an end', () => {
  const shell = running();
  for (let n = 0; n < 40 && !shell.state.landing; n += 1) {
    const reason = modelInput(shell).asks ? { reason: 'loop' as const } : {};
    modelCalls(
      shell,
      gatedCall({ name: 'look', effect: 'read' }, { onExpiry: 'deny', expiresInMs: 60_000, ...reason }),
    );
    shell.advance(60_000);
  }
  expect([shell.state.landing?.limit, shell.state.step]).toEqual(['loop', 9]);
});

describe('the ladder', () => {
  it('has its rungs, of which each is told once', () => {
    const shell = repeats(running(), 10);
    expect(rungs(shell)).toEqual(['observe', 'tell', 'switch', 'ask', 'land']);
    expect(eventsOf(shell.events, 'loop_detected').map(({ step }) => step)).toEqual([2, 3, 5, 7, 9]);
  });

  it('begins anew once something new was done', () => {
    const shell = repeats(running(), 4);
    does(shell, { args: '{"at":"window"}' });
    expect(points(shell)).toBe(0);
    expect(rungs(repeats(shell, 3))).toEqual(['observe', 'tell', 'observe', 'tell']);
  });

  it('first only watches', () => {
    const shell = repeats(running(), 3);
    expect([rungs(shell), userWords(shell)]).toEqual([['observe'], []]);
  });

  it('then tells the model, after the results of the step', () => {
    const shell = repeats(running(), 4);
    expect(shell.state.transcript.at(-2)?.role).toBe('tool');
    expect(userWords(shell)).toEqual([
      expect.stringMatching(/^The last 4 steps brought nothing new: they called look again/),
    ]);
  });

  it('then asks the next model, for one step', () => {
    const shell = repeats(running({ models: ['maker/second', 'other/third'] }), 6);
    expect(eventsOf(shell.events, 'fallback_used')).toMatchObject([
      { code: 'LOOP', from: 'maker/first', to: 'maker/second', step: 5 },
    ]);
    expect(modelInput(shell)).toMatchObject({ model: 'maker/second', step: 6 });
    does(shell, {});
    expect(modelInput(shell)).toMatchObject({ model: 'maker/first', step: 7 });
    expect(eventsOf(shell.events, 'fallback_ended')).toMatchObject([
      { from: 'maker/second', to: 'maker/first', step: 7 },
    ]);
  });

  it('goes on with the model it has where there is no other', () => {
    const shell = repeats(running(), 6);
    expect([rungs(shell).at(-1), modelInput(shell).model]).toEqual(['switch', 'maker/first']);
    expect(eventsOf(shell.events, 'fallback_used')).toEqual([]);
  });

  it('then has a human asked when the call comes again', () => {
    const shell = untilAsked(running());
    expect(shell.state.calls).toMatchObject([{ status: 'gated', plan: { gate: { reason: 'loop' } } }]);
    expect(eventsOf(shell.events, 'decision_requested')).toMatchObject([{ tool: 'look', reason: 'loop' }]);
  });

  it('has a human asked about every call of the circle, whichever comes next', () => {
    const shell = repeats(running(), 9, (n) => [{ args: `{"at":${n % 2}}` }]);
    expect(rungs(shell).at(-1)).toBe('ask');
    const circle = [0, 1].map((at) => fingerprint('look', { at }));
    expect([...(modelInput(shell).asks ?? [])].sort()).toEqual(circle.sort());
  });

  it('asks about nothing any more once something new was done', () => {
    const shell = repeats(running(), 8);
    expect(modelInput(does(shell, { args: '{"at":"window"}' })).asks).toBeUndefined();
  });

  it('in the end has the run land, and say what it has', () => {
    const shell = repeats(running(), 10);
    expect(shell.state.landing).toMatchObject({ outcome: 'limit', limit: 'loop', error: null });
    expect(isClosing(shell)).toBe(true);
    expect(userWords(shell).at(-1)).toMatch(
      /^The last 10 steps brought nothing new.*No more tools can be called/,
    );
    modelAnswers(shell, { text: 'The door is closed.' });
    expect(shell.state.result).toMatchObject({
      outcome: 'limit', limit: 'loop', limitsReached: ['loop'], answer: 'The door is closed.', error: null,
    }); // prettier-ignore
  });

  it('asks no human where none is to be asked, and lands all the same', () => {
    const shell = repeats(running({}, { goal: 'Tidy up.', requireApproval: 'never' }), 10);
    expect(rungs(shell)).toEqual(['observe', 'tell', 'switch', 'land']);
    expect(shell.state.landing?.limit).toBe('loop');
  });

  it('does nothing in a run that is landing already', () => {
    const shell = repeats(running(), 9);
    const { step } = shell.state;
    modelCalls(shell, { id: 'last', name: 'look', args: '{"at":"door"}', effect: 'read' });
    shell.control('stop');
    toolAnswers(shell, `s${step}.c0`, 'Closed.');
    expect([rungs(shell).at(-1), shell.state.landing?.outcome]).toEqual(['ask', 'stopped']);
  });
});

describe('a human who was asked about a repeated call', () => {
  it.each(['approve', 'reject'] as const)('and decides to %s it has the matter in hand', (decision) => {
    const shell = untilAsked(running());
    shell.control('decide', { callId: 's8.c0', decision });
    if (decision === 'approve') toolAnswers(shell, 's8.c0', 'Closed.');
    expect(shell.state.loop).toEqual({ points: 0, seen: [], repeats: 0, asks: [] });
    expect(modelInput(shell)).not.toHaveProperty('asks');
    expect(points(repeats(shell, 2))).toBe(3);
  });

  it('is asked though the tool was approved for the rest of the run', () => {
    const shell = modelCalls(running(), gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }));
    shell.control('decide', { callId: 's0.c0', decision: 'approve', scope: 'run' });
    toolAnswers(shell, 's0.c0', 'Closed.');
    repeats(shell, 7);
    expect(modelInput(shell).asks).toBeDefined();
    modelCalls(
      shell,
      gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }, { reason: 'loop' }),
      gatedCall({ name: 'look', args: '{"at":"window"}', effect: 'read' }),
    );
    expect(shell.state.calls.map(({ status }) => status)).toEqual(['gated', 'running']);
  });

  it('may not answer in time, which decides nothing', () => {
    const shell = repeats(running(), 8);
    const gate = { reason: 'loop' as const, onExpiry: 'deny' as const, expiresInMs: 60_000 };
    modelCalls(shell, gatedCall({ name: 'look', args: '{"at":"door"}', effect: 'read' }, gate));
    shell.advance(60_000);
    expect(points(shell)).toBeGreaterThan(LOOP.rungs.ask);
    expect(purposeOf(shell)).toBe('step');
  });
});

describe('what is remembered of past steps', () => {
  it('survives continue-as-new', () => {
    const [whole, parts] = [running({ models: ['maker/second'] }), running({ models: ['maker/second'] })];
    for (let n = 0; n < 10; n += 1) {
      does(whole, {});
      does(parts.reload(), {}).reload();
      expect(parts.state).toEqual(whole.state);
    }
    expect(parts.state.landing?.limit).toBe('loop');
  });

  it('is bounded', () => {
    const shell = repeats(running(), 25, (n) =>
      Array.from({ length: 40 }, (_, k) => ({ args: `{"n":${n * 50 + k}}` })),
    );
    const { seen } = shell.state.loop;
    expect(seen).toHaveLength(LOOP.window);
    for (const { calls, results } of seen)
      expect([calls.length, results.length]).toEqual([LOOP.callsPerStep, LOOP.callsPerStep]);
  });

  it('says nothing of the calls of a review', () => {
    const check = { id: 'check', name: 'shell', args: '{"command":"test"}', effect: 'read' as const };
    const review = { rounds: 9, checks: [check], onDisagreement: 'report' as const };
    const shell = running({ review });
    for (let round = 0; round < 8; round += 1) {
      modelAnswers(shell, { text: `Answer ${round}.` });
      toolAnswers(shell, `s${shell.state.step}.c0`, 'Fails.');
      modelAnswers(shell, { text: 'It is wrong.' });
    }
    expect([rungs(shell), shell.state.loop.seen]).toEqual([[], []]);
  });
});
