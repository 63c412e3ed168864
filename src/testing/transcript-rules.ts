/** A message as it stands in a chat completions request. Only `role` is sure before it was checked. */
export interface WireMessage {
  role: string;
  content?: unknown;
  tool_calls?: unknown;
  tool_call_id?: unknown;
  reasoning_details?: unknown;
}

/** What a transcript is held against beyond its own text. */
export interface TranscriptContext {
  /** Calls that came with reasoning details from a model that insists on getting them back (Gemini does). */
  reasoningCallIds?: ReadonlySet<string>;
}

type Finding = string | null;
type Rule = (message: WireMessage, index: number) => Finding;

const ROLES = ['system', 'assistant', 'user', 'tool', 'developer'];
/** OpenAI takes at most 40 characters, Anthropic only these. */
const CALL_ID = /^[a-zA-Z0-9_-]{1,40}$/;
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const SIGNED_FORMATS = new Set(['anthropic-claude-v1', 'google-gemini-v1']);

/**
 * Says what a provider would refuse about a conversation. Holds it to the stricter of OpenAI's and Anthropic's rules, because
 * OpenRouter forwards the same conversation to either; no clock, no I/O, so it serves property tests as well as a server.
 * Rules: roles, contents (which empty ones pass follows what Anthropic answers to each), tool calls of unique id over the whole
 * conversation with one JSON object as arguments, exactly one result per call directly after its message, signed and unrepeated
 * reasoning details, text that is valid Unicode, and an end that leaves the model something to answer.
 * @returns the first problem, in the provider's words, or `null`
 */
export function findTranscriptProblem(
  messages: readonly WireMessage[],
  context: TranscriptContext = {},
): string | null {
  if (messages.length === 0)
    return "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
  return (
    firstOf(messages, findRoleProblem) ??
    firstOf(messages, findCallProblem) ??
    findDuplicateCallProblem(messages) ??
    findPairingProblem(messages) ??
    firstOf(messages, findContentProblem) ??
    firstOf(messages, findUnicodeProblem) ??
    findReasoningProblem(messages, context.reasoningCallIds ?? new Set()) ??
    findEndProblem(messages)
  );
}

/** The tool calls of a message, without any promise about their fields. */
export function callsOf(
  message: WireMessage,
): { id: unknown; type: unknown; name: unknown; args: unknown }[] {
  if (!Array.isArray(message.tool_calls)) return [];
  return message.tool_calls.map((call: unknown) => {
    const fields = asRecord(call);
    const named = asRecord(fields['function']);
    return { id: fields['id'], type: fields['type'], name: named['name'], args: named['arguments'] };
  });
}

/** The text of a message: its string content, or its text parts put together. */
export function textOf(message: WireMessage): string {
  return textsOf(message.content).join('');
}

function firstOf(messages: readonly WireMessage[], rule: Rule): Finding {
  for (const [index, message] of messages.entries()) {
    const problem = rule(message, index);
    if (problem !== null) return problem;
  }
  return null;
}

const findRoleProblem: Rule = ({ role }) =>
  ROLES.includes(role)
    ? null
    : `Invalid value: '${role}'. Supported values are: ${ROLES.map((name) => `'${name}'`).join(', ')}.`;

const findCallProblem: Rule = (message, index) => {
  if (message.tool_calls === undefined) return null;
  const at = `messages[${index}].tool_calls`;
  if (message.role !== 'assistant') return `Unknown parameter: '${at}'.`;
  if (!Array.isArray(message.tool_calls)) return `Invalid type for '${at}': expected an array of objects.`;
  if (message.tool_calls.length === 0)
    return `Invalid '${at}': empty array. Expected an array with minimum length 1, but got an empty array instead.`;
  for (const [position, call] of callsOf(message).entries()) {
    const callAt = `${at}[${position}]`;
    if (typeof call.id !== 'string' || !CALL_ID.test(call.id))
      return `Invalid '${callAt}.id': string does not match pattern '${CALL_ID.source}'.`;
    if (call.type !== 'function')
      return `Invalid value for '${callAt}.type'. Supported values are: 'function'.`;
    if (typeof call.name !== 'string' || !TOOL_NAME.test(call.name))
      return `Invalid '${callAt}.function.name': string does not match pattern '${TOOL_NAME.source}'.`;
    if (!isObjectJson(call.args))
      return `messages.${index}.content.${position}.tool_use.input: Input should be a valid dictionary`;
  }
  return null;
};

function findPairingProblem(messages: readonly WireMessage[]): Finding {
  let unanswered: string[] = [];
  let answered: string[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'tool') {
      if (unanswered.length > 0) return missingResults(unanswered);
      unanswered = callsOf(message).map((call) => String(call.id));
      answered = [];
      continue;
    }
    const id = message.tool_call_id;
    if (typeof id !== 'string')
      return `Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'. (messages[${index}])`;
    if (answered.includes(id))
      return `messages.${index}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`;
    if (unanswered.length === 0 && answered.length === 0)
      return `Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'. (messages[${index}], tool_call_id ${id})`;
    if (!unanswered.includes(id))
      return `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    unanswered.splice(unanswered.indexOf(id), 1);
    answered.push(id);
  }
  return unanswered.length > 0 ? missingResults(unanswered) : null;
}

function missingResults(ids: readonly string[]): string {
  return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(', ')}`;
}

/** Anthropic wants ids unique over the whole conversation, though some models number their calls per message. */
function findDuplicateCallProblem(messages: readonly WireMessage[]): Finding {
  const seen = new Set<unknown>();
  return firstOf(messages, (message, index) => {
    for (const [position, { id }] of callsOf(message).entries()) {
      if (seen.has(id))
        return `messages.${index}.content.${position}: \`tool_use\` ids must be unique (${String(id)})`;
      seen.add(id);
    }
    return null;
  });
}

const findContentProblem: Rule = (message, index) => {
  const { content, role } = message;
  const hasCalls = callsOf(message).length > 0;
  if (content === undefined || content === null) {
    return hasCalls ? null : `Invalid value for 'messages[${index}].content': expected a string, got null.`;
  }
  if (typeof content !== 'string' && !Array.isArray(content))
    return `Invalid type for 'messages[${index}].content': expected one of a string or array of objects.`;
  if (role === 'tool' || (hasCalls && typeof content === 'string')) return null;
  if (role === 'user' && content.length === 0)
    return `messages.${index}: user messages must have non-empty content`;
  const texts = textsOf(content);
  if (Array.isArray(content) && texts.includes('')) return 'messages: text content blocks must be non-empty';
  if ((role === 'system' || role === 'developer') && content === '') return null;
  const hasOtherParts = Array.isArray(content) && content.length > texts.length;
  return hasOtherParts || hasCalls || texts.some((text) => text.trim() !== '')
    ? null
    : `messages: text content blocks must contain non-whitespace text (messages[${index}])`;
};

/** Stricter JSON readers than JavaScript's refuse half of a surrogate pair. */
const findUnicodeProblem: Rule = (message, index) => {
  const texts = [...textsOf(message.content), ...callsOf(message).map((call) => String(call.args))];
  return texts.some((text) => /\p{Surrogate}/u.test(text))
    ? `The request body is not valid JSON: no low surrogate in string (messages[${index}])`
    : null;
};

function findReasoningProblem(
  messages: readonly WireMessage[],
  reasoningCallIds: ReadonlySet<string>,
): Finding {
  const seen = new Set<string>();
  return firstOf(messages, (message, index) => {
    const details = Array.isArray(message.reasoning_details) ? message.reasoning_details.map(asRecord) : [];
    const lost =
      details.length === 0 &&
      callsOf(message).some(({ id }) => typeof id === 'string' && reasoningCallIds.has(id));
    if (lost)
      return `Gemini models require OpenRouter reasoning details to be preserved in each request. (messages[${index}])`;
    for (const { type, format, signature, id } of details) {
      if (type === 'reasoning.text' && SIGNED_FORMATS.has(String(format)) && !signature)
        return `messages.${index}.content.0: Invalid \`signature\` in \`thinking\` block`;
      if (type !== 'reasoning.encrypted' || typeof id !== 'string') continue;
      if (seen.has(id))
        return `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`;
      seen.add(id);
    }
    return null;
  });
}

function findEndProblem(messages: readonly WireMessage[]): Finding {
  const spoken = messages.filter(({ role }) => role !== 'system' && role !== 'developer');
  if (spoken.length === 0) return 'messages: at least one message is required';
  return spoken.at(-1)?.role === 'assistant'
    ? 'This model does not support assistant message prefill. The conversation must end with a user message.'
    : null;
}

function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.map((part: unknown) => asRecord(part)['text']).filter((text) => typeof text === 'string');
}

function isObjectJson(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  // Any object may be read by key; what is found stays unknown.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
