import { Context } from '@temporalio/activity';
import type { JsonObject } from '../core/json.js';
import type { NotifyInput } from '../core/human/notices.js';
import type { WebhookPort } from '../ports/webhook.js';
import { queryCurrentRun, reporting } from './activity-run.js';
import { noticeBody } from './notice-body.js';

/**
 * Makes the activity that tells the webhook of a run what happened. It tries once; Temporal tries again. A decision that nobody waits for
 * any more is not told.
 */
export function createNotify({ webhook }: { webhook: WebhookPort }): (input: NotifyInput) => Promise<void> {
  return (input) =>
    reporting(async () => {
      const { cancellationSignal, info } = Context.current();
      const run = queryCurrentRun();
      const { firstRunId, input: given } = await run.settings();
      const url: unknown = given.webhookUrl;
      // The input of a run that ends for its bad input was never found good.
      if (typeof url !== 'string') return;
      // Standard Webhooks: no full stop in an id, because it is what the signed parts are joined by.
      const id = `${firstRunId}_${input.id}`.replace(/[^\w-]/g, '-');
      const at = new Date(info.scheduledTimestampMs).toISOString();
      const body = noticeBody({ ...input, id, at }, await run.progress());
      if (body === null) return;
      // What queries answer was JSON before, but its types do not say so.
      await webhook.send({ url, id, body: body as unknown as JsonObject, signal: cancellationSignal });
    });
}
