import { Context } from '@temporalio/activity';
import { DEFAULT_MAX_OUTPUT_TOKENS } from '../core/behaviour.js';
import { isAgentsWord } from '../core/model/models.js';
import { promptItems } from '../core/context/prompt-items.js';
import type { CallModelInput } from '../core/model/model-work.js';
import type { ModelRequest } from '../ports/model.js';
import type { ArtifactPort, ToolRegistry } from '../ports/tools.js';
import { currentRun, queryCurrentRun } from './activity-run.js';
import { specsOf } from './pinned-tools.js';
import type { RunMemory } from './run-memory.js';

interface RequestPorts {
  tools: ToolRegistry;
  memory: RunMemory;
  artifacts: ArtifactPort;
}

/** Makes the request of a model call out of what its run has said so far. */
export async function buildRequest(
  input: CallModelInput,
  { memory, tools, artifacts }: RequestPorts,
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
    // A verdict and a summary are short; thoughts would take their room.
    ...(reasoning !== undefined &&
      isAgentsWord(purpose) && {
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
