import type { ToolResult } from '../core/outcomes.js';
import type { ArtifactPort } from '../ports/tools.js';

type Artifacts = NonNullable<ToolResult['artifacts']>;

const MAX_LISTED = 20;
const MAX_NAME_CHARS = 200;

/** The artifacts as one call sees them; it lists what the call puts there, each once. What is beyond the list is kept all the same. */
export function listArtifacts(port: ArtifactPort): { artifacts: ArtifactPort; listed: () => Artifacts } {
  const byId = new Map<string, Artifacts[number]>();
  const artifacts: ArtifactPort = {
    put: async (text, name) => {
      const { id, sizeBytes } = await port.put(text);
      const known = byId.get(id);
      if (known || byId.size < MAX_LISTED)
        byId.set(id, {
          id,
          sizeBytes,
          ...known,
          ...(name && { name: String(name).slice(0, MAX_NAME_CHARS) }),
        });
      return { id, sizeBytes };
    },
    read: (id, range) => port.read(id, range),
  };
  return { artifacts, listed: () => [...byId.values()] };
}
