export { agentRun } from './agent-run.js';
export { budget } from './budget.js';
export { modelGovernor } from './model-governor.js';
