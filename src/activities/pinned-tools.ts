import { AgentError } from '../core/errors.js';
import type { Prepared } from '../core/run-input.js';
import type { ToolSpec } from '../ports/model.js';
import type { ArtifactPort, ToolRegistry } from '../ports/tools.js';

/** What servers outside may say of their tools, in characters of JSON, all together. */
const MAX_PINNED_CHARS = 4_000_000;

/**
 * Holds on to what servers outside say of their tools at the start of a run: the model is told this to the end, and a call of a tool
 * that is described in another way by then is gated.
 */
export async function pinTools(
  names: readonly string[],
  registry: ToolRegistry,
  artifacts: ArtifactPort,
): Promise<Pick<Prepared, 'pins' | 'pinnedId'>> {
  const pinned = names.flatMap((name) => {
    const tool = registry.get(name);
    return tool?.specHash === undefined ? [] : [{ spec: tool.spec, specHash: tool.specHash }];
  });
  if (pinned.length === 0) return {};
  const { id } = await artifacts.put(JSON.stringify(pinned.map(({ spec }) => spec)));
  const pins = Object.fromEntries(pinned.map(({ spec, specHash }) => [spec.name, specHash]));
  return { pins, pinnedId: id };
}

/**
 * What the model is told of the run's tools.
 * @throws AgentError `TOOL_UNKNOWN`, retryable, when a tool has changed and its former description is not at hand.
 */
export async function specsOf(
  { tools, pins = {}, pinnedId }: Pick<Prepared, 'tools' | 'pins' | 'pinnedId'>,
  registry: ToolRegistry,
  artifacts: ArtifactPort,
): Promise<ToolSpec[]> {
  const changed = tools.filter(
    (name) => pins[name] !== undefined && registry.get(name)?.specHash !== pins[name],
  );
  const former = changed.length === 0 || pinnedId === undefined ? [] : await readPinned(pinnedId, artifacts);
  return tools.flatMap((name) => {
    const pinned = changed.includes(name) ? former.find((spec) => spec.name === name) : undefined;
    return pinned ?? registry.get(name)?.spec ?? [];
  });
}

async function readPinned(id: string, artifacts: ArtifactPort): Promise<ToolSpec[]> {
  const stored = await artifacts.read(id, { offset: 0, length: MAX_PINNED_CHARS });
  if (stored) {
    const specs: ToolSpec[] = JSON.parse(stored.text);
    return specs;
  }
  throw new AgentError(
    'TOOL_UNKNOWN',
    'What the servers said of their tools at the start of the run is not in the blob store of this worker. Give all workers the same LONGHAUL_BLOB_URL.',
    { retryable: true },
  );
}
