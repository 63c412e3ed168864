import type { Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { HeartbeatPacer } from '../../../src/activities/heartbeat.js';
import { RunMemory } from '../../../src/activities/run-memory.js';
import type { RunToolPorts } from '../../../src/activities/run-tool.js';
import type { RunSettings, TranscriptPage } from '../../../src/contract/queries.js';
import type { Progress } from '../../../src/core/progress.js';
import type { JsonObject } from '../../../src/core/json.js';
import { NO_LIMITS, type Prepared } from '../../../src/core/run-input.js';
import { EMPTY_HASH, hashItems, type TranscriptItem } from '../../../src/core/transcript.js';
import type { RunQueries } from '../../../src/ports/run-reader.js';
import type { Tool, ToolRegistry } from '../../../src/ports/tools.js';

/** Warns of every activity that a test makes fail otherwise. */
export const QUIET = new DefaultLogger('ERROR');

export const PREPARED: Prepared = {
  behaviour: 1,
  model: 'maker/first',
  models: [],
  tools: [],
  limits: NO_LIMITS,
  searchAttributes: false,
  heartbeatTimeoutMs: 8_000,
  continueAsNewEvents: 2_000,
  warnings: [],
};

/** A run as its activities see it through queries; `asked` notes every question. */
export class FakeRun implements RunQueries {
  readonly asked: string[] = [];
  /** What activities have put on record before they went on. */
  readonly told: unknown[] = [];
  /** Hears each word before it is on record, and may refuse it. */
  hear: (details: unknown) => unknown = () => undefined;
  items: TranscriptItem[] = [];
  openCalls: Record<string, string> = {};
  sharedValues: JsonObject = {};
  pageItems = 100;
  /** What the query `progress` answers with. */
  shown: Progress | null = null;
  current: RunSettings = { runId: 'run-1', firstRunId: 'first', input: { goal: 'x' }, prepared: PREPARED };

  async settings(): Promise<RunSettings> {
    this.asked.push('settings');
    return this.current;
  }

  async progress(): Promise<Progress> {
    this.asked.push('progress');
    if (!this.shown) throw new Error('This run shows nothing.');
    return this.shown;
  }

  async transcript(fromVersion: number): Promise<TranscriptPage> {
    this.asked.push(`transcript ${fromVersion}`);
    const items = this.items.slice(fromVersion, fromVersion + this.pageItems);
    return {
      version: this.items.length,
      items,
      hash: hashItems(EMPTY_HASH, this.items.slice(0, fromVersion + items.length)),
    };
  }

  async args(callId: string): Promise<string | null> {
    this.asked.push(`args ${callId}`);
    return this.openCalls[callId] ?? null;
  }

  async shared(): Promise<JsonObject> {
    this.asked.push('shared');
    return this.sharedValues;
  }

  /** What a step names of the transcript as it stands. */
  wanted(version = this.items.length): { version: number; hash: string } {
    return { version, hash: hashItems(EMPTY_HASH, this.items.slice(0, version)) };
  }

  say(...texts: string[]): this {
    this.items = [...this.items, ...texts.map((content): TranscriptItem => ({ role: 'user', content }))];
    return this;
  }
}

/** An environment for one activity of a run. */
export function environmentOf(run: FakeRun, info: Partial<Info> = {}): MockActivityEnvironment {
  const query = (name: string, argument: never) => {
    const questions: Record<string, () => Promise<unknown>> = {
      settings: () => run.settings(),
      progress: () => run.progress(),
      transcript: () => run.transcript(Object(argument).fromVersion ?? 0),
      call: () => run.args(argument),
      shared: () => run.shared(),
    };
    return questions[name]?.();
  };
  const client = {
    withAbortSignal: (_signal: AbortSignal, body: () => unknown) => body(),
    workflow: { getHandle: () => ({ query }) },
    activity: {
      heartbeat: async (_token: Uint8Array, details: unknown) => {
        await run.hear(details);
        run.told.push(details);
      },
    },
  };
  // The activities use no more of the client than this.
  return new MockActivityEnvironment(info, { client: client as unknown as Client, logger: QUIET });
}

export function registryOf(...tools: Tool[]): ToolRegistry {
  return {
    get: (name) => tools.find((tool) => tool.spec.name === name),
    names: () => tools.map((tool) => tool.spec.name),
  };
}

/** What the tool activity works with, of a worker that has these tools. */
export function toolPorts(...tools: Tool[]): RunToolPorts {
  return {
    tools: registryOf(...tools),
    memory: new RunMemory(),
    heartbeats: new HeartbeatPacer(),
    artifacts: { put: async (text) => ({ id: 'sha256-0', sizeBytes: text.length }), read: async () => null },
    workspace: '/workspace',
    toOutput: async (value) => ({ text: String(value) }),
  };
}
