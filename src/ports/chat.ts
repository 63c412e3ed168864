import type { JsonObject } from '../core/json.js';

/** Text as a string, or as text parts, which are joined by line feeds. */
export type ChatText = string | ChatTextPart[];

/** A piece of text in a message. */
export interface ChatTextPart {
  type: 'text';
  text: string;
}

/** A tool call as an answer has it. */
export interface ChatToolCall {
  id: string;
  name: string;
  input: JsonObject;
}

/** A tool call as OpenAI writes it; `arguments` is the JSON text of an object. */
export interface ChatFunctionCall {
  id: string;
  type?: 'function';
  function: { name: string; arguments: string };
}

/** A tool call among the parts of an assistant message, as Anthropic writes it. */
export interface ChatToolUsePart extends ChatToolCall {
  type: 'tool_use';
}

/** The result of a call among the parts of a user message, as Anthropic writes it. */
export interface ChatToolResultPart {
  type: 'tool_result';
  tool_use_id: string;
  content?: ChatText;
  /** Told to the model as `{"status":"failed","message":…}`: chat completions have no mark for it. */
  is_error?: boolean;
}

/** A message of a conversation. The `content` and `tool_calls` of an answer can be sent back in an assistant message as they are. */
export type ChatMessage =
  | { role: 'system'; content: ChatText }
  | { role: 'user'; content: string | (ChatTextPart | ChatToolResultPart)[] }
  | {
      role: 'assistant';
      content?: string | (ChatTextPart | ChatToolUsePart)[] | null;
      tool_calls?: (ChatToolCall | ChatFunctionCall)[];
    }
  | { role: 'tool'; tool_call_id: string; content: ChatText };

/** A tool that the model may ask for. It is not run here. */
export interface ChatTool {
  /** 1 to 64 of the characters A-Z a-z 0-9 _ - */
  name: string;
  /** @defaultValue empty */
  description?: string;
  /**
   * JSON Schema of the arguments.
   * @defaultValue an object without properties
   */
  input_schema?: JsonObject;
}

/** What the normalized chat call takes. Contract §9. */
export interface ChatRequest {
  model: string;
  /** Every call must have its result in the messages right after it. */
  messages: ChatMessage[];
  tools?: ChatTool[];
  /** @defaultValue 4096 */
  max_tokens?: number;
  /**
   * From 0 to 2.
   * @defaultValue 0
   */
  temperature?: number;
  /** Goes before all messages. */
  system?: ChatText;
}

/** What the normalized chat call returns. Contract §9. */
export interface ChatAnswer {
  /** `null` when the model wrote no text. */
  content: string | null;
  /** Arguments that are not the JSON of an object became `{}`. */
  tool_calls: ChatToolCall[];
  /** What the server says alone: `tool_use` for the finish reason `tool_calls`, `max_tokens` for `length`, `end_turn` for any other. */
  stop_reason: 'end_turn' | 'tool_use' | 'max_tokens';
  /** 0 where the server said nothing. */
  usage: { input_tokens: number; output_tokens: number };
}
