import { createHash, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../core/json.js';
import type { TranscriptItem } from '../../core/transcript.js';
import type { ChatAnswer } from '../../ports/chat.js';
import type { ModelAnswer, ModelPort, ModelRequest, Wire } from '../../ports/model.js';
import { readChatRequest } from './chat/read-request.js';
import { toItems } from './chat/to-items.js';
import { isObject, parseJson } from './json-read.js';

/** What a chat call is made with. */
export interface ChatCallOptions {
  model: Pick<ModelPort, 'call'>;
  /** @defaultValue `chat` */
  wire?: Wire;
  signal?: AbortSignal;
  /** Hears the text as it comes. Must not throw. */
  onText?: (text: string) => void;
}

/**
 * The normalized chat call, contract §9: from a JSON body, whatever it holds, to an answer that is JSON. One attempt at one model.
 * @throws AgentError `INPUT_INVALID` before anything is sent, one for all problems of the body; after that one of the `MODEL_*` codes.
 */
export async function answerChat(body: unknown, options: ChatCallOptions): Promise<ChatAnswer> {
  const request = toModelRequest(body);
  const { model, wire, signal = new AbortController().signal, onText } = options;
  const answer = await model.call(
    { ...request, ...(wire !== undefined && { wire }) },
    { signal, ...(onText !== undefined && { listener: { onText } }) },
  );
  return toChatAnswer(answer);
}

function toModelRequest(body: unknown): ModelRequest {
  const chat = readChatRequest(body);
  const items = toItems(chat);
  return {
    model: chat.model,
    items,
    tools: chat.tools,
    toolChoice: 'auto',
    maxOutputTokens: chat.max_tokens,
    temperature: chat.temperature,
    // Asked again it is another call: an answer out of the response cache would come without usage.
    metadata: { longhaul_purpose: 'chat', longhaul_nonce: randomUUID() },
    sessionId: sessionOf(chat.model, items),
  };
}

/** The same for all calls of one conversation, which begins in the same way each time: its prefix is cached at one provider. */
function sessionOf(model: string, items: readonly TranscriptItem[]): string {
  const firstUser = items.findIndex(({ role }) => role === 'user');
  const opening = JSON.stringify([model, ...items.slice(0, firstUser + 1)]);
  return `chat-${createHash('sha256').update(opening).digest('hex').slice(0, 32)}`;
}

/** An answer of the model port in the shape of contract §9. */
function toChatAnswer({ text, calls, finishReason, usage }: ModelAnswer): ChatAnswer {
  return {
    content: text === '' ? null : text,
    tool_calls: calls.map(({ id, name, args }) => ({ id, name, input: inputOf(args) })),
    stop_reason: STOP_REASONS.get(finishReason) ?? 'end_turn',
    usage: { input_tokens: usage.promptTokens, output_tokens: usage.completionTokens },
  };
}

const STOP_REASONS = new Map<string, ChatAnswer['stop_reason']>([
  ['tool_calls', 'tool_use'],
  ['length', 'max_tokens'],
]);

function inputOf(args: string): JsonObject {
  const input = parseJson(args);
  return isObject(input) ? input : {};
}
