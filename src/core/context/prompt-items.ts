import { COMPACTION_BRIEF } from './compact-items.js';
import { reviewItems } from '../review/review-brief.js';
import type { ModelPurpose } from '../state.js';
import type { TranscriptItem } from '../transcript.js';

/** What a request adds to the transcript, or makes of it: a reviewer sees what was done, not what the model thought. */
export function promptItems(
  purpose: ModelPurpose,
  items: readonly TranscriptItem[],
): readonly TranscriptItem[] {
  switch (purpose) {
    case 'compaction':
      return [...items, { role: 'user', content: COMPACTION_BRIEF }];
    case 'review':
      return reviewItems(items);
    default:
      return items;
  }
}
