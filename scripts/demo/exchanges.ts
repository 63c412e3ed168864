import { callsOf, textOf, type WireMessage } from '../../src/testing/transcript-rules.js';

/** A tool call and what came of it, as they stand in a request to the model. */
export interface Exchange {
  tool: string;
  args: Readonly<Record<string, unknown>>;
  result: string;
}

/** The tool calls of a conversation that have a result, in order. */
export function exchangesOf(messages: readonly WireMessage[]): Exchange[] {
  const results = new Map(
    messages.filter(({ role }) => role === 'tool').map((message) => [message.tool_call_id, textOf(message)]),
  );
  return messages.flatMap((message) =>
    callsOf(message).flatMap(({ id, name, args }) => {
      const result = results.get(id);
      return result === undefined ? [] : [{ tool: String(name), args: asObject(args), result }];
    }),
  );
}

function asObject(json: unknown): Record<string, unknown> {
  // Object() makes a record of whatever the arguments are.
  return Object(typeof json === 'string' ? JSON.parse(json) : json) as Record<string, unknown>;
}
