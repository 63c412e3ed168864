import type { RunRecord } from '../client/run-record.js';
import type { LimitName, RunResult, RunStatus } from '../core/progress.js';
import type { TranscriptItem } from '../core/transcript.js';

/** What of a run is held against that of another. Steps, money, tokens and calls count from the beginning of what it goes on from. */
export interface RunFigures {
  runId: string;
  /** The run that this one goes on from. */
  forkOf: string | null;
  goal: string;
  status: RunStatus;
  /** `null` while it runs. */
  outcome: RunResult['outcome'] | null;
  limit: LimitName | null;
  error: RunResult['error'];
  /** Those that answered it, in order; the one that it asks when none has yet. */
  models: string[];
  /** Completed model calls of purpose `step`. */
  steps: number;
  /** Of these, those that it took over. */
  inheritedSteps: number;
  /** Confirmed by the server. */
  costNanoUsd: number;
  /** Charged but not confirmed; not contained in `costNanoUsd`. */
  estimatedNanoUsd: number;
  /** Contained in the costs above: what it took over. */
  inheritedNanoUsd: number;
  promptTokens: number;
  completionTokens: number;
  modelCalls: number;
  /** Its own time; of a run that goes on, until its last event. */
  durationMs: number;
  /** Calls that the model asked for, by tool. */
  toolCalls: Record<string, number>;
  /** Made at this run, not at the one that it goes on from. */
  decisions: Record<'approve' | 'reject' | 'answer' | 'expired', number>;
  unknownOutcomes: { callId: string; tool: string }[];
  answer: string;
}

/** Two runs side by side. */
export interface RunComparison {
  left: RunFigures;
  right: RunFigures;
  /** The first step at which they part, which is how many they have in common. `null`: they never do. */
  sameUntilStep: number | null;
  /** Messages of the transcript that they have in common. */
  sameItems: number;
  /** The message of each that differs; `null`: there is none. */
  parting: { left: TranscriptItem | null; right: TranscriptItem | null } | null;
}

/** Holds two runs against each other. */
export function compareRuns(left: RunRecord, right: RunRecord): RunComparison {
  const sameItems = commonItems(left.transcript, right.transcript);
  const parted = {
    left: left.transcript[sameItems] ?? null,
    right: right.transcript[sameItems] ?? null,
  };
  const isSame = parted.left === null && parted.right === null;
  return {
    left: figuresOf(left),
    right: figuresOf(right),
    sameUntilStep: isSame ? null : stepsIn(left.transcript.slice(0, sameItems), parted),
    sameItems,
    parting: isSame ? null : parted,
  };
}

function commonItems(left: readonly TranscriptItem[], right: readonly TranscriptItem[]): number {
  const [a, b] = [left.map(contentOf), right.map(contentOf)];
  const first = a.findIndex((text, index) => text !== b[index]);
  return first < 0 ? a.length : first;
}

/** What a message says. Ids of calls and what a provider keeps of its reasoning differ from run to run, and say nothing. */
function contentOf(item: TranscriptItem): string {
  const calls = item.role === 'assistant' ? (item.calls ?? []) : [];
  return JSON.stringify([item.role, item.content, ...calls.map(({ name, args }) => [name, args])]);
}

/** How many steps are whole in what is common. One whose calls came out differently is not. */
function stepsIn(
  common: readonly TranscriptItem[],
  parted: Record<'left' | 'right', TranscriptItem | null>,
): number {
  const answers = common.filter(({ role }) => role === 'assistant').length;
  const isWithinStep = parted.left?.role === 'tool' || parted.right?.role === 'tool';
  return isWithinStep ? answers - 1 : answers;
}

function figuresOf({
  progress,
  events,
  forkOf,
  transcript,
  stepsCompleted,
  unknownOutcomes,
}: RunRecord): RunFigures {
  const { runId, goal, status, spend, result } = progress;
  const answers = events.flatMap((event) => (event.type === 'model_completed' ? [event] : []));
  const ownSteps = answers.filter(({ purpose }) => purpose === 'step').length;
  const models = [...new Set(answers.map(({ model }) => model))];
  const { costNanoUsd, estimatedNanoUsd, inheritedNanoUsd, promptTokens, completionTokens, modelCalls } =
    spend;
  return {
    runId,
    forkOf,
    goal,
    status,
    outcome: result?.outcome ?? null,
    limit: result?.limit ?? null,
    error: result?.error ?? null,
    models: models.length === 0 ? [progress.model] : models,
    steps: stepsCompleted,
    inheritedSteps: stepsCompleted - ownSteps,
    costNanoUsd,
    estimatedNanoUsd,
    inheritedNanoUsd,
    promptTokens,
    completionTokens,
    modelCalls,
    durationMs: durationOf(progress, events),
    toolCalls: toolCallsIn(transcript),
    decisions: decisionsIn(events),
    unknownOutcomes,
    answer: result?.answer ?? '',
  };
}

function durationOf({ startedAt, closedAt }: RunRecord['progress'], events: RunRecord['events']): number {
  return Date.parse(closedAt ?? events.at(-1)?.at ?? startedAt) - Date.parse(startedAt);
}

function toolCallsIn(transcript: readonly TranscriptItem[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of transcript)
    for (const { name } of (item.role === 'assistant' && item.calls) || [])
      counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function decisionsIn(events: RunRecord['events']): RunFigures['decisions'] {
  const decisions = { approve: 0, reject: 0, answer: 0, expired: 0 };
  for (const event of events) if (event.type === 'decision_made') decisions[event.decision]++;
  return decisions;
}
