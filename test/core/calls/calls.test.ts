import type { PlannedCall, ToolResult } from '../../../src/core/outcomes.js';
import { view } from '../../../src/core/view.js';
import {
  callOf, callState, eventsOf, gatedCall, lastOf, modelCalls, modelKey, refusal, resultObject, results, running, toolAnswers, toolSettles, underWay,
} from '../support/run.js'; // prettier-ignore
import type { Shell } from '../support/shell.js';

const HOUR_MS = 3_600_000;
const TEN_YEARS_MS = 315_360_000_000;

const failed = {
  kind: 'failed' as const,
  code: 'TOOL_FAILED',
  message: 'Disk full.',
  retryable: false,
  details: {},
};
const waitCall = (durationMs: number) => callOf({ name: 'wait', control: { kind: 'wait', durationMs } });
const askCall = () => callOf({ name: 'ask', control: { kind: 'ask', question: 'Which colour?' } });

/** A run whose only call has ended in this way. */
function after(value: ToolResult, call: Partial<PlannedCall> = {}): Shell {
  return toolSettles(modelCalls(running(), callOf(call)), 's0.c0', { kind: 'ok', value });
}

describe('the calls of a step', () => {
  it('run at the same time, eight at most, and the next as soon as there is room', () => {
    const shell = modelCalls(running(), ...Array.from({ length: 10 }, () => callOf()));
    const first = Array.from({ length: 8 }, (_, index) => `s0.c${index}`);
    expect(underWay(shell)).toEqual(first);
    expect(callState(shell, 's0.c8')?.status).toBe('ready');
    toolAnswers(shell, 's0.c3');
    expect(underWay(shell)).toEqual([...first.filter((key) => key !== 's0.c3'), 's0.c8']);
  });

  it('give their results in call order, whichever ended first', () => {
    const shell = modelCalls(running(), callOf(), callOf(), callOf());
    toolAnswers(shell, 's0.c2', 'three');
    toolAnswers(shell, 's0.c0', 'one');
    expect(results(shell)).toEqual([]);
    toolAnswers(shell, 's0.c1', 'two');
    expect(results(shell)).toEqual(['one', 'two', 'three']);
    expect(shell.state.transcript.slice(-3).map((item) => 'callId' in item && item.callId)).toEqual([
      'call_0_0',
      'call_0_1',
      'call_0_2',
    ]);
  });

  it('are told to the tool activity by id, name and hash of the arguments, not with the arguments', () => {
    const shell = modelCalls(running(), callOf({ timeoutMs: 5_000, effect: 'idempotent' }), callOf());
    expect(shell.started.get('s0.c0')).toMatchObject({
      kind: 'tool',
      once: false,
      timeoutMs: 5_000,
      summary: 'send {"n":1}',
    });
    expect(shell.started.get('s0.c1')).toMatchObject({ once: true, timeoutMs: 60_000 });
    const [first, second] = [...shell.started.values()].map((work) =>
      work.kind === 'tool' ? work.input : null,
    );
    expect(first).toEqual({ callId: 's0.c0', name: 'send', argsKey: expect.any(String) });
    expect(second?.argsKey).toBe(first?.argsKey);
  });

  it('settle once: what comes later changes nothing', () => {
    const shell = toolAnswers(modelCalls(running(), callOf(), callOf()), 's0.c0');
    const { state } = shell;
    shell.deliver({ type: 'tool_settled', key: 's0.c0', outcome: { kind: 'timed_out' } });
    expect(shell.state).toBe(state);
  });
});

describe('a call that cannot run', () => {
  it.each(['invalid_arguments', 'unknown_tool'] as const)('is a result for the model: %s', (status) => {
    const shell = modelCalls(running(), gatedCall({ problem: { status, message: 'Not so.' } }));
    expect(results(shell)).toEqual([JSON.stringify({ status, message: 'Not so.' })]);
    expect(eventsOf(shell.events, 'tool_started')).toEqual([]);
    expect(modelKey(shell)).toBe('s1.m0');
  });
});

describe('the end of a call', () => {
  it('is told with the attempt and the artifact that holds the rest', () => {
    const shell = after({ content: 'cut', attempt: 3, artifact: { id: 'a1', sizeBytes: 70_000 } });
    expect(lastOf(shell, 'tool_completed')).toMatchObject({
      status: 'ok',
      content: 'cut',
      attempt: 3,
      artifactId: 'a1',
    });
    expect(shell.state.artifacts).toEqual([{ callId: 's0.c0', id: 'a1', sizeBytes: 70_000 }]);
  });

  it('is shown to watchers by its first 2,000 characters, to the model whole', () => {
    const shell = after({ content: 'x'.repeat(3_000) });
    expect(lastOf(shell, 'tool_completed')?.content.length).toBe(2_000);
    expect(results(shell)[0]?.length).toBe(3_000);
  });

  it('by failure tells the model why', () => {
    const shell = toolSettles(modelCalls(running(), callOf()), 's0.c0', failed);
    expect(resultObject(shell)).toEqual({ status: 'failed', message: 'Disk full.' });
  });

  it.each(['failed', 'timed_out'] as const)(
    'that the tool itself reports as %s is told under that status',
    (status) => {
      expect(resultObject(after({ status, content: 'Oh.' }))).toEqual({ status, message: 'Oh.' });
    },
  );

  it.each(['timed_out', 'cancelled'] as const)('of a tool that may run again is told as %s', (kind) => {
    const shell = toolSettles(modelCalls(running(), callOf({ effect: 'idempotent' })), 's0.c0', { kind });
    expect(resultObject(shell)).toMatchObject({ status: kind });
    expect(view(shell.state).pending).toEqual([]);
  });
});

describe('a call of effect `once` of which nobody knows whether it ran', () => {
  const unsure = () => toolSettles(modelCalls(running(), callOf()), 's0.c0', { kind: 'timed_out' });

  it.each([
    { kind: 'timed_out' },
    { kind: 'cancelled' },
    { kind: 'ok', value: { status: 'unknown_outcome', content: '' } },
  ] as const)('asks a human: %j', (outcome) => {
    const shell = toolSettles(modelCalls(running(), callOf()), 's0.c0', outcome);
    expect(view(shell.state).status).toBe('waiting');
    expect(view(shell.state).pending).toMatchObject([
      { kind: 'unknown_outcome', callId: 's0.c0', argsHash: null, expiresAt: null },
    ]);
    expect(lastOf(shell, 'decision_requested')?.kind).toBe('unknown_outcome');
    expect([underWay(shell), shell.timerAtMs]).toEqual([[], null]);
  });

  it('runs again, under a key of its own, when that is approved', () => {
    const shell = unsure().control('approve');
    expect(underWay(shell)).toEqual(['s0.c0.r1']);
    toolAnswers(shell, 's0.c0.r1', 'Sent.');
    expect(results(shell)).toEqual(['Sent.']);
    expect(shell.state.unknownOutcomes).toEqual([]);
  });

  it('is not settled by its first run once it runs again', () => {
    const shell = unsure().control('approve');
    const { state } = shell;
    shell.deliver({
      type: 'tool_settled',
      key: 's0.c0',
      outcome: { kind: 'ok', value: { content: 'late' } },
    });
    expect(shell.state).toBe(state);
  });

  it('may be in doubt again, and approved again', () => {
    const shell = unsure().control('approve');
    toolSettles(shell, 's0.c0.r1', { kind: 'timed_out' });
    expect(view(shell.state).pending).toMatchObject([{ kind: 'unknown_outcome' }]);
    shell.control('approve', { callId: 's0.c0' });
    expect(underWay(shell)).toEqual(['s0.c0.r2']);
  });

  it('stays in doubt when its second run never left: the first may have acted', () => {
    const shell = unsure().control('approve');
    toolSettles(shell, 's0.c0.r1', { kind: 'cancelled', neverStarted: true });
    expect(view(shell.state).pending).toMatchObject([{ kind: 'unknown_outcome' }]);
  });

  it('runs again beside other open calls without disturbing them', () => {
    const shell = modelCalls(running(), callOf(), callOf(), gatedCall());
    toolSettles(shell, 's0.c0', { kind: 'timed_out' }).control('approve', { callId: 's0.c0' });
    expect(underWay(shell)).toEqual(['s0.c1', 's0.c0.r1']);
    toolAnswers(toolAnswers(shell, 's0.c0.r1', 'one'), 's0.c1', 'two');
    shell.control('reject', { callId: 's0.c2' });
    expect(results(shell).slice(0, 2)).toEqual(['one', 'two']);
  });

  it('has the result that a human found out by hand', () => {
    const shell = unsure().control('answer', { callId: 's0.c0', text: 'It was sent at noon.', by: 'ada' });
    expect(results(shell)).toEqual(['It was sent at noon.']);
    expect(lastOf(shell, 'decision_made')).toMatchObject({
      decision: 'answer',
      note: 'It was sent at noon.',
      by: 'ada',
    });
    expect(shell.state.unknownOutcomes).toEqual([]);
  });

  it('stays unknown, on record, when that is rejected, and the model is told with the note', () => {
    const shell = unsure().control('reject', { note: 'Leave it.' });
    expect(resultObject(shell)).toMatchObject({
      status: 'unknown_outcome',
      note: 'A human noted: Leave it.',
    });
    expect(shell.state.unknownOutcomes).toEqual([{ callId: 's0.c0', tool: 'send' }]);
  });

  it('did not run when it was called off before it left', () => {
    const shell = toolSettles(modelCalls(running(), callOf()), 's0.c0', {
      kind: 'cancelled',
      neverStarted: true,
    });
    expect(resultObject(shell)).toMatchObject({ status: 'cancelled' });
    expect(shell.state.unknownOutcomes).toEqual([]);
  });
});

describe('a call that waits', () => {
  it('ends at its time, with the time as its result, and runs no tool', () => {
    const shell = modelCalls(running(), waitCall(HOUR_MS));
    expect([view(shell.state).status, underWay(shell)]).toEqual(['waiting', []]);
    shell.advance(HOUR_MS - 1);
    expect(results(shell)).toEqual([]);
    shell.advance(1);
    expect(results(shell)).toEqual(['The wait is over. It is 2026-01-01T01:00:00.000Z.']);
  });

  it('of no length ends with the first time that is heard', () => {
    expect(results(modelCalls(running(), waitCall(0)).awaitTimer()).length).toBe(1);
  });

  it('of any length ends within what a date can be', () => {
    const shell = modelCalls(running(), waitCall(1e300));
    expect(shell.timerAtMs).toBe(shell.nowMs + TEN_YEARS_MS);
  });

  it('holds back the next step, not the other calls', () => {
    const shell = toolAnswers(modelCalls(running(), waitCall(HOUR_MS), callOf()), 's0.c1');
    expect(underWay(shell)).toEqual([]);
    expect(modelKey(shell.awaitTimer())).toBe('s1.m0');
  });

  it('begins to wait when it is approved', () => {
    const shell = modelCalls(running(), gatedCall({ control: { kind: 'wait', durationMs: HOUR_MS } }));
    expect(shell.timerAtMs).toBeNull();
    shell.advance(5_000).control('approve');
    expect(shell.timerAtMs).toBe(shell.nowMs + HOUR_MS);
  });
});

describe('a question to a human', () => {
  it('is pending with its words until it is answered', () => {
    const shell = modelCalls(running(), askCall());
    expect(view(shell.state).pending).toMatchObject([
      { kind: 'question', callId: 's0.c0', summary: 'Which colour?', expiresAt: null },
    ]);
    shell.control('answer', { text: 'Blue.' });
    expect(results(shell)).toEqual(['Blue.']);
    expect(view(shell.state).pending).toEqual([]);
  });

  it('cannot be approved, only answered or rejected', () => {
    const shell = modelCalls(running(), askCall()).control('approve', { callId: 's0.c0' });
    expect(refusal(shell)).toBe('CALL_NOT_PENDING');
    shell.control('reject', { note: 'Do not ask.' });
    expect(resultObject(shell)).toMatchObject({ status: 'rejected', note: 'Do not ask.' });
  });

  it('behind a gate is asked after the gate', () => {
    const shell = modelCalls(running(), gatedCall({ control: { kind: 'ask', question: 'Which?' } }));
    expect(refusal(shell.control('answer', { callId: 's0.c0', text: 'Blue.' }))).toBe('CALL_NOT_PENDING');
    shell.control('approve', { note: 'Keep it short.' });
    expect(eventsOf(shell.events, 'decision_requested').map(({ kind }) => kind)).toEqual([
      'decision',
      'question',
    ]);
    shell.control('answer', { text: 'Blue.' });
    expect(results(shell)).toEqual(['[A human noted: Keep it short.]\nBlue.']);
  });
});
