import type { TranscriptItem } from '../../core/transcript.js';
import { Accumulator } from './accumulate.js';
import { toChatDetails } from './responses/reasoning-bridge.js';
import { toWireBody } from './to-wire.js';
import type { WireFormat } from './wire-format.js';

/** Chat completions: what every OpenAI-compatible server speaks. */
export const CHAT_WIRE: WireFormat = {
  path: '/chat/completions',
  toBody: (request) => toWireBody({ ...request, items: request.items.map(inChatWords) }),
  accumulator: () => new Accumulator(),
};

/** A run may have begun on the other wire. A list that was empty stays one; one of which nothing can be said here is none. */
function inChatWords(item: TranscriptItem): TranscriptItem {
  if (item.role !== 'assistant' || item.reasoning === undefined) return item;
  const { reasoning: told, ...rest } = item;
  const reasoning = toChatDetails(told);
  return { ...rest, ...((reasoning.length > 0 || told.length === 0) && { reasoning }) };
}
