import { statementOf, statementText } from '../../../src/core/human/statement.js';

const item = { callId: 's0.c0', argsHash: 'sha256:one', requestedAt: '2026-01-01T00:00:00.000Z' };

describe('what an approver signs', () => {
  it('is one text whatever the order of its fields, and for nothing but decisions', () => {
    const statement = statementOf('run-1', item, {
      decision: 'approve',
      args: { b: 1, a: { d: 2, c: 3 } },
      scope: 'run',
    });
    const text = statementText(statement);
    expect(text).toBe(
      'longhaul-decision-v1\n{"args":{"a":{"c":3,"d":2},"b":1},"argsHash":"sha256:one","callId":"s0.c0","decision":"approve","requestedAt":"2026-01-01T00:00:00.000Z","runId":"run-1","scope":"run"}',
    );
    expect(statementText(Object.assign({ scope: 'run' as const }, statement))).toBe(text);
  });

  it.each<[string, string]>([
    ['another run', statementText(statementOf('run-2', item, { decision: 'approve' }))],
    [
      'another call',
      statementText(statementOf('run-1', { ...item, callId: 's0.c1' }, { decision: 'approve' })),
    ],
    [
      'other arguments',
      statementText(statementOf('run-1', { ...item, argsHash: 'sha256:two' }, { decision: 'approve' })),
    ],
    [
      'a later request',
      statementText(
        statementOf('run-1', { ...item, requestedAt: '2026-01-01T00:00:00.001Z' }, { decision: 'approve' }),
      ),
    ],
    ['a rejection', statementText(statementOf('run-1', item, { decision: 'reject' }))],
    ['the rest of the run', statementText(statementOf('run-1', item, { decision: 'approve', scope: 'run' }))],
    ['another note', statementText(statementOf('run-1', item, { decision: 'approve', text: '' }))],
  ])('does not hold for %s', (_, text) => {
    expect(text).not.toBe(statementText(statementOf('run-1', item, { decision: 'approve' })));
  });
});
