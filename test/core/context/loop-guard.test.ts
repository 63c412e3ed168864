import { LOOP } from '../../../src/core/behaviour.js';
import { fingerprint } from '../../../src/core/context/loop-guard.js';
import { looksUntilFull, shortRun, sumsUp } from '../support/long-run.js';
import { does, points, repeats, rungs } from '../support/circles.js';
import {
  gatedCall,
  modelAnswers,
  modelCalls,
  modelInput,
  running,
  eventsOf,
  toolAnswers,
} from '../support/run.js';
import type { Shell } from '../support/shell.js';

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

  it('but not when it looks again at what a shortened conversation has lost, unless it does so twice', () => {
    const shell = looksUntilFull(shortRun(6_000));
    const { step } = shell.state;
    expect(step).toBeGreaterThan(3);
    sumsUp(shell);
    const again = (drawer: number) => does(shell, { args: `{"drawer":${drawer}}`, result: 'Dust.' });
    expect([0, 1, 2, 3].map((drawer) => points(again(drawer)))).toEqual([0, 0, 0, 0]);
    expect(points(again(0))).toBe(LOOP.points.identical);
    expect(points(again(step))).toBe(0);
  });

  it('when nothing but what a shortened conversation has lost is looked at for long', () => {
    const shell = repeats(running(), 10, (n) => ({ args: `{"at":${n}}` }));
    for (let n = 0; n < 60 && !rungs(shell).includes('ask'); n += 1) {
      const { loop } = shell.state;
      const seen = n % 10 === 0 ? loop.seen.map((one) => ({ ...one, forgotten: true as const })) : loop.seen;
      shell.state = { ...shell.state, loop: { ...loop, seen } };
      does(shell, { args: `{"at":${n % 10}}` });
    }
    expect(rungs(shell)).toEqual(['observe', 'tell', 'switch', 'ask']);
  });

  it('across a shortening: what it was found to repeat before is not forgiven', () => {
    const shell = repeats(running(), 3);
    shell.state = {
      ...shell.state,
      loop: { ...shell.state.loop, seen: shell.state.loop.seen.map((one) => ({ ...one, forgotten: true })) },
    };
    expect([points(does(shell, {})), points(does(shell, {}))]).toEqual([6, 9]);
    expect(rungs(shell)).toEqual(['observe', 'tell']);
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
  const expectQuiet = (shell: Shell) =>
    expect([rungs(shell), points(shell)]).toEqual([[], expect.any(Number)]);

  it('while it edits and tests, though each test fails as the one before', () => {
    const shell = repeats(running(), 40, (n) =>
      n % 2 === 0 ? { name: 'edit', args: `{"line":${n}}` } : { name: 'test', args: '{}', fails: true },
    );
    expectQuiet(shell);
  });

  it('while it does something new now and then', () => {
    expectQuiet(
      repeats(running(), 40, (n) => ({
        args: n % 3 === 0 ? `{"at":"room ${n}"}` : '{"at":"door"}',
        result: `${n}`,
      })),
    );
  });

  it('while it waits, or looks again with a tool that is for that', () => {
    expectQuiet(repeats(running(), 12, () => ({ polling: true })));
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
    expectQuiet(shell);
    expect(shell.state.loop.seen).toEqual([]);
  });

  it('while a human refuses what it asks for', () => {
    const shell = running();
    for (let n = 0; n < 12; n += 1) {
      const { step } = shell.state;
      modelCalls(shell, gatedCall());
      shell.control('reject', { callId: `s${step}.c0` });
    }
    expectQuiet(shell);
  });

  it('in a run that began before that was watched', () => {
    const shell = repeats(running({ behaviour: 3 }), 12);
    expectQuiet(shell);
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
