import type { JsonObject } from '../../../src/core/json.js';
import type { ModelResult, Outcome, PlannedCall } from '../../../src/core/outcomes.js';
import { dearest, isDearer, listNanoUsd, type ModelPrice } from '../../../src/core/money/price.js';
import { someText, type Attempt, type Notes } from './billing-notes.js';
import type { BillingServer, Generation, GenerationEnd, ServerRequest } from './billing-server.js';
import type { Setup } from './billing-setup.js';
import type { Dice } from './dice.js';
import type { Shell, StartedWork } from './shell.js';

export type ModelWork = Extract<StartedWork, { kind: 'model' }>;
export type Bad = Exclude<Outcome<never>, { kind: 'ok' }>;

const MINUTE_MS = 60_000;
const HTTP_CODES = [
  'MODEL_RATE_LIMITED',
  'MODEL_UNAVAILABLE',
  'MODEL_UNAVAILABLE',
  'MODEL_BAD_REQUEST',
] as const;

/** What simulated model calls work with. */
export interface CallParts {
  shell: Shell;
  server: BillingServer;
  setup: Setup;
  notes: Notes;
  /** Is called when the server has written something into its books while the attempt is still under way. */
  onBill(): void;
}

/** The worker's part of each model call, with all that can go wrong in it. */
export class BilledCalls {
  /** From now on nothing goes wrong any more. */
  isCalm = false;
  readonly #parts: CallParts;
  #calls = 0;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** What an attempt comes to: each of the points at which a worker, a connection or a server can fail. */
  settle(work: ModelWork, attempt: Attempt, dice: Dice): void {
    const isFaulty = !this.isCalm && dice.chance(this.#parts.setup.faultPercent);
    const isCalledOff = this.#parts.shell.cancelled.has(work.key) && dice.chance(70);
    const stage = isCalledOff || isFaulty ? dice.roll(100) : 100;
    if (stage < 8) return this.#end(attempt, work, this.#unsent(dice, isCalledOff));
    const changed = this.#changedPrices(work);
    if (changed) {
      this.#parts.notes.note('price changed');
      const details: JsonObject = { prices: changed as unknown as JsonObject, unsent: true };
      return this.#end(attempt, work, failure('PRICE_CHANGED', true, details));
    }
    if (stage < 14) {
      this.#parts.notes.note('killed before the request');
      return this.#end(attempt, work, this.#lost(dice, { isCalledOff }));
    }
    const request = this.#requestOf(work);
    const refusal = this.#refusal(request, {
      stage,
      dice,
      isBound: work.input.reservedNanoUsd !== undefined,
    });
    if (refusal) return this.#end(attempt, work, refusal);
    this.#serve({ work, attempt, request, stage, isCalledOff, dice });
  }

  #unsent(dice: Dice, isCalledOff: boolean): Bad {
    this.#parts.notes.note('never sent');
    if (isCalledOff) return { kind: 'cancelled', ...(dice.chance(50) && { details: { unsent: true } }) };
    if (dice.chance(50)) return { kind: 'timed_out', ...(dice.chance(50) && { details: { attempt: 1 } }) };
    return failure('MODEL_UNREACHABLE', true, { unsent: true });
  }

  /** An attempt whose answer does not arrive, with what it left behind. */
  #lost(dice: Dice, { isCalledOff, id }: { isCalledOff: boolean; id?: string }): Bad {
    const details = { sent: true, ...(id !== undefined && { generationId: id }) };
    if (isCalledOff) return { kind: 'cancelled', details };
    if (dice.chance(60)) return { kind: 'timed_out', details };
    const code = dice.pick(['MODEL_UNREACHABLE', 'MODEL_STALLED', 'MODEL_STREAM_TRUNCATED'] as const);
    return failure(code, true, { ...details, ...(dice.chance(30) && { workerGone: true }) });
  }

  /** What the activity does before it spends: today's prices against those that the run knows. */
  #changedPrices({ input }: ModelWork): Record<string, ModelPrice> | null {
    const { prepared } = this.#parts.shell.state;
    const asked = this.#askedFor(input.model);
    const changed = asked.filter((name) => {
      const known = prepared?.modelFacts?.[name]?.price;
      return !known || isDearer(this.#priceOf(name), known);
    });
    if (changed.length === 0) return null;
    const isBound = input.reservedNanoUsd !== undefined;
    if (isBound && !this.#parts.setup.isListAway)
      return Object.fromEntries(changed.map((name) => [name, this.#priceOf(name)]));
    const hasLock = asked.every((name) => prepared?.modelFacts?.[name]?.price);
    if (!isBound || !hasLock) this.#parts.notes.pricesKnown = false;
    return null;
  }

  #priceOf(name: string): ModelPrice {
    const model = this.#parts.setup.models.get(name);
    if (!model) throw new Error(`There is no model ${name}.`);
    return model.price;
  }

  #askedFor(model: string): readonly [string, ...string[]] {
    const { prepared } = this.#parts.setup;
    return model === prepared.model ? [model, ...prepared.models] : [model];
  }

  #requestOf({ input }: ModelWork): ServerRequest {
    const { state } = this.#parts.shell;
    const { step, purpose, hash, model, maxOutputTokens = 0, noTools = false } = input;
    return {
      models: this.#askedFor(model),
      items: state.transcript.slice(0, input.version),
      toolsSizeBytes: noTools ? 0 : (this.#parts.setup.prepared.toolsSizeBytes ?? 0),
      maxOutputTokens,
      cacheKey: [step, purpose, hash, model, maxOutputTokens, noTools].join('/'),
    };
  }

  /** What the server refuses before it begins, for nothing. */
  #refusal(
    { models, maxOutputTokens }: ServerRequest,
    { stage, dice, isBound }: { stage: number; dice: Dice; isBound: boolean },
  ): Bad | null {
    const free = { sent: true, unbilled: true };
    const { modelFacts = {} } = this.#parts.shell.state.prepared ?? {};
    // The lock that goes with the request, when the list is away.
    const [first, ...others] = models.flatMap((name) => modelFacts[name]?.price ?? []);
    const isLocked = isBound && first && others.length === models.length - 1;
    if (isLocked && models.some((name) => isDearer(this.#priceOf(name), dearest([first, ...others])))) {
      this.#parts.notes.note('refused by its price lock');
      return failure('MODEL_UNAVAILABLE', true, free);
    }
    if (stage < 24) {
      this.#parts.notes.note('refused');
      const isPolite = dice.chance(30);
      const code = dice.pick(HTTP_CODES);
      return failure(code, code !== 'MODEL_BAD_REQUEST', {
        ...free,
        ...(isPolite && { delayMs: dice.roll(400_000) }),
      });
    }
    if (stage < 30) {
      this.#parts.notes.note('not paid for');
      const tokens = dice.roll(Math.max(2, maxOutputTokens * 2));
      return failure('MODEL_PAYMENT', false, {
        ...free,
        ...(dice.chance(70) && { affordableTokens: tokens }),
      });
    }
    return null;
  }

  #serve(call: {
    work: ModelWork;
    attempt: Attempt;
    request: ServerRequest;
    stage: number;
    isCalledOff: boolean;
    dice: Dice;
  }): void {
    const { work, attempt, request, stage, isCalledOff, dice } = call;
    const replayed = this.#parts.server.replay(request, dice);
    const generation = replayed ?? this.#begin(request, work, dice);
    if (!generation)
      return this.#end(attempt, work, failure('MODEL_CONTEXT_LENGTH', false, { sent: true, unbilled: true }));
    attempt.generation = generation;
    const { id } = generation;
    const whole = { completionTokens: generation.completionTokens, billed: 'sent' as const };
    if (stage >= 85) {
      this.#close(generation, { ...whole, isComplete: true, billAtMs: this.#parts.shell.nowMs });
      return this.#answer(attempt, work, { generation, dice });
    }
    this.#close(generation, this.#cutShort(generation, stage, dice));
    if (stage < 42) this.#parts.notes.note('lost before its name was known');
    else if (stage < 50) this.#parts.notes.note('failed in the middle');
    else this.#parts.notes.note('lost after its name was known');
    if (!replayed && generation.isComplete) this.#parts.notes.note('killed after the last token');
    if (stage < 42) return this.#end(attempt, work, this.#lost(dice, { isCalledOff }));
    if (stage < 50) {
      const details = { sent: true, generationId: id, status: 502 };
      return this.#end(attempt, work, failure('MODEL_UNAVAILABLE', true, details));
    }
    return this.#end(attempt, work, this.#lost(dice, { isCalledOff, id }));
  }

  #begin(request: ServerRequest, { input }: ModelWork, dice: Dice): Generation | null {
    const able = request.models.filter((name) => {
      const model = this.#parts.setup.models.get(name);
      if (!model || request.maxOutputTokens > model.maxOutputTokens) return false;
      return this.#parts.server.promptTokens(name, request) + request.maxOutputTokens <= model.contextLength;
    });
    const model = dice.chance(60) ? able[0] : dice.pick(able);
    if (model === undefined) return null;
    if (model !== request.models[0]) this.#parts.notes.note('answered by a fallback');
    const isLast = this.#parts.shell.state.step >= this.#parts.setup.wantedSteps || this.isCalm;
    const calls = input.purpose === 'landing' || isLast ? [] : this.#someCalls(dice);
    const text = dice.chance(75) ? someText(dice, Math.min(request.maxOutputTokens * 4, 1_500)) : '';
    const reasoning = dice.chance(15) && [{ type: 'reasoning.encrypted', data: 'x'.repeat(dice.roll(400)) }];
    return this.#parts.server.begin(request, {
      model,
      answer: { text, calls, ...(reasoning && { reasoning }) },
      dice,
    });
  }

  #someCalls(dice: Dice): PlannedCall[] {
    return Array.from({ length: 1 + dice.roll(dice.chance(10) ? 9 : 3) }, () => {
      const kind = dice.roll(20);
      const args = JSON.stringify({ note: someText(dice, 120) });
      return {
        id: `call_${this.#calls++}${'x'.repeat(dice.roll(50))}`,
        name: dice.pick(['look', 'send'] as const),
        args,
        ...(dice.chance(60) && { effect: 'read' as const }),
        ...(kind === 0 && { gate: { argsHash: 'sha256:1', summary: 'May I?' } }),
        ...(kind === 1 && { control: { kind: 'ask' as const, question: 'What now?' } }),
        ...(kind === 2 && { control: { kind: 'wait' as const, durationMs: dice.roll(MINUTE_MS) } }),
      };
    });
  }

  /** How a generation ends to which nobody listens any more. */
  #cutShort({ completionTokens }: Generation, stage: number, dice: Dice): GenerationEnd {
    const { nowMs } = this.#parts.shell;
    // A failure in mid-stream is for free; whatever else is cut off may be paid for in part or in full, now or later.
    const kind = stage >= 42 && stage < 50 ? 0 : dice.pick([0, 1, 2, 2] as const);
    const isLate = dice.chance(40);
    if (isLate && kind > 0) this.#parts.notes.note('billed by a zombie');
    return {
      completionTokens: kind === 1 ? dice.roll(completionTokens + 1) : completionTokens,
      isComplete: kind === 2,
      billed: kind === 0 ? 'nothing' : 'sent',
      billAtMs: isLate ? nowMs + dice.roll(dice.chance(70) ? 20_000 : 30 * MINUTE_MS) : nowMs,
    };
  }

  #close(generation: Generation, end: GenerationEnd): void {
    this.#parts.server.end(generation, end, this.#parts.shell.nowMs);
    this.#parts.onBill();
  }

  #answer(
    attempt: Attempt,
    work: ModelWork,
    { generation, dice }: { generation: Generation; dice: Dice },
  ): void {
    const { shell } = this.#parts;
    const { id, model, sourceId, finish } = generation;
    const { promptTokens, completionTokens, cachedTokens } = generation;
    const { text, calls, reasoning } = generation.answer;
    const cost = sourceId !== null ? { costNanoUsd: 0 } : this.#costTold(generation, dice);
    const hasId = sourceId !== null || dice.chance(85);
    const isCounted = cost.costNanoUsd !== undefined || dice.chance(50);
    const counts = isCounted
      ? { promptTokens, completionTokens, cachedTokens }
      : { promptTokens: 0, completionTokens: 0 };
    const source = sourceId !== null && !dice.chance(12) ? sourceId : null;
    if (sourceId !== null) this.#noteHit(source);
    const isExact = cost.costNanoUsd !== undefined && !cost.estimated;
    attempt.told = isExact ? 'exact' : 'estimate';
    if (!isExact) attempt.chargedNanoUsd = cost.costNanoUsd ?? attempt.reservedNanoUsd;
    // Without its name nobody can ask what it cost.
    if (!isExact && !hasId) this.#parts.notes.note('answered without a cost or a name');
    if (!isExact && !hasId) attempt.generation = { ...generation, id: 'unnamed' };
    this.#parts.notes.answers += 1;
    this.#parts.notes.countTokens(counts);
    const value: ModelResult = {
      ...(text !== '' && { text }),
      ...(calls.length > 0 && work.input.purpose === 'step' && { calls }),
      ...(reasoning && { reasoning }),
      model,
      finish,
      ...counts,
      ...cost,
      ...(hasId && { generationId: id }),
      ...(sourceId !== null && { cached: true as const }),
      ...(source !== null && { cacheSourceId: source }),
    };
    shell.deliver(shell.settlementOf(work.key, 'model', { kind: 'ok', value }));
    if (source !== null) this.#expectKnown(source);
  }

  /** What the answer says of its cost: mostly the truth; or nothing, from which the worker makes an estimate, or does not. */
  #costTold(
    { billNanoUsd, model, ...counts }: Generation,
    dice: Dice,
  ): Pick<ModelResult, 'costNanoUsd' | 'estimated'> {
    if (this.isCalm || !dice.chance(Math.min(this.#parts.setup.faultPercent, 30)))
      return { costNanoUsd: billNanoUsd };
    if (dice.chance(50)) {
      this.#parts.notes.note('cost missing');
      return {};
    }
    this.#parts.notes.note('cost estimated');
    return { costNanoUsd: listNanoUsd(this.#priceOf(model), counts), estimated: true };
  }

  #noteHit(source: string | null): void {
    this.#parts.notes.note(source === null ? 'cache hit without a source' : 'cache hit');
    const { charges, bookedGenerations } = this.#parts.shell.state.ledger;
    if (source === null || bookedGenerations.includes(source)) return;
    if (charges.some(({ generationId }) => generationId === source)) return;
    this.#parts.notes.note('named by a cache hit');
    const nameless = charges.filter(({ lost, generationId }) => lost && generationId === undefined);
    if (new Set(nameless.map(({ nanoUsd }) => nanoUsd)).size > 1) this.#parts.notes.ambiguous = true;
  }

  #expectKnown(id: string): void {
    const { charges, bookedGenerations } = this.#parts.shell.state.ledger;
    const isKnown = bookedGenerations.includes(id) || charges.some(({ generationId }) => generationId === id);
    if (!isKnown) this.#parts.notes.forgotten ??= id;
  }

  #end(attempt: Attempt, work: ModelWork, outcome: Bad): void {
    const { shell } = this.#parts;
    const details = outcome.kind === 'failed' ? outcome.details : (outcome.details ?? {});
    const isFree = details['sent'] !== true || details['unbilled'] === true;
    attempt.told = isFree ? 'free' : 'lost';
    attempt.chargedNanoUsd = isFree ? 0 : attempt.reservedNanoUsd;
    if (!isFree) this.#parts.notes.lostCalls += 1;
    shell.deliver(shell.settlementOf(work.key, 'model', outcome));
    const { generationId } = details;
    if (!isFree && typeof generationId === 'string') this.#expectKnown(generationId);
  }

  /** The server ended the run while this was under way; nobody listens, and all of it is paid for. */
  abandon(work: ModelWork, attempt: Attempt, dice: Dice): void {
    attempt.told = 'lost';
    attempt.chargedNanoUsd = attempt.reservedNanoUsd;
    this.#parts.notes.lostCalls += 1;
    if (this.#changedPrices(work)) return;
    const request = this.#requestOf(work);
    const isBound = work.input.reservedNanoUsd !== undefined;
    if (this.#refusal(request, { stage: 100, dice, isBound })) return;
    const generation = this.#begin(request, work, dice);
    if (!generation) return;
    const { completionTokens } = generation;
    const { nowMs } = this.#parts.shell;
    this.#parts.server.end(
      generation,
      { completionTokens, isComplete: true, billed: 'sent', billAtMs: nowMs },
      nowMs,
    );
    attempt.generation = generation;
    this.#parts.notes.note('abandoned by the server');
  }
}

function failure(code: string, retryable: boolean, details: JsonObject): Bad {
  return { kind: 'failed', code, message: `It failed with ${code}.`, retryable, details };
}
