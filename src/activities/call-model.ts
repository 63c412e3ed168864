import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { DEFAULT_MAX_OUTPUT_TOKENS } from '../core/behaviour.js';
import { AgentError, isAgentError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { ModelResult, PlannedCall } from '../core/outcomes.js';
import { promptItems } from '../core/prompt-items.js';
import { readVerdict } from '../core/review-brief.js';
import type { CallModelInput } from '../core/work.js';
import type { Governor, Permit, PermitEnd } from '../ports/governor.js';
import type { AnswerCheck, ModelAnswer, ModelListener, ModelPort, ModelRequest } from '../ports/model.js';
import type { ArtifactPort, ToolRegistry } from '../ports/tools.js';
import { currentRun, isCalledOff, queryCurrentRun, reporting } from './activity-run.js';
import { TAIL_CHARS, type HeartbeatPacer, type Tail } from './heartbeat.js';
import { LiveAttempt } from './live-attempt.js';
import { specsOf } from './pinned-tools.js';
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
          live.during(tail.read(), () => getReady(input, ports)),
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
    const maxPrice = await checkPrices(asked, read, ports.model);
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

async function buildRequest(
  input: CallModelInput,
  { memory, tools, artifacts }: CallModelPorts,
): Promise<ModelRequest> {
  const ref = currentRun();
  const queries = queryCurrentRun();
  const [settings, items] = [await memory.settings(ref, queries), await memory.items(ref, input, queries)];
  const { firstRunId, runId } = settings;
  const { prepared } = settings;
  const { models = [], temperature, reasoning, schema } = settings.input;
  const { purpose } = input;
  const specs =
    input.noTools || !prepared || purpose === 'review' ? [] : await specsOf(prepared, tools, artifacts);
  const isOwnReviewer = purpose === 'review' && prepared?.review?.model !== undefined;
  // Servers that are told the schema while tools are there may ask for no tool any more.
  const isAnswer = purpose === 'landing' || input.answerOnly || (purpose === 'step' && specs.length === 0);
  return {
    model: input.model,
    ...(models.length > 0 && input.model === prepared?.model && !isOwnReviewer && { models }),
    items: promptItems(purpose, items),
    tools: specs,
    toolChoice: purpose === 'step' && !input.answerOnly ? 'auto' : 'none',
    maxOutputTokens: input.maxOutputTokens ?? settings.input.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
    ...(temperature !== undefined && { temperature }),
    ...(reasoning !== undefined && {
      reasoning: typeof reasoning === 'string' ? { effort: reasoning } : reasoning,
    }),
    ...(schema && isAnswer && { responseSchema: schema }),
    ...(prepared?.wire && { wire: prepared.wire }),
    metadata: {
      longhaul_run: runId.slice(0, 512),
      longhaul_step: String(input.step),
      longhaul_purpose: input.purpose,
      longhaul_nonce: `${firstRunId}/${nonceOf(input)}`,
    },
    // A reviewer reads another conversation, which no cache shares with this one.
    sessionId: purpose === 'review' ? `${firstRunId}.review` : firstRunId,
  };
}

/** The same for all attempts at a call, so that the response cache gives the second what the first has paid for. */
function nonceOf({ attempt, step, purpose }: CallModelInput): string {
  return attempt === undefined ? Context.current().info.activityId : `s${step}.${purpose}`;
}

async function planAnswer(
  answer: ModelAnswer,
  input: CallModelInput,
  ports: CallModelPorts,
): Promise<PlannedCall[]> {
  if (input.purpose === 'review') return input.lastRound ? questionAbout(answer.text) : [];
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
function questionAbout(verdict: string): PlannedCall[] {
  const { passed, gaps } = readVerdict(verdict);
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
  if (!schema || (purpose !== 'step' && purpose !== 'landing')) return {};
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
  const isSentBack = input.purpose === 'step' || input.purpose === 'landing';
  return {
    ...(answer.text !== '' && { text: answer.text }),
    ...(calls.length > 0 && { calls }),
    ...(isSentBack && (answer.reasoning.length > 0 || answer.emptyReasoning) && { reasoning: answer.reasoning }),
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

/** Collects the end of what streams in, for the heartbeat. */
class AnswerTail implements ModelListener {
  /** The server knows that the request goes out. */
  isSent = false;
  /** Is called once the server has named the generation. */
  onId: () => void = () => undefined;
  private generationId: string | null = null;
  private text = '';
  private textStart = 0;
  private reasoning = '';
  private reasoningStart = 0;

  constructor(private readonly attempt: number) {}

  onHeaders({ generationId }: { generationId: string | null }): void {
    this.generationId = generationId;
    this.onId();
  }

  onText(piece: string): void {
    [this.text, this.textStart] = keepEnd(this.text + piece, this.textStart);
  }

  onReasoning(piece: string): void {
    [this.reasoning, this.reasoningStart] = keepEnd(this.reasoning + piece, this.reasoningStart);
  }

  /** What is left behind of a call without an answer, see `traceOf`. */
  trace(): JsonObject {
    if (!this.isSent) return { unsent: true };
    return { sent: true, ...(this.generationId !== null && { generationId: this.generationId }) };
  }

  read(): Tail {
    return {
      attempt: this.attempt,
      ...(this.isSent && { sent: true }),
      ...(this.generationId !== null && { generationId: this.generationId }),
      ...(this.text !== '' && { offset: this.textStart, text: this.text }),
      ...(this.reasoning !== '' && { reasoningOffset: this.reasoningStart, reasoning: this.reasoning }),
    };
  }
}

function keepEnd(text: string, start: number): [string, number] {
  const excess = Math.max(0, text.length - TAIL_CHARS);
  return [text.slice(excess), start + excess];
}
