import { modelsAskedFor } from '../model/models.js';
import { promptItems } from './prompt-items.js';
import type { ModelPurpose, RunState } from '../state.js';
import type { TranscriptItem } from '../transcript.js';

/**
 * Tokens that a provider may put around a request: its system prompt for tools (Anthropic documents 264 to 346, 313 to 500 with choice
 * forced) and the frame of the conversation, with room to spare.
 */
const FRAME_TOKENS = 1_024;

/** Tokens that a chat template may put around one message or call. */
const ITEM_FRAME_TOKENS = 16;

/** Another provider of the same model may frame the same conversation a little larger. */
const CALIBRATION_MARGIN = 1.02;

/** Bytes of one token, where the size is only to be expected; for English prose and code it is about four. */
export const EXPECTED_BYTES_PER_TOKEN = 3;

/** How large the next prompt is: at most, and as it may be expected. In tokens. */
export interface PromptSize {
  mostTokens: number;
  expectedTokens: number;
}

/**
 * The size of the prompt that the transcript makes now. No tokenizer makes more tokens than there are bytes, so what the server
 * has not counted yet is counted by its bytes; the rest is known from the run's own last call to the model. Where several models may
 * answer, that says nothing: each makes tokens of its own of the same text.
 */
export function promptSize(state: RunState): PromptSize {
  const { calibration, transcript, prepared } = state;
  const [model, ...others] = modelsAskedFor(state);
  const isKnown = others.length === 0 && calibration?.model === model;
  if (calibration && isKnown && calibration.version <= transcript.length) {
    const added = sizeOf(transcript.slice(calibration.version));
    return {
      mostTokens:
        Math.ceil(calibration.promptTokens * CALIBRATION_MARGIN) + added.sizeBytes + added.frameTokens,
      expectedTokens: calibration.promptTokens + expected(added.sizeBytes),
    };
  }
  const { sizeBytes, frameTokens } = sizeOf(transcript);
  const total = sizeBytes + (prepared?.toolsSizeBytes ?? 0);
  return { mostTokens: FRAME_TOKENS + total + frameTokens, expectedTokens: expected(total) };
}

/** The size of the prompt of a call: that of a reviewer is made of the transcript, that of a summary is a part of it. */
export function sizeFor(state: RunState, purpose: ModelPurpose): PromptSize {
  if (purpose !== 'review') {
    const whole = promptSize(state);
    const added = sizeOf(promptItems(purpose, []));
    // A part of the conversation has no more tokens than all of it.
    return {
      mostTokens: whole.mostTokens + added.sizeBytes + added.frameTokens,
      expectedTokens: whole.expectedTokens + expected(added.sizeBytes),
    };
  }
  const { sizeBytes, frameTokens } = sizeOf(promptItems(purpose, state.transcript));
  return { mostTokens: FRAME_TOKENS + sizeBytes + frameTokens, expectedTokens: expected(sizeBytes) };
}

function expected(sizeBytes: number): number {
  return Math.ceil(sizeBytes / EXPECTED_BYTES_PER_TOKEN);
}

function sizeOf(items: readonly TranscriptItem[]): { sizeBytes: number; frameTokens: number } {
  let sizeBytes = 0;
  let frames = 0;
  for (const item of items) {
    sizeBytes += utf8SizeBytes(item.content);
    frames += 1;
    if (item.role === 'tool') sizeBytes += utf8SizeBytes(item.callId);
    if (item.role !== 'assistant') continue;
    for (const { id, name, args } of item.calls ?? []) {
      sizeBytes += utf8SizeBytes(id) + utf8SizeBytes(name) + utf8SizeBytes(args);
      frames += 1;
    }
    if (item.reasoning) sizeBytes += utf8SizeBytes(JSON.stringify(item.reasoning));
  }
  return { sizeBytes, frameTokens: frames * ITEM_FRAME_TOKENS };
}

/** The size of text in UTF-8. */
export function utf8SizeBytes(text: string): number {
  let sizeBytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // Each half of a surrogate pair counts two, a lone one is sent as U+FFFD, which has three.
    if (unit < 0x80) sizeBytes += 1;
    else if (unit < 0x800) sizeBytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      sizeBytes += 4;
      index += 1;
    } else sizeBytes += 3;
  }
  return sizeBytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
