import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { ensureSearchAttributes } from '../../../src/adapters/temporal/search-attributes.js';
import { uniqueName, useTemporalServer } from '../../support/temporal-server.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const NAMES = ['AgentStatus', 'AgentCostUsd', 'AgentSteps', 'AgentModel', 'AgentNeedsDecision'];
const TIMEOUT_MS = 60_000;

const server = useTemporalServer();

async function newNamespace(): Promise<string> {
  const namespace = uniqueName('attributes');
  await server.connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  return namespace;
}

describe('the search attributes of agent runs', () => {
  test(
    'are added where they are missing',
    async () => {
      const namespace = await newNamespace();
      expect(await ensureSearchAttributes(server.connection, namespace)).toEqual({
        available: true,
        missing: [],
      });
      const { customAttributes } = await server.connection.operatorService.listSearchAttributes({
        namespace,
      });
      expect(customAttributes).toEqual({
        AgentStatus: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        AgentCostUsd: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
        AgentSteps: IndexedValueType.INDEXED_VALUE_TYPE_INT,
        AgentModel: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        AgentNeedsDecision: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
      });
    },
    TIMEOUT_MS,
  );

  test(
    'are reported missing where one has another type, and the others are added',
    async () => {
      const namespace = await newNamespace();
      await server.connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: { AgentSteps: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD },
      });
      expect(await ensureSearchAttributes(server.connection, namespace)).toEqual({
        available: false,
        missing: ['AgentSteps'],
      });
    },
    TIMEOUT_MS,
  );

  test('are reported missing where they may be listed but not added', async () => {
    const denied = Object.assign(new Error('7 PERMISSION_DENIED'), {
      code: 7,
      details: 'Request unauthorized.',
      metadata: {},
    });
    expect(
      await ensureSearchAttributes(
        stub({ list: async () => ({ customAttributes: {} }), add: () => Promise.reject(denied) }),
        'x',
      ),
    ).toEqual({ available: false, missing: NAMES });
    expect(
      await ensureSearchAttributes(stub({ list: () => Promise.reject(denied), add: jest.fn() }), 'x'),
    ).toEqual({ available: false, missing: NAMES });
  });

  test('are not asked of a server that cannot be reached', async () => {
    const unavailable = Object.assign(new Error('14 UNAVAILABLE'), {
      code: 14,
      details: 'No connection established.',
      metadata: {},
    });
    await expect(
      ensureSearchAttributes(stub({ list: () => Promise.reject(unavailable), add: jest.fn() }), 'x'),
    ).rejects.toBe(unavailable);
  });
});

function stub({ list, add }: { list: () => Promise<unknown>; add: () => Promise<unknown> }): Connection {
  // Only these two calls are made.
  return {
    operatorService: { listSearchAttributes: list, addSearchAttributes: add },
  } as unknown as Connection;
}
