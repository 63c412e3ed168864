import { checkAnswer } from '../../../src/adapters/answer-schema.js';
import { z } from 'zod';
import { createCallModel } from '../../../src/activities/call-model.js';
import { defineTool } from '../../../src/adapters/tools/define-tool.js';
import type { CallModelInput } from '../../../src/core/model/model-work.js';
import type { Governor } from '../../../src/ports/governor.js';
import type { ModelAnswer, ModelListener, ModelPort, ModelRequest } from '../../../src/ports/model.js';
import { environmentOf, FakeRun, PREPARED, toolPorts } from './activity-world.js';

const look = defineTool({
  name: 'look',
  description: 'l',
  effect: 'read',
  input: z.object({}),
  execute: () => 1,
});

export const ANSWER: ModelAnswer = {
  text: 'Hello.',
  calls: [],
  reasoning: [],
  model: 'maker/first',
  finishReason: 'stop',
  usage: { promptTokens: 3, completionTokens: 2, cachedTokens: 0 },
  cost: { kind: 'reported', nanoUsd: 70 },
  generationId: 'gen-1',
  cached: false,
  cacheSourceId: null,
};

/** What the model server does with a request. */
export type Answering = (
  request: ModelRequest,
  options: { signal: AbortSignal; listener: ModelListener },
) => Promise<ModelAnswer>;

export interface CallOptions {
  input?: Partial<CallModelInput>;
  /** As Temporal counts. */
  attempt?: number;
  activityId?: string;
  describe?: ModelPort['describe'];
  governor?: Governor;
  /** Changes the run before the activity begins. */
  arrange?: (run: FakeRun) => void;
}

/** Runs the model activity in a run with a tool and a fallback model. `sent` notes each request, `tails` each heartbeat of the SDK. */
export function callModel(answering: Answering, options: CallOptions = {}) {
  const { input = {}, attempt = 1, activityId = 's0.m0', governor, arrange } = options;
  const run = new FakeRun().say('Say hello.');
  run.current = {
    ...run.current,
    prepared: { ...PREPARED, tools: ['look'], models: ['maker/second'] },
    input: { goal: 'x', models: ['maker/second'] },
  };
  arrange?.(run);
  const environment = environmentOf(run, { attempt, activityId });
  const tails: unknown[] = [];
  environment.on('heartbeat', (tail) => tails.push(tail));
  const sent: ModelRequest[] = [];
  const model: ModelPort = {
    call: (request, { signal, listener = {} }) => {
      sent.push(request);
      return answering(request, { signal, listener });
    },
    describe: options.describe ?? (async () => undefined),
    checkKey: async () => ({ limitRemainingUsd: null }),
    generation: async () => null,
  };
  const activity = createCallModel({
    ...toolPorts(look),
    checkAnswer,
    model,
    ...(governor && { governor }),
  });
  const wanted = { step: 0, purpose: 'step' as const, model: 'maker/first', ...run.wanted(), ...input };
  return { environment, tails, run, sent, result: environment.run(activity, wanted) };
}

/** A promise that is kept from outside. */
export function event(): { happened: Promise<void>; happen: () => void } {
  let happen: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}
