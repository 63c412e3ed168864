import type { JsonObject } from '../../core/json.js';
import { familyDetails, nativeFinishReason, thoughtDetail, type Answer } from './answer.js';
import { familyOf } from './models.js';

/** One `choices[0]` of a stream, and how many characters of the answer it brings. */
export interface Piece {
  delta: Record<string, unknown>;
  finishReason?: string | null;
  chars: number;
}

/**
 * An answer as stream pieces, in the order in which they were seen live: role, thoughts, text, calls, finish. The signature of a
 * thought comes late, after the text began. Parallel calls first show their heads, then their arguments by turns.
 */
export function piecesOf(answer: Answer): Piece[] {
  const thoughts =
    answer.reasoningDetails === null
      ? thoughtPieces(answer)
      : answer.reasoningDetails.map((detail) => detailPiece(detail, answer));
  const late =
    answer.reasoningDetails === null
      ? familyDetails(answer).map((detail) => detailPiece(detail, answer))
      : [];
  const texts = split(answer.text, answer.chunkChars).map((text) => piece({ content: text }, text.length));
  return [
    piece({ content: '' }, 0),
    ...thoughts,
    ...texts.slice(0, 1),
    ...late,
    ...texts.slice(1),
    ...callPieces(answer),
    { ...piece({ content: '' }, 0), finishReason: answer.finishReason },
  ];
}

/** The answer as one message. */
export function messageOf(answer: Answer): Record<string, unknown> {
  const details = answer.reasoningDetails ?? [
    ...(answer.reasoning === '' ? [] : [mergedThought(answer)]),
    ...familyDetails(answer).filter((detail) => detail['type'] !== 'reasoning.text'),
  ];
  return {
    role: 'assistant',
    content: answer.text === '' && answer.calls.length > 0 ? null : answer.text,
    refusal: null,
    reasoning: answer.reasoning === '' ? null : answer.reasoning,
    ...(details.length === 0 ? {} : { reasoning_details: details }),
    ...(answer.calls.length === 0
      ? {}
      : { tool_calls: answer.calls.map((call) => ({ index: call.index, ...headOf(call, call.args) })) }),
  };
}

/** A choice of a stream chunk. */
export function choiceOf(answer: Answer, { delta, finishReason = null }: Piece): Record<string, unknown> {
  return {
    index: 0,
    delta,
    finish_reason: finishReason,
    native_finish_reason: nativeFinishReason(answer.model, finishReason),
    logprobs: null,
  };
}

function mergedThought(answer: Answer): JsonObject {
  const signature = familyOf(answer.model) === 'anthropic' ? { signature: answer.seal } : {};
  return { ...thoughtDetail(answer.model, answer.reasoning), ...signature };
}

function thoughtPieces(answer: Answer): Piece[] {
  // A summary is one item; only running text comes in pieces that have to be put together.
  const chunkChars = familyOf(answer.model) === 'openai' ? Infinity : answer.chunkChars;
  return split(answer.reasoning, chunkChars).map((text) =>
    piece(
      { content: '', reasoning: text, reasoning_details: [thoughtDetail(answer.model, text)] },
      text.length,
    ),
  );
}

function detailPiece(detail: JsonObject, answer: Answer): Piece {
  const said = detail['text'] ?? detail['summary'];
  const reasoning = answer.reasoningDetails !== null && typeof said === 'string' ? said : null;
  return piece(
    { content: '', ...(reasoning === null ? {} : { reasoning }), reasoning_details: [detail] },
    reasoning?.length ?? 0,
  );
}

function callPieces(answer: Answer): Piece[] {
  const heads = answer.calls.map((call) =>
    piece(
      { content: null, tool_calls: [{ index: call.index, ...headOf(call, call.args === null ? null : '') }] },
      call.name.length,
    ),
  );
  const tails = answer.calls.map((call) =>
    split(call.args ?? '', answer.chunkChars).map((args) =>
      piece(
        {
          content: null,
          tool_calls: [{ index: call.index, type: 'function', function: { arguments: args } }],
        },
        args.length,
      ),
    ),
  );
  return [...heads, ...byTurns(tails)];
}

function headOf(call: { id: string | null; name: string }, args: string | null): Record<string, unknown> {
  return {
    id: call.id,
    type: 'function',
    function: { name: call.name, ...(args === null ? {} : { arguments: args }) },
  };
}

function byTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, turn) =>
    lists.flatMap((list) => list.slice(turn, turn + 1)),
  ).flat();
}

function piece(delta: Record<string, unknown>, chars: number): Piece {
  return { delta: { role: 'assistant', ...delta }, chars };
}

/** Splits between characters, never inside one. */
export function split(text: string, chunkChars: number): string[] {
  if (text.length <= chunkChars) return text === '' ? [] : [text];
  return text.match(new RegExp(`[^]{1,${chunkChars}}`, 'gu')) ?? [];
}
