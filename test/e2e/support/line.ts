import { temporal } from '@temporalio/proto';
import { GrpcProxy, type Passage } from '../../support/grpc-proxy.js';

const rpc = temporal.api.workflowservice.v1;

/** What a worker and the server say to each other about a run. */
export interface Word {
  /** `task`: a worker is given work. `beat`: an activity is alive. `end`: work is done, well or not. */
  kind: 'task' | 'beat' | 'end';
  /** The server has answered, and the worker has not heard so yet. */
  isAnswered: boolean;
  runId: string;
  /** `null`: a workflow task. */
  activity: { type: string; key: string } | null;
  /** What a `beat` says of a tool that may run only once. */
  acting: boolean | null;
  /** An `end` of a workflow task that continues the run as new. */
  continuesAsNew: boolean;
}

/** A word that does not pass yet. */
export interface Held {
  word: Word;
  /** gRPC status of the server's answer; `null` while there is none. */
  status: number | null;
  /** Lets it pass. */
  release(): void;
}

interface Cut {
  fits(word: Word): boolean;
  reached(held: Held): void;
}

type Task = Pick<Word, 'runId' | 'activity'>;

/** How the messages are read by which a worker says something about a task. */
const SAID = {
  RecordActivityTaskHeartbeat: rpc.RecordActivityTaskHeartbeatRequest,
  RespondActivityTaskCompleted: rpc.RespondActivityTaskCompletedRequest,
  RespondActivityTaskFailed: rpc.RespondActivityTaskFailedRequest,
  RespondActivityTaskCanceled: rpc.RespondActivityTaskCanceledRequest,
  RespondWorkflowTaskCompleted: rpc.RespondWorkflowTaskCompletedRequest,
  RespondWorkflowTaskFailed: rpc.RespondWorkflowTaskFailedRequest,
} as const;

/** The line between one worker and the server, on which single words can be held. What is held when the worker dies is never heard. */
export class Line {
  private readonly tasks = new Map<string, Task>();
  private readonly cuts = new Set<Cut>();

  private constructor(private readonly proxy: () => GrpcProxy) {}

  /** @param target `host:port` of the server */
  static async open(target: string): Promise<Line> {
    const line = new Line(() => proxy);
    const proxy = await GrpcProxy.start(target, (passage, when) => line.inspect(passage, when));
    return line;
  }

  /** What the worker takes for the server. */
  get address(): string {
    return this.proxy().address;
  }

  close(): Promise<void> {
    return this.proxy().close();
  }

  /** Holds the first word that fits; work that was polled for is lost. Resolves when it is there. */
  hold(fits: (word: Word) => boolean): Promise<Held> {
    return new Promise((resolve) => {
      const cut: Cut = {
        fits,
        reached: (held) => {
          this.cuts.delete(cut);
          resolve(held);
        },
      };
      this.cuts.add(cut);
    });
  }

  /** Gives the worker's polls up, so that what comes now is for others. */
  takeNoMore(): void {
    this.proxy().giveUp((method) => method.startsWith('Poll'));
  }

  private async inspect(passage: Passage, when: 'request' | 'answer'): Promise<'empty' | void> {
    const isAnswered = when === 'answer';
    const words = [...this.said(passage, isAnswered), ...(isAnswered ? this.given(passage) : [])];
    for (const word of words) {
      const cut = [...this.cuts].find(({ fits }) => fits(word));
      if (!cut) continue;
      const released = new Promise<void>((release) => cut.reached({ word, status: passage.status, release }));
      // The worker has only so many polls, and needs them for others.
      if (passage.method.startsWith('Poll')) return 'empty';
      await released;
    }
  }

  /** What the worker says. */
  private said({ method, request }: Passage, isAnswered: boolean): Word[] {
    if (!isSaid(method)) return [];
    const task = this.tasks.get(textOf(SAID[method].decode(request).taskToken));
    if (!task) return [];
    const isBeat = method === 'RecordActivityTaskHeartbeat';
    const acting = isBeat ? actingIn(request) : null;
    const continuesAsNew = method === 'RespondWorkflowTaskCompleted' && doesContinueAsNew(request);
    return [{ kind: isBeat ? 'beat' : 'end', isAnswered, ...task, acting, continuesAsNew }];
  }

  /** What the worker is given to do. With the end of a workflow task it may get more at once. */
  private given({ method, answer }: Passage): Word[] {
    if (!answer) return [];
    switch (method) {
      case 'PollActivityTaskQueue':
        return this.takeNote(activityTask(rpc.PollActivityTaskQueueResponse.decode(answer)));
      case 'PollWorkflowTaskQueue':
        return this.takeNote(workflowTask(rpc.PollWorkflowTaskQueueResponse.decode(answer)));
      case 'RespondWorkflowTaskCompleted': {
        const more = rpc.RespondWorkflowTaskCompletedResponse.decode(answer);
        const activities = more.activityTasks.flatMap((task) => this.takeNote(activityTask(task)));
        return [...activities, ...(more.workflowTask ? this.takeNote(workflowTask(more.workflowTask)) : [])];
      }
      default:
        return [];
    }
  }

  private takeNote({ token, ...task }: Task & { token: string }): Word[] {
    // A poll that nothing came of.
    if (token === '') return [];
    this.tasks.set(token, task);
    return [{ kind: 'task', isAnswered: true, ...task, acting: null, continuesAsNew: false }];
  }
}

function isSaid(method: string): method is keyof typeof SAID {
  return method in SAID;
}

function activityTask(
  task: temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse,
): Task & { token: string } {
  const { taskToken, workflowExecution, activityType, activityId } = task;
  const activity = { type: activityType?.name ?? '', key: activityId ?? '' };
  return { token: textOf(taskToken), runId: workflowExecution?.workflowId ?? '', activity };
}

function workflowTask(
  task: temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse,
): Task & { token: string } {
  const { taskToken, workflowExecution } = task;
  return { token: textOf(taskToken), runId: workflowExecution?.workflowId ?? '', activity: null };
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64');
}

function actingIn(request: Buffer): boolean | null {
  const [payload] = rpc.RecordActivityTaskHeartbeatRequest.decode(request).details?.payloads ?? [];
  const { acting } = Object(JSON.parse(Buffer.from(payload?.data ?? []).toString() || 'null'));
  return typeof acting === 'boolean' ? acting : null;
}

function doesContinueAsNew(request: Buffer): boolean {
  const { commands } = rpc.RespondWorkflowTaskCompletedRequest.decode(request);
  return commands.some((command) => command.continueAsNewWorkflowExecutionCommandAttributes);
}
