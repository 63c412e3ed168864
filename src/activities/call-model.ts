import { Context } from '@temporalio/activity';
import type { RunSettings } from '../contract/queries.js';
import { AgentError } from '../core/errors.js';
import type { ModelResult, PlannedCall } from '../core/outcomes.js';
import type { CallModelInput } from '../core/work.js';
import type { ModelAnswer, ModelListener, ModelPort, ModelRequest, ToolSpec } from '../ports/model.js';
import type { ToolRegistry } from '../ports/tools.js';
import { currentRun, isCalledOff, queryCurrentRun, reporting } from './activity-run.js';
import { TAIL_CHARS, type HeartbeatPacer, type Tail } from './heartbeat.js';
import { planCalls } from './plan-calls.js';
import type { RunMemory } from './run-memory.js';

/** What the model activity works with. */
export interface CallModelPorts {
  model: ModelPort;
  tools: ToolRegistry;
  memory: RunMemory;
  heartbeats: HeartbeatPacer;
}

/** Output tokens of a call when the run names none: room for a long file, within what most models allow. */
const DEFAULT_MAX_OUTPUT_TOKENS = 8_192;

/** Makes the activity that does one model call. */
export function createCallModel(ports: CallModelPorts): (input: CallModelInput) => Promise<ModelResult> {
  return (input) =>
    reporting(async () => {
      const { info, cancellationSignal } = Context.current();
      const tail = new AnswerTail(info.attempt);
      const answer = await ports.heartbeats.during(
        () => tail.read(),
        async () => {
          const request = await buildRequest(input, ports);
          return callOrTell(() => ports.model.call(request, { signal: cancellationSignal, listener: tail }));
        },
      );
      const planned = await planAnswer(answer, input, ports);
      return toResult(answer, planned, info.attempt);
    });
}

/** A call that its worker cut off by going away is tried again elsewhere; one that the run called off is cancelled. */
async function callOrTell(call: () => Promise<ModelAnswer>): Promise<ModelAnswer> {
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
      { cause: error },
    );
  }
}

async function buildRequest(input: CallModelInput, { memory, tools }: CallModelPorts): Promise<ModelRequest> {
  const ref = currentRun();
  const queries = queryCurrentRun();
  const [settings, items] = [await memory.settings(ref, queries), await memory.items(ref, input, queries)];
  const { firstRunId, runId } = settings;
  const { models = [], maxOutputTokens = DEFAULT_MAX_OUTPUT_TOKENS, temperature, reasoning } = settings.input;
  const { activityId } = Context.current().info;
  return {
    model: input.model,
    ...(models.length > 0 && input.model === settings.prepared?.model && { models }),
    items,
    tools: specsOf(settings, tools),
    toolChoice: input.purpose === 'landing' ? 'none' : 'auto',
    maxOutputTokens,
    ...(temperature !== undefined && { temperature }),
    ...(reasoning !== undefined && { reasoning }),
    metadata: {
      longhaul_run: runId.slice(0, 512),
      longhaul_step: String(input.step),
      longhaul_purpose: input.purpose,
      longhaul_nonce: `${firstRunId}/${activityId}`,
    },
    sessionId: firstRunId,
  };
}

function specsOf(settings: RunSettings, tools: ToolRegistry): ToolSpec[] {
  return (settings.prepared?.tools ?? []).flatMap((name) => tools.get(name)?.spec ?? []);
}

async function planAnswer(
  answer: ModelAnswer,
  input: CallModelInput,
  ports: CallModelPorts,
): Promise<PlannedCall[]> {
  if (input.purpose === 'landing') return [];
  const ref = currentRun();
  const settings = await ports.memory.settings(ref, queryCurrentRun());
  const planned = await planCalls(answer.calls, {
    runId: settings.runId,
    step: input.step,
    registry: ports.tools,
    allowed: settings.prepared?.tools ?? [],
    requireApproval: settings.input.requireApproval ?? 'policy',
  });
  for (const [index, call] of planned.entries())
    ports.memory.keepArgs(ref, `s${input.step}.c${index}`, call.args);
  return planned;
}

/** History pays for each byte of it, so what says nothing is left out. */
function toResult(answer: ModelAnswer, calls: PlannedCall[], attempt: number): ModelResult {
  const { cost, usage } = answer;
  return {
    ...(answer.text !== '' && { text: answer.text }),
    ...(calls.length > 0 && { calls }),
    ...(answer.reasoning.length > 0 && { reasoning: answer.reasoning }),
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
  };
}

/** Collects the end of what streams in, for the heartbeat. */
class AnswerTail implements ModelListener {
  private generationId: string | null = null;
  private text = '';
  private textStart = 0;
  private reasoning = '';
  private reasoningStart = 0;

  constructor(private readonly attempt: number) {}

  onHeaders({ generationId }: { generationId: string | null }): void {
    this.generationId = generationId;
  }

  onText(piece: string): void {
    [this.text, this.textStart] = keepEnd(this.text + piece, this.textStart);
  }

  onReasoning(piece: string): void {
    [this.reasoning, this.reasoningStart] = keepEnd(this.reasoning + piece, this.reasoningStart);
  }

  read(): Tail {
    return {
      attempt: this.attempt,
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
