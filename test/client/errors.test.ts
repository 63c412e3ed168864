import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { toAgentError } from '../../src/client/errors.js';
import { AgentError, isAgentError } from '../../src/core/errors.js';

/** An error as grpc-js makes it, which is told by its fields. */
const grpc = (code: number, details: string) =>
  Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
const service = (code: number, details: string) => new ServiceError(details, { cause: grpc(code, details) });
const refused = (type: string) =>
  new WorkflowUpdateFailedError('Update failed', ApplicationFailure.nonRetryable('No.', type));

it.each<[string, unknown, string]>([
  [
    'an id that is taken',
    new WorkflowExecutionAlreadyStartedError('taken', 'run-1', 'agentRun'),
    'RUN_EXISTS',
  ],
  ['an update that was refused', refused('ARGS_INVALID'), 'ARGS_INVALID'],
  ['an update that was refused with a code of others', refused('Whatever'), 'RUN_CLOSED'],
  [
    'an update that no worker took',
    new WorkflowUpdateRPCTimeoutOrCancelledError('late', undefined as never),
    'TEMPORAL_UNREACHABLE',
  ],
  [
    'an unknown run',
    new WorkflowNotFoundError('workflow not found for ID: run-1', 'run-1', undefined),
    'RUN_NOT_FOUND',
  ],
  [
    'a run that has ended',
    new WorkflowNotFoundError('workflow execution already completed', 'run-1', undefined),
    'RUN_CLOSED',
  ],
  [
    'an update that the end of the run overtook',
    new WorkflowNotFoundError('workflow update was aborted by closing workflow', 'run-1', undefined),
    'RUN_CLOSED',
  ],
  ['NOT_FOUND', grpc(5, 'workflow not found for ID: run-1'), 'RUN_NOT_FOUND'],
  ['NOT_FOUND of a run that has ended', grpc(5, 'workflow execution already completed'), 'RUN_CLOSED'],
  ['FAILED_PRECONDITION', grpc(9, 'limit exceeded'), 'RUN_CLOSED'],
  ['UNAVAILABLE', grpc(14, 'connection refused'), 'TEMPORAL_UNREACHABLE'],
  ['DEADLINE_EXCEEDED', grpc(4, 'deadline'), 'TEMPORAL_UNREACHABLE'],
  ['CANCELLED', grpc(1, 'cancelled'), 'TEMPORAL_UNREACHABLE'],
  ['a wrapped UNAVAILABLE', service(14, 'connection refused'), 'TEMPORAL_UNREACHABLE'],
  [
    'a wrapped error of ours',
    new Error('x', { cause: new AgentError('CONFIG_INVALID', 'No such key.') }),
    'CONFIG_INVALID',
  ],
])('gives %s a stable code and a message that names the run or the way out', (_what, error, code) => {
  const told = toAgentError(error, 'run-1');
  expect(told).toMatchObject({ code });
  expect(isAgentError(told) && told.message.length > 0).toBe(true);
});

it.each([new Error('a defect'), new TypeError('x'), 'text', undefined, null])(
  'leaves what it does not know as it is: %p',
  (error) => {
    expect(toAgentError(error, 'run-1')).toBe(error);
  },
);

it('leaves errors of ours as they are', () => {
  const error = new AgentError('RUN_CLOSED', 'It has ended.');
  expect(toAgentError(error, 'run-1')).toBe(error);
});
