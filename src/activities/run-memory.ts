import type { RunQueries } from '../ports/run-reader.js';
import type { RunSettings } from '../contract/queries.js';
import { AgentError } from '../core/errors.js';
import { canonicalJson, type JsonObject } from '../core/json.js';
import { EMPTY_HASH, hashItems, type TranscriptItem } from '../core/transcript.js';
import { argsKey } from '../core/work.js';

/** Which run an activity belongs to. */
export interface RunRef {
  workflowId: string;
  /** Temporal's id of the present execution of the chain. */
  temporalRunId: string;
}

interface Entry {
  settings: { temporalRunId: string; value: RunSettings } | null;
  items: TranscriptItem[];
  /** `hashes[n]` is the rolling hash over the first n items. */
  hashes: string[];
  args: Map<string, string>;
  /** Canonical JSON of the shared values as they were last seen. */
  shared: { hash: string; text: string } | null;
}

/** Calls whose arguments are kept per run: more than one step can have at a time. */
const KEPT_ARGS = 256;

/**
 * What a worker remembers of runs, so that a step need not carry the conversation. Only ever a cache: each answer is
 * checked against the hash that the step names, and whatever is missing or wrong is asked of the workflow again.
 */
export class RunMemory {
  private readonly entries = new Map<string, Entry>();

  /** @param maxRuns the least recently used runs beyond it are forgotten. */
  constructor(private readonly maxRuns = 200) {}

  /** The run's settings. Those of a run that is not prepared yet are not kept; `fresh` asks for what may have changed since. */
  async settings(
    ref: RunRef,
    queries: RunQueries,
    { fresh = false }: { fresh?: boolean } = {},
  ): Promise<RunSettings> {
    const entry = this.entry(ref);
    if (!fresh && entry.settings?.temporalRunId === ref.temporalRunId) return entry.settings.value;
    const value = await queries.settings();
    if (value.prepared) entry.settings = { temporalRunId: ref.temporalRunId, value };
    return value;
  }

  /**
   * The first `version` items of the transcript.
   * @throws AgentError `MODEL_UNAVAILABLE`, retryable, when the workflow does not have them under that hash.
   */
  async items(
    ref: RunRef,
    wanted: { version: number; hash: string },
    queries: RunQueries,
  ): Promise<TranscriptItem[]> {
    const entry = this.entry(ref);
    for (const isFresh of [false, true]) {
      if (isFresh) resetItems(entry);
      if (entry.items.length < wanted.version) await loadItems(entry, wanted.version, queries);
      if (entry.hashes[wanted.version] === wanted.hash) return entry.items.slice(0, wanted.version);
    }
    throw new AgentError(
      'MODEL_UNAVAILABLE',
      'The transcript of the step could not be read from its run; it is tried again.',
    );
  }

  /** Keeps the arguments of a call that is about to run. */
  keepArgs(ref: RunRef, callId: string, args: string): void {
    const { args: kept } = this.entry(ref);
    kept.set(callId, args);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_ARGS) break;
      kept.delete(oldest);
    }
  }

  /**
   * The arguments of an open call.
   * @throws AgentError `TOOL_FAILED`, retryable, when the workflow does not have them under that key.
   */
  async args(ref: RunRef, call: { callId: string; argsKey: string }, queries: RunQueries): Promise<string> {
    const kept = this.entry(ref).args.get(call.callId);
    if (kept !== undefined && argsKey(kept) === call.argsKey) return kept;
    const asked = await queries.args(call.callId);
    if (asked !== null && argsKey(asked) === call.argsKey) return asked;
    throw new AgentError('TOOL_FAILED', `The arguments of ${call.callId} could not be read from its run.`, {
      retryable: true,
    });
  }

  /** The run's shared values, a copy: as they were when a call was started, if that is remembered, else as they are now. */
  async shared(ref: RunRef, hash: string | undefined, queries: RunQueries): Promise<JsonObject> {
    if (hash === undefined) return {};
    const entry = this.entry(ref);
    let kept = entry.shared;
    if (kept?.hash !== hash) {
      const text = canonicalJson(await queries.shared());
      kept = { hash: argsKey(text), text };
      entry.shared = kept;
    }
    return JSON.parse(kept.text);
  }

  private entry(ref: RunRef): Entry {
    const found = this.entries.get(ref.workflowId);
    this.entries.delete(ref.workflowId);
    const entry = found ?? { settings: null, items: [], hashes: [EMPTY_HASH], args: new Map(), shared: null };
    this.entries.set(ref.workflowId, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.maxRuns) break;
      this.entries.delete(oldest);
    }
    return entry;
  }
}

function resetItems(entry: Entry): void {
  entry.items = [];
  entry.hashes = [EMPTY_HASH];
}

async function loadItems(entry: Entry, version: number, queries: RunQueries): Promise<void> {
  while (entry.items.length < version) {
    const fromVersion = entry.items.length;
    const page = await queries.transcript(fromVersion);
    if (page.items.length === 0) return;
    // Another step of the run, a lost attempt of this one, has loaded meanwhile.
    if (entry.items.length !== fromVersion) continue;
    for (const item of page.items) {
      entry.hashes.push(hashItems(entry.hashes.at(-1) ?? EMPTY_HASH, [item]));
      entry.items.push(item);
    }
  }
}
