import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { AgentError, isAgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { ModelResult, PlannedCall } from '../core/outcomes.js';
import { isAgentsWord } from '../core/model/models.js';
import { readVerdict } from '../core/review/review-brief.js';
import type { CallModelInput } from '../core/model/model-work.js';
import type { Governor, Permit, PermitEnd } from '../ports/governor.js';
import type { AnswerCheck, ModelAnswer, ModelPort, ModelRequest } from '../ports/model.js';
import type { ArtifactPort, ToolRegistry } from '../ports/tools.js';
import { currentRun, isCalledOff, queryCurrentRun, reporting } from './activity-run.js';
import { AnswerTail } from './answer-tail.js';
import type { HeartbeatPacer } from './heartbeat.js';
import { LiveAttempt } from './live-attempt.js';
import { buildRequest } from './model-request.js';
import { hashArgs, planCalls, SUMMARY_CHARS } from './plan-calls.js';
import { checkPrices } from './price-check.js';
import type { RunMemory } from './run-memory.js';

/** What the model activity works with. */
export interface CallModelPorts {
  model: ModelPort;
  tools: ToolRegistry;
  memory: RunMemory;
  heartbeats: HeartbeatPacer;
  artifacts: ArtifactPort;
  /** Holds an answer against the schema of the run. */
  checkAnswer: (schema: JsonObject, text: string) => AnswerCheck;
  /** Absent: calls are made at once. */
  governor?: Governor;
}

/**
 * Makes the activity that does one attempt at a model call. In four parts: what spends nothing; a word to the server that the
 * request goes out; the request; what to make of the answer. However it ends, it leaves behind what it may have cost.
 */
export function createCallModel(ports: CallModelPorts): (input: CallModelInput) => Promise<ModelResult> {
  return (input) =>
    reporting(async () => {
      const attempt = input.attempt ?? Context.current().info.attempt;
      const tail = new AnswerTail(attempt);
      try {
        const live = new LiveAttempt();
        const { request, permit } = await callOrTell(() =>
          live.during({ details: tail.read(), worst: { ...tail.read(), sent: true } }, () =>
            getReady(input, ports),
          ),
        );
        try {
          tail.isSent = true;
          await callOrTell(async () => {
            await live.tell(tail.read());
            Context.current().cancellationSignal.throwIfAborted();
          });
        } catch (error) {
          tail.isSent = false;
          permit?.end({ kind: 'failed' });
          throw error;
        }
        const answer = await makeCall({ request, permit, tail }, ports);
        const calls = await planAnswer(answer, input, ports);
        const checked = calls.length === 0 ? await checkText(answer.text, input, ports) : {};
        return { ...toResult(answer, { calls, input, attempt }), ...checked };
      } catch (error) {
        throw withTrace(error, tail);
      }
    });
}

async function getReady(
  input: CallModelInput,
  ports: CallModelPorts,
): Promise<{ request: ModelRequest; permit: Permit | null }> {
  const request = await buildRequest(input, ports);
  if (input.reservedNanoUsd !== undefined) {
    const ref = currentRun();
    const read = ({ fresh }: { fresh: boolean }) => ports.memory.settings(ref, queryCurrentRun(), { fresh });
    const asked = [request.model, ...(request.models ?? [])];
    // A list that is slow in coming must not keep a run from being stopped.
    const { cancelled } = Context.current();
    const maxPrice = await Promise.race([checkPrices(asked, read, ports.model), cancelled]);
    if (maxPrice) request.maxPrice = maxPrice;
  }
  const signal = Context.current().cancellationSignal;
  const permit = (await ports.governor?.admit(request.model, signal)) ?? null;
  return { request, permit };
}

async function makeCall(
  { request, permit, tail }: { request: ModelRequest; permit: Permit | null; tail: AnswerTail },
  ports: CallModelPorts,
): Promise<ModelAnswer> {
  const { cancellationSignal: signal } = Context.current();
  let end: PermitEnd = { kind: 'failed' };
  try {
    const answer = await ports.heartbeats.during(
      () => tail.read(),
      (beat) => {
        // By the id the cost can be asked for, should this worker die: that cannot wait for the next beat.
        tail.onId = beat;
        return callOrTell(() => ports.model.call(request, { signal, listener: tail }));
      },
      { isTold: true },
    );
    end = { kind: 'ok' };
    return answer;
  } catch (error) {
    if (isAgentError(error) && error.code === 'MODEL_RATE_LIMITED') {
      const { delayMs } = error.details;
      end = { kind: 'limited', ...(typeof delayMs === 'number' && { retryAfterMs: delayMs }) };
    }
    throw aboveMaxPrice(error, request) ?? error;
  } finally {
    permit?.end(end);
  }
}

/** Nobody answers at the price that was reserved for. The list will show the new price before long, so this is no bad request. */
function aboveMaxPrice(error: unknown, { maxPrice }: ModelRequest): AgentError | null {
  if (!maxPrice || !isAgentError(error)) return null;
  const { availability, errorType } = error.details;
  if (availability !== 'constraint_filtered' && errorType !== 'constraint_filtered') return null;
  const { message, details } = error;
  return new AgentError('MODEL_UNAVAILABLE', message, { retryable: true, details });
}

/** Adds what the call may have cost to however it ended. */
function withTrace(error: unknown, tail: AnswerTail): unknown {
  const details = tail.trace();
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof CancelledFailure) return new CancelledFailure(error.message, [details]);
  if (isAgentError(error)) {
    const { code, message, retryable, cause } = error;
    return new AgentError(code, message, { retryable, cause, details: { ...details, ...error.details } });
  }
  const message = `The worker failed: ${error instanceof Error ? error.message : String(error)}`;
  return new AgentError('MODEL_UNAVAILABLE', message, { details, cause: error });
}

/** A call that its worker cut off by going away is tried again elsewhere; one that the run called off is cancelled. */
async function callOrTell<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const { cancellationSignal } = Context.current();
    if (!cancellationSignal.aborted) throw error;
    const reason: unknown = cancellationSignal.reason;
    if (isCalledOff(reason)) throw reason;
    throw new AgentError(
      'MODEL_UNREACHABLE',
      'The worker went away in the middle of the call; another takes it up.',
      { cause: error, details: { workerGone: true } },
    );
  }
}

async function planAnswer(
  answer: ModelAnswer,
  input: CallModelInput,
  ports: CallModelPorts,
): Promise<PlannedCall[]> {
  if (input.purpose === 'review') return input.lastRound ? questionAbout(answer) : [];
  if (input.purpose !== 'step') return [];
  const ref = currentRun();
  const settings = await ports.memory.settings(ref, queryCurrentRun());
  const planned = await planCalls(answer.calls, {
    runId: settings.runId,
    step: input.step,
    registry: ports.tools,
    allowed: settings.prepared?.tools ?? [],
    requireApproval: settings.input.requireApproval ?? 'policy',
    tainted: input.tainted === true,
    pins: settings.prepared?.pins ?? {},
    ...(input.asks && { asks: input.asks }),
  });
  for (const [index, call] of planned.entries())
    ports.memory.keepArgs(ref, `s${input.step}.c${index}`, call.args);
  return planned;
}

/** Asks a human whether the answer shall stand, when the last reviewer is not content with it. */
function questionAbout({ text, finishReason }: ModelAnswer): PlannedCall[] {
  const { passed, gaps } = readVerdict(text, finishReason);
  if (passed) return [];
  const args = { gaps };
  const summary = `The reviewer is not content with the answer. Approve to end the run with it, or reject to have it mended. ${gaps}`;
  return [
    {
      id: 'review',
      name: 'accept_answer',
      args: JSON.stringify(args),
      effect: 'read',
      control: { kind: 'accept' },
      gate: { argsHash: hashArgs(args), summary: summary.slice(0, SUMMARY_CHARS), reason: 'review' },
    },
  ];
}

/** Holds the text of an answer against the schema of the run. */
async function checkText(
  text: string,
  { purpose }: CallModelInput,
  { memory, checkAnswer }: CallModelPorts,
): Promise<Pick<ModelResult, 'json' | 'schemaProblem'>> {
  const { schema } = (await memory.settings(currentRun(), queryCurrentRun())).input;
  if (!schema || !isAgentsWord(purpose)) return {};
  const check = checkAnswer(schema, text);
  return 'json' in check ? { json: check.json } : { schemaProblem: check.problem };
}

/** History pays for each byte of it, so what says nothing is left out. */
function toResult(
  answer: ModelAnswer,
  { calls, input, attempt }: { calls: PlannedCall[]; input: CallModelInput; attempt: number },
): ModelResult {
  const { cost, usage } = answer;
  // What a reviewer thought, or the writer of a summary, nobody sends back.
  const isSentBack = isAgentsWord(input.purpose);
  return {
    ...(answer.text !== '' && { text: answer.text }),
    ...(calls.length > 0 && { calls }),
    ...(isSentBack &&
      (answer.reasoning.length > 0 || answer.emptyReasoning) && { reasoning: answer.reasoning }),
    ...(isSentBack && answer.phase !== undefined && { phase: answer.phase }),
    model: answer.model,
    finish: answer.finishReason,
    promptTokens: usage.promptTokens,
    completionTokens: usage.completionTokens,
    ...(usage.cachedTokens > 0 && { cachedTokens: usage.cachedTokens }),
    ...(cost.kind !== 'unknown' && { costNanoUsd: cost.nanoUsd }),
    ...(cost.kind === 'estimated' && { estimated: true }),
    ...(answer.generationId !== null && { generationId: answer.generationId }),
    ...(attempt > 1 && { attempt }),
    ...(answer.cached && { cached: true }),
    ...(answer.cacheSourceId !== null && { cacheSourceId: answer.cacheSourceId }),
  };
}
