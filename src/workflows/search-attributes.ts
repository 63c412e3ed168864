import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../contract/names.js';
import type { Progress } from '../core/progress.js';

/** Between changes of status, every this many steps: each upsert is an event in history. */
const STEPS_BETWEEN_UPSERTS = 10;

/** Makes the function that writes search attributes when they are due, and says whether it did. The server keeps them over the chain. */
export function createSearchAttributes(): (progress: Progress) => boolean {
  const { typedSearchAttributes: before } = workflowInfo();
  let status = before.get(SEARCH_ATTRIBUTES.status);
  let steps = before.get(SEARCH_ATTRIBUTES.steps) ?? 0;
  return (progress) => {
    const pending = progress.pending.length > 0;
    const done = progress.result?.steps ?? progress.step;
    const isDue = progress.status !== status || done >= steps + STEPS_BETWEEN_UPSERTS;
    if (!isDue) return false;
    status = progress.status;
    steps = done;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.status, value: status },
      { key: SEARCH_ATTRIBUTES.costUsd, value: progress.spend.costUsd },
      { key: SEARCH_ATTRIBUTES.steps, value: steps },
      { key: SEARCH_ATTRIBUTES.model, value: progress.model },
      { key: SEARCH_ATTRIBUTES.needsDecision, value: pending },
    ]);
    return true;
  };
}
