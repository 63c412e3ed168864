import { LOOP } from '../behaviour.js';
import { beginLanding } from '../closing.js';
import { append, emit, parseJson, patch, type Draft } from '../draft.js';
import { FRESH_GUARDS } from '../fresh-state.js';
import { canonicalJson, type JsonValue } from '../json.js';
import { isSelfKeeping } from '../metered.js';
import { modelsOf } from '../model/models.js';
import type { LoopState, LoopStep } from '../guard-state.js';
import type { CallState } from '../state.js';
import { rollHash } from '../transcript.js';

type Rung = keyof typeof LOOP.rungs;

const RUNGS: readonly Rung[] = ['observe', 'tell', 'switch', 'ask', 'land'];

/** What did not come to anything: its call brought nothing new, whatever its arguments were. */
const BARREN = ['failed', 'timed_out', 'invalid_arguments', 'unknown_tool'];

/** Tells calls apart: the tool, and its arguments whatever the order of their keys. */
export function fingerprint(name: string, args: JsonValue): string {
  return rollHash('', `${name}\n${canonicalJson(args)}`);
}

/** Holds the calls of a step that has ended against those before it. Returns the next rung of the ladder when it is reached. */
export function watchLoop(draft: Draft): Rung | null {
  const { loop, calls } = draft.state;
  if (!isSelfKeeping(draft.state)) return null;
  // Whoever has let a repeated call run, or sent the model another way, has taken the matter into their hands. Nobody did where time ran out.
  if (calls.some((call) => call.plan.gate?.reason === 'loop' && isDecided(draft, call))) {
    patch(draft, { loop: FRESH_GUARDS.loop });
    return null;
  }
  const counted = countedOf(draft, calls).slice(0, LOOP.callsPerStep);
  if (counted.length === 0) return null;
  const step = toStep(counted);
  const points = pointsFor(loop, step, counted);
  const next: LoopState = {
    points: points === null ? 0 : loop.points + points,
    seen: [...loop.seen, step].slice(-LOOP.window),
    repeats: points === null ? 0 : loop.repeats + 1,
    asks: [],
  };
  const circle = next.seen.slice(-1 - next.repeats).flatMap((one) => one.calls);
  const rung = RUNGS.filter((one) => next.points >= LOOP.rungs[one]).at(-1) ?? null;
  const isNew = rung !== null && loop.points < LOOP.rungs[rung];
  patch(draft, { loop: { ...next, asks: rung === 'ask' ? [...new Set(circle)] : [] } });
  return isNew ? rung : null;
}

/** To wait, or to look again, is to be repeated. What a human has refused did not come from the model alone. */
function countedOf(draft: Draft, calls: readonly CallState[]): CallState[] {
  return calls.filter(
    (call) =>
      !call.plan.polling &&
      call.plan.control?.kind !== 'wait' &&
      !(call.ended === 'rejected' && isDecided(draft, call)),
  );
}

function isDecided({ state }: Draft, { id }: CallState): boolean {
  return state.decidedCallIds.includes(id);
}

function toStep(calls: readonly CallState[]): LoopStep {
  const prints = calls.map(({ plan }) => fingerprint(plan.name, parseJson(plan.args)));
  return {
    calls: prints,
    results: calls.map(({ result = '' }, index) => rollHash(prints[index] ?? '', result)),
  };
}

/**
 * `null` for a step in which anything was new. To look once more at what a shortened conversation has lost is nothing new,
 * and no fault either, unless nothing else is done any more.
 */
function pointsFor({ seen, repeats }: LoopState, step: LoopStep, calls: readonly CallState[]): number | null {
  const known = seen.filter(({ forgotten }) => !forgotten);
  if (isSeen(known, step, 'calls'))
    return isSeen(known, step, 'results') ? LOOP.points.identical : LOOP.points.varying;
  if (calls.every(({ ended }) => BARREN.includes(ended ?? ''))) return LOOP.points.barren;
  if (!isSeen(seen, step, 'calls')) return null;
  return repeats < LOOP.window ? 0 : LOOP.points.varying;
}

function isSeen(seen: readonly LoopStep[], step: LoopStep, of: 'calls' | 'results'): boolean {
  return step[of].every((one) => seen.some((past) => past[of].includes(one)));
}

/** Does what the rung says. The results of the step are filed by now. */
export function climb(draft: Draft, rung: Rung, calls: readonly CallState[]): void {
  const { loop, step, landing, input } = draft.state;
  if (landing) return;
  const tools = [...new Set(countedOf(draft, calls).map(({ plan }) => plan.name))].slice(0, 10);
  // Where nobody is ever asked, the model gets the steps that are left, and then the run ends.
  if (rung === 'ask' && input.requireApproval === 'never') return;
  emit(draft, { type: 'loop_detected', step, rung, repeats: loop.repeats, tools });
  const what = `The last ${loop.repeats + 1} steps brought nothing new: they called ${tools.join(', ')} again and again.`;
  if (rung === 'tell')
    append(draft, [
      {
        role: 'user',
        content: `${what} Try something else, or answer with what you have and say what is missing.`,
      },
    ]);
  if (rung === 'switch') switchModel(draft);
  if (rung === 'land') beginLanding(draft, { outcome: 'limit', limit: 'loop', error: null, reason: what });
}

/** Another model may see the way out: it is asked for one step. */
function switchModel(draft: Draft): void {
  const { model, step } = draft.state;
  const models = modelsOf(draft.state);
  const index = model.index + 1;
  const [from, to] = [models[model.index], models[index]];
  if (from === undefined || to === undefined) return;
  // Not yet before the step that is about to begin, but before the one after it.
  patch(draft, { model: { ...model, index, coolUntilMs: draft.atMs + 1 } });
  emit(draft, { type: 'fallback_used', step, from, to, code: 'LOOP' });
}
