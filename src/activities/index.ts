import type { AgentActivities } from '../contract/activities.js';
import { createCallModel, type CallModelPorts } from './call-model.js';
import { createCheckArgs } from './check-args.js';
import { createCheckDecision } from './check-decision.js';
import { createDrawBudget } from './draw-budget.js';
import { createNotify } from './notify.js';
import { createPrepareRun, type PrepareRunPorts } from './prepare-run.js';
import { createReconcileCost } from './reconcile-cost.js';
import { createRelay, createReport } from './relay.js';
import { createRunTool, type RunToolPorts } from './run-tool.js';
import { createVerifyCall } from './verify-call.js';
import type { WebhookPort } from '../ports/webhook.js';

/** Everything the activities of a run work with. */
export type ActivityPorts = CallModelPorts & RunToolPorts & PrepareRunPorts & { webhook: WebhookPort };

/** Makes the activities of a run. */
export function createActivities(ports: ActivityPorts): AgentActivities {
  return {
    prepareRun: createPrepareRun(ports),
    callModel: createCallModel(ports),
    runTool: createRunTool(ports),
    verifyCall: createVerifyCall(ports),
    checkArgs: createCheckArgs(ports),
    checkDecision: createCheckDecision(ports),
    reconcileCost: createReconcileCost(ports),
    drawBudget: createDrawBudget(),
    relay: createRelay(),
    report: createReport(),
    notify: createNotify(ports),
  };
}
