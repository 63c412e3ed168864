import type { JsonObject } from '../../core/json.js';
import { textAt } from './json-read.js';
import { isAnthropic } from './reasoning.js';

// Five minutes, renewed by each hit. An hour costs twice the price of a prompt to write, which few runs earn back.
const BREAKPOINT = { type: 'ephemeral' };

/**
 * `cache_control` of a whole request. Anthropic caches nothing unasked; asked at the top level, it moves the breakpoint along by itself
 * as the transcript grows. A breakpoint of our own on the last message would have to be taken away from there with the next request,
 * and so change the bytes of a message that was sent already. OpenAI, Gemini, DeepSeek, Grok and Moonshot cache unasked.
 */
export function cachedWhole(model: string): JsonObject {
  return isAnthropic(model) ? { cache_control: BREAKPOINT } : {};
}

/**
 * The messages with a breakpoint at the end of a leading system message, for Anthropic's models: the one place that is in all requests
 * of a run. So tools and system prompt stay cached where nothing behind them fits: after a compaction, or a step of more results than
 * the 20 blocks for which Anthropic looks back.
 */
export function withCachedSystem(model: string, messages: JsonObject[]): JsonObject[] {
  const [first, ...others] = messages;
  const text = textAt(first, 'content');
  if (first?.['role'] !== 'system' || text === undefined || !isAnthropic(model)) return messages;
  return [{ ...first, content: [{ type: 'text', text, cache_control: BREAKPOINT }] }, ...others];
}
