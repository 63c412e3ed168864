import type { BudgetClient } from '../client/budget-client.js';
import type { RunClient } from '../client/run-client.js';
import type { RunHandle } from '../client/run-handle.js';
import type { ApproverKey } from '../core/human/approvers.js';
import type { JsonObject } from '../core/json.js';
import type { RunInput } from '../core/run-input.js';
import type { Statement } from '../core/human/statement.js';
import type { ChatAnswer } from '../ports/chat.js';
import type { DevOptions, DevParts } from './dev-parts.js';
import type { Check } from './check.js';
import type { Style } from './style.js';

/** A run as commands see it: what {@link RunHandle} offers, without what it is made of. */
export type Run = Pick<RunHandle, keyof RunHandle>;

/** The client as commands see it. */
export type Runs = Pick<RunClient, 'list' | 'close'> & {
  start(input: RunInput, options: { id?: string }): Promise<Run & { temporalRunId: string }>;
  run(runId: string): Run;
  budgets: Pick<BudgetClient, keyof BudgetClient>;
};

/** Standard streams. Colour and prompts depend on whether they are a terminal. */
export interface Streams {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** Everything that commands work with; the composition root fills it in, tests put their own in its place. */
export interface CliContext extends Streams {
  style: Style;
  /** What the process will exit with. */
  exitCode: number;
  /** Who decides, for the record; `undefined` when the system does not say. */
  userName: string | undefined;
  homeDir: string;
  signing: {
    /** @throws AgentError `INPUT_INVALID` when the name does not fit */
    generateKey(name?: string): ApproverKey;
    /** @throws AgentError `INPUT_INVALID` when it is no key to sign with */
    sign(statement: Statement, privateKeyPem: string): string;
  };
  /** @throws AgentError `TEMPORAL_UNREACHABLE`, `CONFIG_INVALID` */
  connect(): Promise<Runs>;
  /**
   * Reads an artifact where the configuration says that they are kept.
   * @returns `null` when there is none with this id
   * @throws AgentError `CONFIG_INVALID`
   */
  readArtifact(id: string): Promise<Uint8Array | null>;
  /** @throws AgentError `INPUT_INVALID` */
  checkInput(input: unknown): RunInput;
  /** Where the Web UI shows an execution; `null` where that is not known. */
  webUiUrl(runId: string, temporalRunId: string): string | null;
  /** Runs a worker until it is told to end. */
  runWorker(options: { json: boolean }): Promise<void>;
  /** What `dev` is made of. @throws AgentError `CONFIG_INVALID` before anything is started. */
  prepareDev(options: DevOptions): Promise<DevParts>;
  /**
   * The normalized chat call; the configured model when the request names none.
   * @throws AgentError `INPUT_INVALID`, `CONFIG_INVALID`, `MODEL_*`
   */
  chat(request: JsonObject, options: { onText?: (text: string) => void }): Promise<ChatAnswer>;
  /** Looks at everything a run needs. Never throws: what is wrong is a failed check. */
  examine(): AsyncIterable<Check>;
}

/** Connects, does something, and lets go of the connection. */
export async function withRuns<T>(context: CliContext, use: (runs: Runs) => Promise<T>): Promise<T> {
  const runs = await context.connect();
  try {
    return await use(runs);
  } finally {
    await runs.close();
  }
}

/** Writes one JSON value as one line. */
export function writeJson({ stdout }: Pick<CliContext, 'stdout'>, value: unknown): void {
  stdout.write(`${JSON.stringify(value)}\n`);
}
