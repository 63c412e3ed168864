import { AgentError, ERROR_CODES, isAgentError, isErrorCode } from '../../src/core/errors.js';

describe('an AgentError', () => {
  it('says by its code whether trying again can help, unless told otherwise', () => {
    expect(new AgentError('MODEL_UNAVAILABLE', 'Down.').retryable).toBe(true);
    expect(new AgentError('MODEL_AUTH', 'No.').retryable).toBe(false);
    expect(new AgentError('MODEL_UNAVAILABLE', 'Down.', { retryable: false }).retryable).toBe(false);
  });

  it('carries its message, details, cause and hint', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new AgentError('TEMPORAL_UNREACHABLE', 'Nobody listens on 7233.', {
      details: { port: 7233 },
      cause,
    });
    expect(error).toMatchObject({
      name: 'AgentError',
      code: 'TEMPORAL_UNREACHABLE',
      message: 'Nobody listens on 7233.',
      details: { port: 7233 },
    });
    expect(error.cause).toBe(cause);
    expect(error.hint).toBe(ERROR_CODES.TEMPORAL_UNREACHABLE.hint);
  });

  it('has no details and no cause where none are given', () => {
    const error = new AgentError('TOOL_FAILED', 'No.');
    expect(error.details).toEqual({});
    expect('cause' in error).toBe(false);
  });

  it('is known by its mark, so that one from another copy of the package is, too', () => {
    const { mark } = new AgentError('TOOL_FAILED', 'No.');
    expect(isAgentError(new AgentError('TOOL_FAILED', 'No.'))).toBe(true);
    expect(isAgentError(Object.assign(new Error('No.'), { mark }))).toBe(true);
    expect(isAgentError(new Error('No.'))).toBe(false);
    expect(isAgentError({ mark })).toBe(false);
    expect(isAgentError(null)).toBe(false);
  });
});

describe('the stable error codes', () => {
  it('are those that callers depend on', () => {
    expect(Object.keys(ERROR_CODES)).toEqual([
      'CONFIG_INVALID',
      'INPUT_INVALID',
      'RUN_NOT_FOUND',
      'RUN_EXISTS',
      'RUN_CLOSED',
      'CALL_NOT_FOUND',
      'CALL_NOT_PENDING',
      'ALREADY_DECIDED',
      'ARGS_INVALID',
      'ARGS_HASH_MISMATCH',
      'SIGNATURE_REQUIRED',
      'SIGNATURE_INVALID',
      'NOT_AN_APPROVER',
      'MESSAGE_TOO_LARGE',
      'TEMPORAL_UNREACHABLE',
      'MODEL_UNREACHABLE',
      'MODEL_AUTH',
      'MODEL_PAYMENT',
      'MODEL_BAD_REQUEST',
      'MODEL_CONTEXT_LENGTH',
      'MODEL_RATE_LIMITED',
      'MODEL_UNAVAILABLE',
      'MODEL_STREAM_TRUNCATED',
      'MODEL_STALLED',
      'ANSWER_INVALID',
      'PRICE_UNKNOWN',
      'PRICE_CHANGED',
      'BUDGET_UNKNOWN',
      'TOOL_UNKNOWN',
      'TOOL_FAILED',
      'TOOL_TIMEOUT',
      'TOOL_OUTCOME_UNKNOWN',
      'WEBHOOK_FAILED',
    ]);
  });

  it('each say what they mean and what to do', () => {
    for (const { meaning, hint } of Object.values(ERROR_CODES)) {
      expect(meaning).toMatch(/^[A-Z].*\.$/);
      expect(hint).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('are told from other texts, names of object members included', () => {
    expect(isErrorCode('TOOL_FAILED')).toBe(true);
    for (const other of ['tool_failed', 'toString', '__proto__', '', 7, null, undefined])
      expect(isErrorCode(other)).toBe(false);
  });
});
