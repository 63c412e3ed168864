import type { AgentActivities } from '../contract/activities.js';
import { createCallModel, type CallModelPorts } from './call-model.js';
import { createCheckArgs } from './check-args.js';
import { createDrawBudget } from './draw-budget.js';
import { createPrepareRun, type PrepareRunPorts } from './prepare-run.js';
import { createReconcileCost } from './reconcile-cost.js';
import { createRunTool, type RunToolPorts } from './run-tool.js';

/** Everything the activities of a run work with. */
export type ActivityPorts = CallModelPorts & RunToolPorts & PrepareRunPorts;

/** Makes the activities of a run. */
export function createActivities(ports: ActivityPorts): AgentActivities {
  return {
    prepareRun: createPrepareRun(ports),
    callModel: createCallModel(ports),
    runTool: createRunTool(ports),
    checkArgs: createCheckArgs(ports),
    reconcileCost: createReconcileCost(ports),
    drawBudget: createDrawBudget(),
  };
}
