import type { JsonValue } from '../../../src/core/json.js';
import type { PlannedCall } from '../../../src/core/outcomes.js';
import type { ModelPrice } from '../../../src/core/money/price.js';
import type { TranscriptItem } from '../../../src/core/transcript.js';
import type { Dice } from './dice.js';

/** A model as its provider knows it. */
export interface ServedModel {
  name: string;
  price: ModelPrice;
  /** Tokens that its tokenizer makes of one byte, from 1/8 to 1. */
  density: number;
  /** Tokens around a request, around a message or call. */
  frameTokens: number;
  itemFrameTokens: number;
  maxOutputTokens: number;
  contextLength: number;
}

export interface ServerRequest {
  /** Asked for; the server may answer with any of them. */
  models: readonly [string, ...string[]];
  items: readonly TranscriptItem[];
  /** Of the tools that go with it; 0 without tools. */
  toolsSizeBytes: number;
  maxOutputTokens: number;
  /** What makes two requests the same to the response cache. */
  cacheKey: string;
}

export interface ServerAnswer {
  text: string;
  calls: PlannedCall[];
  reasoning?: JsonValue[];
}

/** One entry of the server's books. */
export interface Generation {
  id: string;
  model: string;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  answer: ServerAnswer;
  finish: string;
  /** The price list when the request came in. */
  price: ModelPrice;
  cacheKey: string;
  /** What is owed for it; written into the books at `billAtMs`. */
  billNanoUsd: number;
  billAtMs: number;
  isBilled: boolean;
  /** It came to its end at the server, whoever was still listening. */
  isComplete: boolean;
  /** The paid generation that this one replays. */
  sourceId: string | null;
  /** Questions that the server answers with 404 before it knows. */
  unknownAsks: number;
}

/** How much of a generation came about and is paid for. */
export interface GenerationEnd {
  completionTokens: number;
  isComplete: boolean;
  /** The provider charges nothing, for what was sent, or for all. */
  billed: 'nothing' | 'sent';
  billAtMs: number;
}

const MILLION = 1_000_000n;
const sizes = new WeakMap<TranscriptItem, { textBytes: number; reasoningBytes: number; frames: number }>();

/** A model server that keeps books. Shares no arithmetic with what it judges. */
export class BillingServer {
  billedNanoUsd = 0;
  readonly generations = new Map<string, Generation>();
  readonly #cache = new Map<string, string>();
  #open: Generation[] = [];

  constructor(readonly models: ReadonlyMap<string, ServedModel>) {}

  /** How many tokens the prompt really has. Of a text that only grows, there are never fewer. */
  promptTokens(name: string, { models: [asked], items, toolsSizeBytes }: ServerRequest): number {
    const model = this.#model(name);
    let tokens = model.frameTokens + tokensOf(toolsSizeBytes, model.density);
    for (const item of items) {
      const { textBytes, reasoningBytes, frames } = sizeOf(item);
      // Reasoning goes only to models of the maker that wrote it; what was sent is decided by the model that is asked.
      const isOwn = item.role === 'assistant' && item.model !== undefined && isSameMaker(item.model, asked);
      tokens +=
        tokensOf(textBytes + (isOwn ? reasoningBytes : 0), model.density) + frames * model.itemFrameTokens;
    }
    return tokens;
  }

  /** What the cache has for a request: a generation of its own, for nothing. */
  replay({ cacheKey }: ServerRequest, dice: Dice): Generation | null {
    const source = this.generations.get(this.#cache.get(cacheKey) ?? '');
    if (!source) return null;
    if (dice.chance(8)) {
      this.#cache.delete(cacheKey);
      return null;
    }
    const none = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, billNanoUsd: 0 };
    return this.#enter({ ...source, ...none, isBilled: true, isComplete: true, sourceId: source.id }, dice);
  }

  /** Begins to answer. */
  begin(request: ServerRequest, made: { model: string; answer: ServerAnswer; dice: Dice }): Generation {
    const { model, answer, dice } = made;
    const { price } = this.#model(model);
    const promptTokens = this.promptTokens(model, request);
    const cachedTokens = dice.chance(40) ? dice.roll(promptTokens + 1) : 0;
    const { maxOutputTokens, cacheKey } = request;
    const isLong = dice.chance(35);
    const completionTokens = isLong ? maxOutputTokens : 1 + dice.roll(maxOutputTokens);
    return this.#enter(
      {
        id: '',
        model,
        promptTokens,
        cachedTokens,
        completionTokens,
        answer,
        finish: answer.calls.length > 0 ? 'tool_calls' : isLong ? 'length' : 'stop',
        price,
        cacheKey,
        billNanoUsd: 0,
        billAtMs: 0,
        isBilled: false,
        isComplete: false,
        sourceId: null,
        unknownAsks: 0,
      },
      dice,
    );
  }

  /** Settles what becomes of a generation; what is owed is in the books at once, or when the time has come. */
  end(generation: Generation, end: GenerationEnd, nowMs: number): void {
    if (generation.sourceId !== null) return;
    generation.completionTokens = end.completionTokens;
    generation.isComplete = end.isComplete;
    generation.billAtMs = end.billAtMs;
    generation.billNanoUsd = end.billed === 'nothing' ? 0 : trueBillNanoUsd(generation);
    this.#open.push(generation);
    this.passTime(nowMs);
  }

  /** Writes down what is due. */
  passTime(nowMs: number): void {
    if (this.#open.length === 0) return;
    const due = this.#open.filter(({ billAtMs }) => billAtMs <= nowMs);
    this.#open = this.#open.filter(({ billAtMs }) => billAtMs > nowMs);
    for (const generation of due) {
      generation.isBilled = true;
      this.billedNanoUsd += generation.billNanoUsd;
      if (generation.isComplete) this.#cache.set(generation.cacheKey, generation.id);
    }
  }

  /** `GET /generation`. */
  ask(id: string): { costNanoUsd: number; promptTokens: number; completionTokens: number } | null {
    const generation = this.generations.get(id);
    if (!generation?.isBilled) return null;
    if (generation.unknownAsks > 0) {
      generation.unknownAsks -= 1;
      return null;
    }
    const { billNanoUsd: costNanoUsd, promptTokens, completionTokens } = generation;
    return { costNanoUsd, promptTokens, completionTokens };
  }

  #model(name: string): ServedModel {
    const model = this.models.get(name);
    if (!model) throw new Error(`There is no model ${name}.`);
    return model;
  }

  #enter(generation: Generation, dice: Dice): Generation {
    const id = `gen-${this.generations.size}`;
    const unknownAsks = dice.chance(60) ? 0 : dice.chance(85) ? dice.roll(6) : Infinity;
    const entered = { ...generation, id, unknownAsks };
    this.generations.set(id, entered);
    return entered;
  }
}

/** Tokens times price, exact, and rounded up at the very end. What is not cached may have been written to the cache. */
function trueBillNanoUsd({ price, promptTokens, cachedTokens, completionTokens }: Generation): number {
  let range: ModelPrice | NonNullable<ModelPrice['tiers']>[number] = price;
  for (const tier of price.tiers ?? []) if (promptTokens >= tier.minPromptTokens) range = tier;
  const fresh = BigInt(range.cacheWriteNanoUsdPerMillion ?? range.promptNanoUsdPerMillion);
  const cached = BigInt(range.cacheReadNanoUsdPerMillion ?? range.promptNanoUsdPerMillion);
  const sum =
    BigInt(promptTokens - cachedTokens) * fresh +
    BigInt(cachedTokens) * cached +
    BigInt(completionTokens) * BigInt(range.completionNanoUsdPerMillion);
  return price.requestNanoUsd + Number((sum + MILLION - 1n) / MILLION);
}

function tokensOf(sizeBytes: number, density: number): number {
  return Math.min(sizeBytes, Math.ceil(sizeBytes * density));
}

function isSameMaker(one: string, other: string): boolean {
  return one.split('/')[0] === other.split('/')[0];
}

function sizeOf(item: TranscriptItem): { textBytes: number; reasoningBytes: number; frames: number } {
  const known = sizes.get(item);
  if (known) return known;
  const calls = item.role === 'assistant' ? (item.calls ?? []) : [];
  const texts = [
    item.content,
    ...(item.role === 'tool' ? [item.callId] : []),
    ...calls.flatMap(({ id, name, args }) => [id, name, args]),
  ];
  const reasoning = item.role === 'assistant' && item.reasoning ? JSON.stringify(item.reasoning) : '';
  const size = {
    textBytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    reasoningBytes: Buffer.byteLength(reasoning),
    frames: 1 + calls.length,
  };
  sizes.set(item, size);
  return size;
}
