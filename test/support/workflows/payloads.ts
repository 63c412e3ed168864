import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';

export interface PayloadActivities {
  make(input: { size: number; random: boolean }): Promise<string>;
  length(input: { text: string }): Promise<number>;
}

const { make, length } = proxyActivities<PayloadActivities>({
  startToCloseTimeout: '10s',
  retry: { maximumAttempts: 1 },
});

export const finish = defineSignal('finish');
export const made = defineQuery<number>('made');

/** Passes a text from one activity to the next, waits for `finish`, and returns it. */
export async function passOn({
  size,
  random,
}: {
  size: number;
  random: boolean;
}): Promise<{ text: string; length: number }> {
  let finished = false;
  let text = '';
  setHandler(finish, () => void (finished = true));
  setHandler(made, () => text.length);
  text = await make({ size, random });
  const counted = await length({ text });
  await condition(() => finished);
  return { text, length: counted };
}

/** Fails with a message. */
export async function failWith({ message }: { message: string }): Promise<void> {
  throw ApplicationFailure.nonRetryable(message);
}
