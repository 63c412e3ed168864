import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

/** The least that Temporal has to do for steps of two activities, one after the other. */
export async function reference(steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await nothing();
    await nothing();
  }
}
