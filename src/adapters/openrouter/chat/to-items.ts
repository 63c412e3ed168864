import type { TranscriptItem } from '../../../core/transcript.js';
import { invalidChat, joinTexts, type ReadChatMessage, type ReadChatRequest } from './read-request.js';

/**
 * The conversation as transcript items: `system` first, then the messages in their order.
 * @throws AgentError `INPUT_INVALID` when calls and results do not belong together
 */
export function toItems({
  system,
  messages,
}: Pick<ReadChatRequest, 'system' | 'messages'>): TranscriptItem[] {
  const pairing = new Pairing();
  const items = messages.flatMap((message, index) => {
    const own = itemsOf(message);
    for (const item of own) pairing.add(item, `messages[${index}]`);
    return own;
  });
  pairing.end();
  if (pairing.problems.length > 0) throw invalidChat(pairing.problems);
  return system === '' ? items : [{ role: 'system', content: system }, ...items];
}

function itemsOf(message: ReadChatMessage): TranscriptItem[] {
  switch (message.role) {
    case 'system':
      return [message];
    case 'tool':
      return [{ role: 'tool', callId: message.tool_call_id, content: message.content }];
    case 'user':
      return userItems(message.content);
    case 'assistant':
      return [assistantItem(message)];
  }
}

type UserMessage = Extract<ReadChatMessage, { role: 'user' }>;
type AssistantMessage = Extract<ReadChatMessage, { role: 'assistant' }>;

/** Results become messages of their own; texts next to each other stay one message. */
function userItems(parts: UserMessage['content']): TranscriptItem[] {
  const items: TranscriptItem[] = [];
  for (const part of parts) {
    const last = items.at(-1);
    if (part.type === 'tool_result') items.push({ role: 'tool', callId: part.callId, content: part.content });
    else if (last?.role === 'user') last.content = joinTexts([{ text: last.content }, part]);
    else items.push({ role: 'user', content: part.text });
  }
  return items;
}

function assistantItem({ content, tool_calls: more }: AssistantMessage): TranscriptItem {
  const texts = (content ?? []).filter((part) => part.type === 'text');
  const uses = (content ?? []).filter((part) => part.type === 'tool_use');
  const calls = [...uses.map(({ call }) => call), ...(more ?? [])];
  return { role: 'assistant', content: joinTexts(texts), ...(calls.length > 0 && { calls }) };
}

/** Sees to it that every call has exactly one result, right after its message: providers refuse anything else. */
class Pairing {
  readonly problems: string[] = [];
  private callsAt = '';
  private waiting = new Set<string>();

  add(item: TranscriptItem, at: string): void {
    if (item.role === 'tool') {
      if (!this.waiting.delete(item.callId))
        this.problems.push(`${at}: is a result for ${item.callId}, but no such call waits for one there`);
      return;
    }
    this.end();
    this.callsAt = at;
    for (const { id } of (item.role === 'assistant' && item.calls) || []) {
      if (this.waiting.has(id)) this.problems.push(`${at}: has two calls of the id ${id}`);
      this.waiting.add(id);
    }
  }

  end(): void {
    for (const id of this.waiting)
      this.problems.push(`${this.callsAt}: the call ${id} has no result in the messages right after it`);
    this.waiting = new Set();
  }
}
