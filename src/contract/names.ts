import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { ControlName } from '../core/controls.js';

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
      'Decide on a pending call: {"callId":"s3.c0","decision":"approve"|"reject","note":"…","args":{…}}. callId may be left out when one call is pending.',
  },
  approve: {
    kinds: 'signal',
    description: 'Approve the pending call: {"callId":"s3.c0"}, or nothing when one call is pending.',
  },
  reject: {
    kinds: 'signal',
    description: 'Reject the pending call; the note reaches the model: {"callId":"s3.c0","note":"…"}.',
  },
  say: {
    kinds: 'both',
    description: 'Say something to the agent: {"text":"…","mode":"steer"|"queue"|"interrupt"}.',
  },
  answer: { kinds: 'both', description: 'Answer a question of the agent: {"callId":"s3.c0","text":"…"}.' },
  pause: { kinds: 'both', description: 'Hold back new work; what runs may end.' },
  resume: { kinds: 'both', description: 'Let new work start again.' },
  stop: { kinds: 'both', description: 'End gracefully: the agent answers with what it has.' },
  report: { kinds: 'signal', description: 'For sub-agents: what they tell the run that has delegated.' },
  setLimits: {
    kinds: 'both',
    description: 'Change ceilings: {"maxCostUsd":5,"maxSteps":200,"maxTokens":null,"maxDurationMs":3600000}.',
  },
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
