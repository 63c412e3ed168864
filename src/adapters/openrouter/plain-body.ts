import { canonicalJson, type JsonObject, type JsonValue } from '../../core/json.js';
import { at, isObject, listAt, parseJson, textAt } from './json-read.js';

type Fetch = typeof fetch;

/** What OpenRouter takes beyond OpenAI's API; `metadata` OpenAI itself takes on the chat wire only with answers that it stores. */
const EXTRAS: Readonly<Record<string, readonly string[]>> = {
  '/chat/completions': ['cache_control', 'metadata', 'models', 'provider', 'reasoning', 'session_id'],
  '/responses': ['cache_control', 'models', 'provider', 'session_id'],
};
/** The same inside of other fields. */
const INNER_EXTRAS = ['reasoning_details', 'reasoning.max_tokens'];
const PATHS = Object.keys(EXTRAS);
// The words of OpenAI, Azure, Mistral, Groq, Fireworks, LiteLLM, and of servers that check bodies with pydantic.
const REFUSED =
  /\b(?:un(?:known|recogni[sz]ed|supported|expected)|extra_forbidden|additional propert|(?:not|only) (?:permitted|allowed|supported)|not support)/i;
/** OpenAI's newer models, which refuse the older name. */
const OTHER_LIMIT = 'max_completion_tokens';
const REFUSALS = new Set([400, 422]);
const GENERATION_HEADER = 'x-generation-id';

/**
 * A `fetch` that gets along with servers that refuse what they do not know: requests go out with all fields until a refusal names
 * one that is not OpenAI's, then this and all later ones go without them. Most servers ignore such fields, so nothing is left out
 * unless it has to be, and never at OpenRouter or at what has shown itself to be a way to it. A refused request is not billed.
 */
export function withPlainBodies(send: Fetch, baseUrl: string): Fetch {
  const omitted = { extras: false, maxTokens: false };
  let isOpenRouter = URL.canParse(baseUrl) && /(?:^|\.)openrouter\.ai$/.test(new URL(baseUrl).hostname);
  return async (url, init) => {
    const body = init?.body;
    const path = PATHS.find((end) => typeof url === 'string' && url.endsWith(end));
    if (typeof body !== 'string' || path === undefined || isOpenRouter) return send(url, init);
    const names = EXTRAS[path] ?? [];
    const named = anyOf([...names, ...INNER_EXTRAS]);
    for (;;) {
      const before = { ...omitted };
      const response = await send(url, { ...init, body: toPlain(body, names, before) });
      isOpenRouter ||= response.headers.has(GENERATION_HEADER);
      if (!REFUSALS.has(response.status) || isOpenRouter) return response;
      const words = await response.clone().text();
      const isAboutFields = REFUSED.test(words);
      const extras = before.extras || (isAboutFields && named.test(words));
      const maxTokens = before.maxTokens || (isAboutFields && words.includes(OTHER_LIMIT));
      if (extras === before.extras && maxTokens === before.maxTokens) return response;
      // Others may have found out more in the meantime.
      omitted.extras ||= extras;
      omitted.maxTokens ||= maxTokens;
    }
  };
}

function anyOf(names: readonly string[]): RegExp {
  return new RegExp(`(?<![\\w-])(?:${names.join('|').replaceAll('.', '\\.')})(?![\\w-])`);
}

function toPlain(
  body: string,
  names: readonly string[],
  omitted: { extras: boolean; maxTokens: boolean },
): string {
  const request = parseJson(body);
  if (!isObject(request) || !(omitted.extras || omitted.maxTokens)) return body;
  const plain = omitted.extras ? withoutExtras(request, names) : request;
  const { max_tokens: limit, ...others } = plain;
  const renamed = omitted.maxTokens && limit !== undefined ? { ...others, [OTHER_LIMIT]: limit } : plain;
  return canonicalJson(renamed);
}

function withoutExtras(request: JsonObject, names: readonly string[]): JsonObject {
  const plain = Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)));
  const { messages, reasoning } = plain;
  const effort = textAt(request, 'reasoning', 'effort');
  if (messages === undefined)
    return isObject(reasoning) ? { ...plain, reasoning: withoutBudget(reasoning) } : plain;
  return {
    ...plain,
    messages: listAt(plain, 'messages').map(toPlainMessage),
    ...(effort !== undefined && { reasoning_effort: effort }),
  };
}

function withoutBudget({ max_tokens: _budget, ...reasoning }: JsonObject): JsonObject {
  return reasoning;
}

function toPlainMessage(message: JsonValue): JsonValue {
  if (!isObject(message)) return message;
  const { reasoning_details: _details, ...plain } = message;
  const [part] = listAt(plain, 'content');
  const text = at(part, 'text');
  return text === undefined ? plain : { ...plain, content: text };
}
