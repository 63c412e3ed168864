import type { TranscriptCall, TranscriptItem } from '../../../src/core/transcript.js';
import { findTranscriptProblem, type WireMessage } from '../../../src/testing/transcript-rules.js';

/** What a provider would refuse about a transcript that is about to be sent, or `null`. Results must stand in call order, too. */
export function problemToSend(items: readonly TranscriptItem[]): string | null {
  return findTranscriptProblem(items.map(toWire)) ?? findOrderProblem(items);
}

/** The same for the transcript of a run that has ended, where the model may have the last word. */
export function problemAtEnd(items: readonly TranscriptItem[]): string | null {
  return problemToSend([...items, { role: 'user', content: 'Thanks.' }]);
}

function findOrderProblem(items: readonly TranscriptItem[]): string | null {
  let awaited: readonly TranscriptCall[] = [];
  for (const [index, item] of items.entries()) {
    if (item.role === 'tool') {
      const [call, ...rest] = awaited;
      if (call?.id !== item.callId)
        return `Item ${index} answers ${item.callId}, awaited is ${call?.id ?? 'nothing'}.`;
      awaited = rest;
      continue;
    }
    if (awaited.length > 0) return `Item ${index} comes before the result of ${awaited[0]?.id}.`;
    awaited = item.role === 'assistant' ? (item.calls ?? []) : [];
  }
  return null;
}

function toWire(item: TranscriptItem): WireMessage {
  if (item.role === 'tool') return { role: 'tool', tool_call_id: item.callId, content: item.content };
  if (item.role !== 'assistant') return item;
  return {
    role: 'assistant',
    content: item.content,
    ...(item.calls && {
      tool_calls: item.calls.map(({ id, name, args }) => ({
        id,
        type: 'function',
        function: { name, arguments: args },
      })),
    }),
  };
}
