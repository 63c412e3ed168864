import type { Info } from '@temporalio/activity';
import { z } from 'zod';
import { createRunTool, type RunToolPorts } from '../../../src/activities/run-tool.js';
import { defineTool, type ToolDefinition } from '../../../src/adapters/tools/define-tool.js';
import type { ToolResult } from '../../../src/core/outcomes.js';
import { argsKey, type RunToolInput } from '../../../src/core/work.js';
import type { Tool, ToolContext, ToolEffect } from '../../../src/ports/tools.js';
import { environmentOf, FakeRun, toolPorts } from './activity-world.js';

export const INPUT: RunToolInput = { callId: 's2.c1', name: 'act', argsKey: argsKey('{}') };
export const EFFECTS: ToolEffect[] = ['read', 'idempotent', 'once'];
export const AGAIN: ToolEffect[] = ['read', 'idempotent'];

const NO_ARGS = z.object({});

/** A tool without arguments. */
export function toolOf(
  effect: ToolEffect,
  execute: (context: ToolContext) => unknown,
  more: Partial<ToolDefinition<typeof NO_ARGS>> = {},
): Tool {
  return defineTool({
    name: 'act',
    description: 'a',
    effect,
    input: NO_ARGS,
    execute: (_args, context) => execute(context),
    ...more,
  });
}

/** A run whose call of the tool is open. */
export function openRun(): FakeRun {
  const run = new FakeRun();
  run.openCalls = { 's2.c1': '{}' };
  return run;
}

export interface AttemptOptions {
  run?: FakeRun;
  info?: Partial<Info>;
  ports?: Partial<RunToolPorts>;
  input?: Partial<RunToolInput>;
}

/** Runs the tool alone, in an attempt of an activity. `beats` notes each heartbeat of the SDK. */
export function attempt(
  tool: Tool,
  { run = openRun(), info = {}, ports = {}, input = {} }: AttemptOptions = {},
) {
  const environment = environmentOf(run, info);
  const beats: unknown[] = [];
  environment.on('heartbeat', (details) => beats.push(details));
  const activity = createRunTool({ ...toolPorts(tool), ...ports });
  const result: Promise<ToolResult> = environment.run(activity, { ...INPUT, ...input });
  return { environment, run, beats, result };
}

/** A tool that says when it runs and ends only when it is told to. */
export function lingering(effect: ToolEffect, timeoutMs = 60_000) {
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const untilTold = ({ signal }: ToolContext) =>
    new Promise((_, reject) => {
      begin();
      signal.addEventListener('abort', () => reject(new Error('told to end')));
    });
  return { tool: toolOf(effect, untilTold, { timeoutMs }), begun };
}
