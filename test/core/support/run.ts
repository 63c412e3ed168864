import { ATTEMPTS } from '../../../src/core/behaviour.js';
import type { RunEvent } from '../../../src/core/events.js';
import type { JsonObject } from '../../../src/core/json.js';
import type {
  CostReport,
  ModelResult,
  Outcome,
  PlannedCall,
  ToolResult,
  Verification,
} from '../../../src/core/outcomes.js';
import type { ArgsCheck } from '../../../src/core/inputs.js';
import { NO_LIMITS, type Limits, type Prepared } from '../../../src/core/run-input.js';
import type { DecisionVerdict } from '../../../src/core/human/statement.js';
import type { CallState } from '../../../src/core/state.js';
import type { CallModelInput } from '../../../src/core/model/model-work.js';
import { Shell } from './shell.js';
import { fakeHash, preparedWith } from './world.js';

/** A run that is prepared and whose first model call is under way. */
export function running(prepared: Partial<Prepared> = {}, input: unknown = { goal: 'Tidy up.' }): Shell {
  const shell = new Shell(input);
  return shell.deliver(
    shell.settlementOf('prepare', 'prepare', { kind: 'ok', value: preparedWith(prepared) }),
  );
}

/** A call of a tool that may act only once, as a model asks for it. */
export function callOf(fields: Partial<PlannedCall> = {}): PlannedCall {
  return { id: 'call_a', name: 'send', args: '{"n":1}', ...fields };
}

/** The same, behind a gate. */
export function gatedCall(
  fields: Partial<PlannedCall> = {},
  gate: Partial<NonNullable<PlannedCall['gate']>> = {},
): PlannedCall {
  const call = callOf(fields);
  return { ...call, gate: { argsHash: fakeHash(call.args), summary: 'May I?', ...gate } };
}

/** Ends the model call under way. */
export function modelSettles(shell: Shell, outcome: Outcome<ModelResult>): Shell {
  return shell.deliver(shell.settlementOf(modelKey(shell), 'model', outcome));
}

/** @param value.costNanoUsd `null`: the server did not say. */
export function modelAnswers(
  shell: Shell,
  {
    costNanoUsd = 1_000,
    ...fields
  }: Partial<Omit<ModelResult, 'costNanoUsd'>> & { costNanoUsd?: number | null },
): Shell {
  const value = {
    model: 'maker/first',
    finish: 'stop',
    promptTokens: 10,
    completionTokens: 5,
    ...(costNanoUsd !== null && { costNanoUsd }),
    ...fields,
  };
  return modelSettles(shell, { kind: 'ok', value });
}

/** The model asks for calls; each gets a provider id of its own. */
export function modelCalls(shell: Shell, ...calls: readonly PlannedCall[]): Shell {
  const step = shell.state.step;
  return modelAnswers(shell, {
    calls: calls.map((call, index) => ({ ...call, id: `call_${step}_${index}` })),
  });
}

export function modelFails(shell: Shell, code: string, retryable = true, details: JsonObject = {}): Shell {
  return modelSettles(shell, {
    kind: 'failed',
    code,
    message: `It failed with ${code}.`,
    retryable,
    details,
  });
}

/** Every attempt at the request under way fails, for nothing, until the run gives up on this model. */
export function modelGivesUp(shell: Shell, code: string): Shell {
  const work = shell.started.get(modelKey(shell));
  const attempts = work?.kind === 'model' ? ATTEMPTS[work.input.purpose] : 0;
  for (let attempt = 1; attempt < attempts; attempt++) modelFails(shell, code, true, FREE).awaitTimer();
  return modelFails(shell, code, true, FREE);
}

/** Details of an attempt that certainly cost nothing. */
export const FREE: JsonObject = { unsent: true };

/** The input of the model call under way. */
export function modelInput(shell: Shell): CallModelInput {
  const work = shell.started.get(modelKey(shell));
  if (work?.kind !== 'model') throw new Error('No model call is under way.');
  return work.input;
}

/** The server answers the question about costs that is under way. */
export function costsReported(shell: Shell, outcome: Outcome<CostReport>): Shell {
  const key = [...shell.started].find(([, { kind }]) => kind === 'reconcile')?.[0];
  if (key === undefined) throw new Error('Nobody is asked about costs.');
  return shell.deliver(shell.settlementOf(key, 'reconcile', outcome));
}

/** The server knows what one generation has cost. */
export function costFound(shell: Shell, generationId: string, costNanoUsd: number): Shell {
  const found = [{ generationId, costNanoUsd, promptTokens: 7, completionTokens: 3 }];
  return costsReported(shell, { kind: 'ok', value: { found } });
}

/** The server does not know of anything it is asked about. */
export function costNotFound(shell: Shell): Shell {
  return costsReported(shell, { kind: 'ok', value: { found: [] } });
}

export function modelKey(shell: Shell): string {
  const key = [...shell.started].find(([, { kind }]) => kind === 'model')?.[0];
  if (key === undefined) throw new Error('No model call is under way.');
  return key;
}

/** Ends the tool call whose work has this key. */
export function toolSettles(shell: Shell, key: string, outcome: Outcome<ToolResult>): Shell {
  if (!shell.started.has(key)) throw new Error(`${key} is not under way.`);
  return shell.deliver(shell.settlementOf(key, 'tool', outcome));
}

export function toolAnswers(shell: Shell, key: string, content = 'All well.'): Shell {
  return toolSettles(shell, key, { kind: 'ok', value: { content } });
}

export function callState(shell: Shell, callId: string): CallState | undefined {
  return shell.state.calls.find(({ id }) => id === callId);
}

export type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

export function eventsOf<T extends RunEvent['type']>(events: readonly RunEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

export function lastOf<T extends RunEvent['type']>(shell: Shell, type: T): EventOf<T> | undefined {
  return eventsOf(shell.events, type).at(-1);
}

/** Keys of what is under way. */
export function underWay(shell: Shell): string[] {
  return [...shell.started.keys()];
}

/** What the model was told of the calls of past steps, in order. */
export function results(shell: Shell): string[] {
  return shell.state.transcript.flatMap((item) => (item.role === 'tool' ? [item.content] : []));
}

/** The last message of the transcript. */
export function lastMessage(shell: Shell): string {
  return shell.state.transcript.at(-1)?.content ?? '';
}

/** A prepared run with these ceilings and no others. */
export function limited(limits: Partial<Limits>, input: unknown = { goal: 'Tidy up.' }): Shell {
  return running({ limits: { ...NO_LIMITS, ...limits } }, input);
}

/** The model call under way ends because the run called it off. */
export function modelCalledOff(shell: Shell, details?: JsonObject): Shell {
  return modelSettles(shell, { kind: 'cancelled', ...(details && { details }) });
}

/** The edited arguments of a call have been looked at. */
export function argsChecked(shell: Shell, value: ArgsCheck): Shell {
  const key = [...shell.started].find(([, { kind }]) => kind === 'check')?.[0];
  if (key === undefined) throw new Error('No arguments are being checked.');
  return shell.deliver(shell.settlementOf(key, 'check', { kind: 'ok', value }));
}

/** The code with which the last control was refused, if the last event is such a refusal. */
export function refusal(shell: Shell): string | undefined {
  const last = shell.events.at(-1);
  return last?.type === 'control_rejected' ? last.code : undefined;
}

/** What the model sees of the call at this place among all results, read as JSON. */
export function resultObject(shell: Shell, index = -1): Record<string, unknown> {
  return JSON.parse(results(shell).at(index) ?? 'null');
}

/** Roles of the transcript's messages, in order. */
export function roles(shell: Shell): string[] {
  return shell.state.transcript.map(({ role }) => role);
}

/** What the user side of the transcript said after the goal. */
export function userWords(shell: Shell): string[] {
  return shell.state.transcript.flatMap((item) => (item.role === 'user' ? [item.content] : [])).slice(1);
}

/** Whether the closing answer is awaited, and nothing else is. */
export function isClosing(shell: Shell): boolean {
  return (
    [...shell.started.values()].every((work) => work.kind === 'model' && work.input.purpose === 'landing') &&
    shell.started.size === 1
  );
}

/** A request that went out and brought no answer. */
export const loses = (shell: Shell, generationId?: string) =>
  modelFails(shell, 'MODEL_STALLED', true, {
    sent: true,
    ...(generationId !== undefined && { generationId }),
  });

/** The same, and the time has come for another attempt as well as for the question what the first one cost. */
export const losesThenTries = (shell: Shell, generationId: string) =>
  loses(shell, generationId).advance(2_000);

/** Questions about costs that are under way. */
export const inQuestion = (shell: Shell) =>
  [...shell.started.values()].flatMap((work) => (work.kind === 'reconcile' ? [work] : []));

/** The tool has found out whether a call took effect, or could not. */
export function verified(shell: Shell, key: string, verdict: Verification['verdict']): Shell {
  return shell.deliver(shell.settlementOf(key, 'verify', { kind: 'ok', value: { verdict } }));
}

/** The signature of the decision that is under check longest has been looked at. */
export function judged(shell: Shell, value: DecisionVerdict): Shell {
  const key = [...shell.started].find(([, { kind }]) => kind === 'judge')?.[0];
  if (key === undefined) throw new Error('No signature is being checked.');
  return shell.deliver(shell.settlementOf(key, 'judge', { kind: 'ok', value }));
}
