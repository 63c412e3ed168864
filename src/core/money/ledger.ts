import { addTo, type Account } from './accounts.js';

/** What money is spent on. */
export type Purpose = 'step' | 'review' | 'landing' | 'compaction' | 'speech' | 'transcription' | 'child';

/** What one model call cost, as history records it: the server's word, an estimate, or nothing known. */
export interface CallCost {
  nanoUsd: number | null;
  estimated: boolean;
}

/** Money charged while its true amount is not known. */
export interface Charge {
  /** The key of the work that it is for; unique within a run. */
  id: string;
  purpose: Purpose;
  model: string;
  /** `null`: neither price nor cost is known. */
  nanoUsd: number | null;
  /** `reserved`: held for work under way. `estimated`: the work has ended, its cost is not known yet. */
  status: 'reserved' | 'estimated';
  /** It brought no answer. */
  lost?: true;
  /** Its answer came without a count of tokens. */
  uncounted?: true;
  /** The run was continued with it, see `inheritedNanoUsd`. */
  inherited?: true;
  /** By which the server is asked what it cost. An estimated charge without one waits for a cached answer that names it. */
  generationId?: string;
  /** How often the server was asked. */
  asked: number;
  /** How often in a row it has said that it has no such question. */
  refused?: number;
  /** When the server is asked next; `null`: not at all. */
  dueAtMs: number | null;
}

/** The run's money and tokens. Integer nano-dollars; what is not known is charged at its worst or counted in `unknownCostCalls`, never as zero. */
export interface Ledger {
  confirmedNanoUsd: number;
  /** Charged, and never to be confirmed. What may still be confirmed stands in `charges`. */
  estimatedNanoUsd: number;
  /** Contained in the two above: what was paid for calls that brought no answer. */
  lostNanoUsd: number;
  /** Contained in the first two: what the run was charged before it was continued from another one. */
  inheritedNanoUsd: number;
  charges: readonly Charge[];
  /** The last generations of lost calls that are booked for good, so that a cached answer that names one is not charged for it again. */
  bookedGenerations: readonly string[];
  unknownCostCalls: number;
  promptTokens: number;
  completionTokens: number;
  /** Contained in the prompt tokens: those that a provider's prompt cache held. */
  cachedTokens: number;
  modelCalls: number;
  /** Calls that were under way when they were lost or cancelled, so their answer never arrived. */
  lostModelCalls: number;
  byPurpose: Readonly<Partial<Record<Purpose, Account>>>;
  byModel: Readonly<Record<string, Account>>;
}

/** A ledger before the first call. */
export const EMPTY_LEDGER: Ledger = {
  confirmedNanoUsd: 0,
  estimatedNanoUsd: 0,
  lostNanoUsd: 0,
  inheritedNanoUsd: 0,
  charges: [],
  bookedGenerations: [],
  unknownCostCalls: 0,
  promptTokens: 0,
  completionTokens: 0,
  cachedTokens: 0,
  modelCalls: 0,
  lostModelCalls: 0,
  byPurpose: {},
  byModel: {},
};

/** Accounts of single models; those beyond are summed up, so that a ledger stays small. */
const MAX_MODEL_ACCOUNTS = 20;
const OTHER_MODELS = 'other';

/** More than the attempts at one step, after which no cached answer names a generation any more. */
const KEPT_GENERATIONS = 50;

/** Holds money for work that is about to start. */
export function reserve(ledger: Ledger, work: Pick<Charge, 'id' | 'purpose' | 'model' | 'nanoUsd'>): Ledger {
  const charge: Charge = { ...work, status: 'reserved', asked: 0, dueAtMs: null };
  return { ...ledger, charges: [...ledger.charges, charge] };
}

/** A call that ended with an answer. */
export interface SettledCall {
  id: string;
  /** When nothing was reserved for it. */
  purpose: Purpose;
  /** The model that answered. */
  model: string;
  cost: CallCost;
  promptTokens: number;
  completionTokens: number;
  cachedTokens?: number;
  /** Only when the server is to be asked for a cost that is not known. */
  generationId?: string;
  /** When to ask it. */
  askAtMs: number;
}

/** Books a call that ended with an answer. What it really cost replaces what was held for it. */
export function settle(ledger: Ledger, call: SettledCall): Ledger {
  const held = ledger.charges.find(({ id }) => id === call.id);
  const { model, cost, generationId, askAtMs } = call;
  const entry = { purpose: held?.purpose ?? call.purpose, model };
  const counted = countCall(
    {
      ...withoutCharge(ledger, call.id),
      promptTokens: ledger.promptTokens + call.promptTokens,
      completionTokens: ledger.completionTokens + call.completionTokens,
      cachedTokens: ledger.cachedTokens + (call.cachedTokens ?? 0),
      modelCalls: ledger.modelCalls + 1,
    },
    entry,
  );
  if (cost.nanoUsd !== null && !cost.estimated) return confirm(counted, { ...entry, nanoUsd: cost.nanoUsd });
  const nanoUsd = cost.nanoUsd ?? held?.nanoUsd ?? null;
  const charge: Charge = { id: call.id, ...entry, nanoUsd, status: 'estimated', asked: 0, dueAtMs: null };
  if (generationId === undefined) return writeOff(counted, charge);
  const uncounted = call.promptTokens === 0 && { uncounted: true as const };
  return withCharge(counted, { ...charge, ...uncounted, generationId, dueAtMs: askAtMs });
}

/** How a call went that ended without an answer. */
export interface LostCall {
  id: string;
  /** Whether it can have cost anything. */
  mayHaveCost: boolean;
  generationId?: string;
  askAtMs: number;
}

/** Books a call that ended without an answer. Unless it certainly cost nothing, what was held for it stays charged. */
export function lose(ledger: Ledger, { id, mayHaveCost, generationId, askAtMs }: LostCall): Ledger {
  const held = ledger.charges.find((charge) => charge.id === id);
  const without = withoutCharge(ledger, id);
  if (!mayHaveCost) return without;
  const counted = { ...without, lostModelCalls: ledger.lostModelCalls + 1 };
  if (!held) return counted;
  return withCharge(counted, {
    ...held,
    status: 'estimated',
    lost: true,
    ...(generationId !== undefined && { generationId, dueAtMs: askAtMs }),
  });
}

/**
 * Books that a cached answer came from `sourceId`: the generation of a call that was lost. When that call's generation was not known,
 * it is known now. When no such call is on record, one is put there, so that the generation is paid for exactly once.
 */
export function traceSource(
  ledger: Ledger,
  source: { sourceId: string; charge: Pick<Charge, 'id' | 'purpose' | 'model' | 'nanoUsd'>; askAtMs: number },
): Ledger {
  const { sourceId, askAtMs } = source;
  const isKnown = ledger.charges.some(({ generationId }) => generationId === sourceId);
  if (isKnown || ledger.bookedGenerations.includes(sourceId)) return ledger;
  // Which of several it was is not known. The smallest: what stays charged for the others is no less than what they can have cost.
  const [nameless] = ledger.charges
    .filter(({ lost, generationId, purpose }) => lost && generationId === undefined && purpose !== 'child')
    .sort((a, b) => (a.nanoUsd ?? 0) - (b.nanoUsd ?? 0));
  const known = { generationId: sourceId, dueAtMs: askAtMs };
  if (nameless) return withCharge(withoutCharge(ledger, nameless.id), { ...nameless, ...known });
  return withCharge(ledger, { ...source.charge, status: 'estimated', lost: true, asked: 0, ...known });
}

/** Books what the server says a call has cost, and its tokens where no answer told of them. */
export function reconcile(
  ledger: Ledger,
  id: string,
  generation: { costNanoUsd: number; promptTokens: number; completionTokens: number },
): Ledger {
  const charge = ledger.charges.find((one) => one.id === id);
  if (!charge) return ledger;
  const { costNanoUsd: nanoUsd, promptTokens, completionTokens } = generation;
  const correctionNanoUsd = charge.inherited ? nanoUsd - (charge.nanoUsd ?? 0) : 0;
  const booked = {
    ...confirm(noteBooked(withoutCharge(ledger, id), charge), { ...charge, nanoUsd }),
    inheritedNanoUsd: ledger.inheritedNanoUsd + correctionNanoUsd,
  };
  if (!charge.lost && !charge.uncounted) return booked;
  return {
    ...booked,
    promptTokens: ledger.promptTokens + promptTokens,
    completionTokens: ledger.completionTokens + completionTokens,
  };
}

/**
 * Books that the server could not say what a call has cost. With `dueAtMs` `null` it is not asked again, and the estimate stays.
 * @param change.refused how often in a row it has said by now that it has no such question; left out: as before
 */
export function postpone(
  ledger: Ledger,
  id: string,
  change: Pick<Charge, 'dueAtMs'> & { refused?: number },
): Ledger {
  const charge = ledger.charges.find((one) => one.id === id);
  if (!charge) return ledger;
  const without = withoutCharge(ledger, id);
  return change.dueAtMs === null
    ? writeOff(noteBooked(without, charge), charge)
    : withCharge(without, { ...charge, ...change, asked: charge.asked + 1 });
}

/** Gives up on lost calls whose generation nobody knows: no cached answer will name it any more. Their estimate stays. */
export function writeOffNameless(ledger: Ledger): Ledger {
  const nameless = ledger.charges.filter(
    (charge) => charge.status === 'estimated' && charge.generationId === undefined,
  );
  return nameless.reduce((sum, charge) => writeOff(withoutCharge(sum, charge.id), charge), ledger);
}

/** Calls of which the server is still to be asked what they cost. */
export function openQuestions(ledger: Ledger): Charge[] {
  return ledger.charges.filter(({ dueAtMs }) => dueAtMs !== null);
}

/** Everything charged so far, confirmed or not, and what is held for work under way. */
export function chargedNanoUsd(ledger: Ledger): number {
  return ledger.confirmedNanoUsd + ledger.estimatedNanoUsd + sumOf(ledger.charges);
}

/** Everything charged so far, confirmed or not, without what is held for work under way. */
export function spentNanoUsd(ledger: Ledger): number {
  return chargedNanoUsd(ledger) - sumOf(ledger.charges.filter(({ status }) => status === 'reserved'));
}

/** The sum of charges; of some nothing is known. */
export function sumOf(charges: readonly Charge[]): number {
  return charges.reduce((sum, { nanoUsd }) => sum + (nanoUsd ?? 0), 0);
}

/** Dollars as whole nano-dollars, rounded up so that a ceiling is never raised by rounding a cost. */
export function toNanoUsd(usd: number): number {
  return Math.ceil(Number((usd * 1e9).toPrecision(15)));
}

function withCharge(ledger: Ledger, charge: Charge): Ledger {
  return { ...ledger, charges: [...ledger.charges, charge] };
}

/** Without a charge: what it was held for is booked in another way. */
export function withoutCharge(ledger: Ledger, id: string): Ledger {
  return { ...ledger, charges: ledger.charges.filter((charge) => charge.id !== id) };
}

function noteBooked(ledger: Ledger, { lost, generationId }: Charge): Ledger {
  if (!lost || generationId === undefined) return ledger;
  return {
    ...ledger,
    bookedGenerations: [...ledger.bookedGenerations, generationId].slice(-KEPT_GENERATIONS),
  };
}

type Entry = Pick<Charge, 'purpose' | 'model'>;

function confirm(ledger: Ledger, entry: Entry & { nanoUsd: number; lost?: true }): Ledger {
  const { nanoUsd, lost } = entry;
  return book(
    {
      ...ledger,
      confirmedNanoUsd: ledger.confirmedNanoUsd + nanoUsd,
      lostNanoUsd: ledger.lostNanoUsd + (lost ? nanoUsd : 0),
    },
    entry,
    { confirmedNanoUsd: nanoUsd },
  );
}

/** Lets an estimate stand for good. */
function writeOff(ledger: Ledger, charge: Charge): Ledger {
  const { nanoUsd, lost } = charge;
  if (nanoUsd === null) return { ...ledger, unknownCostCalls: ledger.unknownCostCalls + 1 };
  return book(
    {
      ...ledger,
      estimatedNanoUsd: ledger.estimatedNanoUsd + nanoUsd,
      lostNanoUsd: ledger.lostNanoUsd + (lost ? nanoUsd : 0),
    },
    charge,
    { estimatedNanoUsd: nanoUsd },
  );
}

function countCall(ledger: Ledger, entry: Entry): Ledger {
  return book(ledger, entry, { calls: 1 });
}

/** Adds to the accounts of a purpose and a model. */
export function book(ledger: Ledger, { purpose, model }: Entry, amounts: Partial<Account>): Ledger {
  const isFull = Object.keys(ledger.byModel).length >= MAX_MODEL_ACCOUNTS;
  const name = isFull && !ledger.byModel[model] ? OTHER_MODELS : model;
  return {
    ...ledger,
    byPurpose: { ...ledger.byPurpose, [purpose]: addTo(ledger.byPurpose[purpose], amounts) },
    byModel: { ...ledger.byModel, [name]: addTo(ledger.byModel[name], amounts) },
  };
}
