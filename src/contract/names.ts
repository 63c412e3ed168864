import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { ControlName } from '../core/human/controls.js';

/** Workflow type of an agent run. */
export const AGENT_RUN = 'agentRun';

/** Queries. `settings`, `call` and `shared` serve the activities; `progress` and `transcript` serve everybody. */
export const QUERIES = {
  progress: 'progress',
  transcript: 'transcript',
  settings: 'settings',
  call: 'call',
  shared: 'shared',
} as const;

/** What each signal and update does, as Temporal's Web UI shows it in its pickers. */
export const HANDLERS: Record<ControlName, { description: string; kinds: 'signal' | 'both' }> = {
  decide: {
    kinds: 'both',
    description:
      'Decide on a call: {"callId": "s3.c0", "decision": "approve", "by": "you"}. Or "reject"; "note" is for the model, "args" replaces its arguments.',
  },
  approve: {
    kinds: 'both',
    description: 'Let a call run: {"callId": "s3.c0", "by": "you"}. Without input: the one that waits.',
  },
  reject: {
    kinds: 'both',
    description: 'Do not run a call, and tell the model why: {"callId": "s3.c0", "note": "…", "by": "you"}.',
  },
  say: {
    kinds: 'both',
    description:
      'Say something to the agent: {"text": "…", "mode": "steer"}. Or "queue" (at the end), "interrupt" (at once).',
  },
  answer: {
    kinds: 'both',
    description: 'Answer a question of the agent: {"callId": "s3.c0", "text": "…", "by": "you"}.',
  },
  pause: { kinds: 'both', description: 'Hold back new work; what runs may end.' },
  resume: { kinds: 'both', description: 'Let new work start again.' },
  stop: { kinds: 'both', description: 'End gracefully: the agent answers with what it has.' },
  setLimits: {
    kinds: 'both',
    description:
      'Change ceilings: {"maxCostUsd": 5, "maxSteps": 200}. Also "maxTokens", "maxDurationMs"; null takes one away.',
  },
  report: { kinds: 'signal', description: 'Not for people: what a sub-agent tells.' },
};

/** Names of all handlers. */
export const CONTROL_NAMES = [
  'decide',
  'approve',
  'reject',
  'say',
  'answer',
  'pause',
  'resume',
  'stop',
  'setLimits',
  'report',
] as const satisfies readonly ControlName[];

/** Search attributes, contract §5. */
export const SEARCH_ATTRIBUTES = {
  status: defineSearchAttributeKey('AgentStatus', SearchAttributeType.KEYWORD),
  costUsd: defineSearchAttributeKey('AgentCostUsd', SearchAttributeType.DOUBLE),
  steps: defineSearchAttributeKey('AgentSteps', SearchAttributeType.INT),
  model: defineSearchAttributeKey('AgentModel', SearchAttributeType.KEYWORD),
  needsDecision: defineSearchAttributeKey('AgentNeedsDecision', SearchAttributeType.BOOL),
} as const;
