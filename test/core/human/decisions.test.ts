import type { JsonObject } from '../../../src/core/json.js';
import { view } from '../../../src/core/view.js';
import {
  argsChecked, callOf, eventsOf, gatedCall, lastOf, modelCalls, modelKey, refusal, resultObject, results, running, toolAnswers, toolSettles, underWay,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';
import { fakeHash } from '../support/world.js';

const gated = () => modelCalls(running(), gatedCall());

function edits(shell: Shell, args: JsonObject = { n: 2 }, note = 'Two is enough.'): Shell {
  return shell.control('decide', { decision: 'approve', args, note, by: 'ada' });
}

const fine = { ok: true as const, args: '{"n":2}', argsHash: 'sha256:two' };

describe('a gated call', () => {
  it('waits for a human and runs nothing', () => {
    const shell = gated();
    expect(underWay(shell)).toEqual([]);
    expect(view(shell.state).pending).toEqual([
      {
        kind: 'decision',
        callId: 's0.c0',
        tool: 'send',
        args: { n: 1 },
        argsHash: fakeHash('{"n":1}'),
        summary: 'May I?',
        requestedAt: '2026-01-01T00:00:00.000Z',
        expiresAt: null,
      },
    ]);
  });

  it('runs when it is approved, and the record says by whom', () => {
    const shell = gated().control('approve', { by: 'ada', callId: 's0.c0', argsHash: fakeHash('{"n":1}') });
    expect(underWay(shell)).toEqual(['s0.c0']);
    expect(lastOf(shell, 'decision_made')).toMatchObject({
      callId: 's0.c0',
      tool: 'send',
      decision: 'approve',
      by: 'ada',
      note: null,
      editedArgs: null,
    });
  });

  it('does not run when it is rejected, and the model reads the note', () => {
    const shell = gated().control('reject', { note: 'Ask legal first.' });
    expect(resultObject(shell)).toEqual({
      status: 'rejected',
      message: 'A human rejected this call. It was not run.',
      note: 'Ask legal first.',
    });
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
    expect(modelKey(shell)).toBe('s1.m0');
  });

  it('that is approved with a note brings the note to the model with its result', () => {
    const shell = toolAnswers(gated().control('approve', { note: 'Go slow.' }), 's0.c0', 'Sent.');
    expect(results(shell)).toEqual(['[A human noted: Go slow.]\nSent.']);
  });

  it('does not hold back calls that need no human', () => {
    const shell = modelCalls(running(), gatedCall(), callOf());
    expect(underWay(shell)).toEqual(['s0.c1']);
    expect(view(shell.state).status).toBe('running');
  });
});

describe('a decision that does not fit', () => {
  it('is refused for a call that the run does not have', () => {
    expect(refusal(gated().control('approve', { callId: 's0.c7' }))).toBe('CALL_NOT_FOUND');
    expect(refusal(gated().control('approve', { callId: 'nonsense' }))).toBe('CALL_NOT_FOUND');
    expect(refusal(gated().control('approve', { callId: 's7.c0' }))).toBe('CALL_NOT_FOUND');
  });

  it('is refused for a call that waits for nothing, now or in a past step', () => {
    const shell = modelCalls(running(), callOf());
    expect(refusal(shell.control('reject', { callId: 's0.c0' }))).toBe('CALL_NOT_PENDING');
    toolAnswers(shell, 's0.c0');
    expect(refusal(shell.control('reject', { callId: 's0.c0' }))).toBe('CALL_NOT_PENDING');
  });

  it('is refused without a call id when nothing is pending', () => {
    expect(refusal(running().control('approve'))).toBe('CALL_NOT_PENDING');
  });

  it('is refused without a call id when two calls are pending', () => {
    const shell = modelCalls(running(), gatedCall(), gatedCall());
    expect(refusal(shell.control('approve'))).toBe('CALL_NOT_PENDING');
    expect(lastOf(shell, 'control_rejected')?.message).toContain('2 calls wait');
    shell.control('approve', { callId: 's0.c1' }).control('approve');
    expect(underWay(shell)).toEqual(['s0.c1', 's0.c0']);
  });

  it('means the only call that it can mean', () => {
    const shell = modelCalls(
      running(),
      gatedCall(),
      callOf({ control: { kind: 'ask', question: 'Which?' } }),
    );
    expect(underWay(shell.control('approve'))).toEqual(['s0.c0']);
  });

  it.each(['approve', 'reject'] as const)(
    'is refused when it was decided before, in this step and later: %s',
    (name) => {
      const shell = modelCalls(running(), gatedCall(), gatedCall()).control('reject', { callId: 's0.c0' });
      expect(refusal(shell.control(name, { callId: 's0.c0' }))).toBe('ALREADY_DECIDED');
      shell.control('reject', { callId: 's0.c1' });
      expect(refusal(shell.control(name, { callId: 's0.c0' }))).toBe('ALREADY_DECIDED');
      expect(eventsOf(shell.events, 'decision_made').length).toBe(2);
    },
  );

  it('is refused when it was made for other arguments', () => {
    const shell = gated().control('approve', { argsHash: 'sha256:other' });
    expect(refusal(shell)).toBe('ARGS_HASH_MISMATCH');
    expect(view(shell.state).pending.length).toBe(1);
  });

  it('names the call in the event', () => {
    const shell = gated().control('approve', { callId: `s0.c0${'0'.repeat(200)}` });
    expect(lastOf(shell, 'control_rejected')).toMatchObject({
      control: 'approve',
      callId: `s0.c0${'0'.repeat(95)}`,
    });
  });
});

describe('edited arguments', () => {
  it('are checked before the call runs with them', () => {
    const shell = edits(gated());
    expect([...shell.started.values()]).toEqual([
      {
        kind: 'check',
        key: 's0.c0.e1',
        input: { name: 'send', args: { n: 2 } },
        summary: 'check arguments of s0.c0',
      },
    ]);
    expect(view(shell.state).pending).toEqual([]);
    argsChecked(shell, fine);
    expect(underWay(shell)).toEqual(['s0.c0']);
    expect(lastOf(shell, 'tool_started')?.args).toEqual({ n: 2 });
    expect(lastOf(shell, 'decision_made')).toMatchObject({
      decision: 'approve',
      by: 'ada',
      note: 'Two is enough.',
      editedArgs: { n: 2 },
    });
  });

  it('are other arguments to the tool activity', () => {
    const keyOf = (shell: Shell) => {
      const work = shell.started.get('s0.c0');
      return work?.kind === 'tool' ? work.input.argsKey : undefined;
    };
    expect(keyOf(argsChecked(edits(gated()), fine))).not.toBe(keyOf(gated().control('approve')));
  });

  it('reach the model with the result, whatever it is', () => {
    const ran = () => argsChecked(edits(gated()), fine);
    const words =
      'A human changed the arguments of this call before it ran, to: {"n":2} A human noted: Two is enough.';
    expect(results(toolAnswers(ran(), 's0.c0', 'Sent.'))).toEqual([`[${words}]\nSent.`]);
    const failed = {
      kind: 'failed' as const,
      code: 'TOOL_FAILED',
      message: 'No.',
      retryable: false,
      details: {},
    };
    expect(resultObject(toolSettles(ran(), 's0.c0', failed))).toEqual({
      status: 'failed',
      message: 'No.',
      note: words,
    });
    const reported = { kind: 'ok' as const, value: { content: 'No.', status: 'failed' as const } };
    expect(resultObject(toolSettles(ran(), 's0.c0', reported))).toEqual({
      status: 'failed',
      message: 'No.',
      note: words,
    });
    const doubt = toolSettles(ran(), 's0.c0', { kind: 'timed_out' }).control('stop');
    expect(resultObject(doubt)).toMatchObject({ status: 'unknown_outcome', note: words });
  });

  it('that do not fit leave the call pending as it was, and can be mended', () => {
    const shell = argsChecked(edits(gated()), { ok: false, message: 'n must be a number.' });
    expect(refusal(shell)).toBe('ARGS_INVALID');
    expect(lastOf(shell, 'control_rejected')).toMatchObject({
      control: 'decide',
      message: 'n must be a number.',
      callId: 's0.c0',
    });
    expect(view(shell.state).pending).toMatchObject([
      { callId: 's0.c0', args: { n: 1 }, argsHash: fakeHash('{"n":1}') },
    ]);
    edits(shell);
    expect(underWay(shell)).toEqual(['s0.c0.e2']);
  });

  it('that nobody could check leave the call pending', () => {
    const shell = edits(gated());
    shell.deliver(shell.settlementOf('s0.c0.e1', 'check', { kind: 'timed_out' }));
    expect(refusal(shell)).toBe('ARGS_INVALID');
    expect(view(shell.state).pending.length).toBe(1);
  });

  it('are refused when they are no object, and when they are too large', () => {
    expect(refusal(gated().control('decide', { decision: 'approve', args: [2] }))).toBe('ARGS_INVALID');
    expect(refusal(gated().control('decide', { decision: 'approve', args: 'n=2' }))).toBe('ARGS_INVALID');
    const shell = gated().control('decide', { decision: 'approve', args: { text: 'x'.repeat(70_000) } });
    expect(refusal(shell)).toBe('MESSAGE_TOO_LARGE');
    expect(view(shell.state).pending.length).toBe(1);
  });

  it('are refused with a rejection, and for a call that may have run', () => {
    expect(refusal(gated().control('decide', { decision: 'reject', args: { n: 2 } }))).toBe('ARGS_INVALID');
    const unsure = toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' });
    expect(refusal(edits(unsure))).toBe('ARGS_INVALID');
  });

  it('hold the call while they are checked: another decision on it is refused', () => {
    const shell = edits(gated());
    expect(refusal(shell.control('reject', { callId: 's0.c0' }))).toBe('CALL_NOT_PENDING');
    expect(refusal(shell.control('approve'))).toBe('CALL_NOT_PENDING');
  });

  it('of a gated wait change how long it waits', () => {
    const shell = modelCalls(running(), gatedCall({ control: { kind: 'wait', durationMs: 3_600_000 } }));
    argsChecked(edits(shell, { seconds: 1 }), { ...fine, control: { kind: 'wait', durationMs: 1_000 } });
    expect(shell.timerAtMs).toBe(shell.nowMs + 1_000);
  });

  it('of a gated question change what is asked', () => {
    const shell = modelCalls(running(), gatedCall({ control: { kind: 'ask', question: 'Which?' } }));
    argsChecked(edits(shell), { ...fine, control: { kind: 'ask', question: 'Red or blue?' } });
    expect(view(shell.state).pending).toMatchObject([
      { kind: 'question', summary: 'Red or blue?', args: { n: 2 } },
    ]);
  });
});
