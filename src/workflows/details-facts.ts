import type { Progress } from '../core/progress.js';
import { code, codeOfId, sizeOf, usd } from './details-text.js';

/** A line of the list. Those with the highest rank are the first to go where there is no room; rank 0 stays. */
interface Fact {
  rank: 0 | 1 | 2 | 3 | 4;
  line: string;
}

/** Purposes or models shown; more are counted. */
const MAX_ACCOUNTS = 4;

/** Sub-agents shown; more are counted. */
const MAX_AGENTS = 5;

/** The state of a run as a list, in at most `maxBytes` unless the few lines that stay are longer. */
export function factLines(progress: Progress, maxBytes: number): string[] {
  const facts = [
    ...stepFacts(progress),
    ...waitingFacts(progress),
    ...costFacts(progress),
    ...accountFacts(progress),
    ...tokenFacts(progress),
    ...guardFacts(progress),
    ...selfCareFacts(progress),
    ...agentFacts(progress),
  ];
  const sizeBytes = () => facts.reduce((sum, { line }) => sum + sizeOf(line) + 1, 0);
  while (sizeBytes() > maxBytes) {
    const worst = Math.max(...facts.map(({ rank }) => rank));
    if (worst === 0) break;
    facts.splice(facts.map(({ rank }): number => rank).lastIndexOf(worst), 1);
  }
  return facts.map(({ line }) => line);
}

function stepFacts({ step, limits }: Progress): Fact[] {
  return [{ rank: 0, line: `- **Step:** ${step}${ofLimit(limits.maxSteps)}` }];
}

function waitingFacts({ waiting }: Progress): Fact[] {
  if (!waiting) return [];
  const { code: failed, message, until } = waiting;
  const when = until === null ? '' : ` until \`${until}\``;
  return [
    { rank: 1, line: `- **Waits**${when}: ${code(failed === null ? message : `${failed} ${message}`, 200)}` },
  ];
}

/** What was charged, and how sure that is. */
function costFacts({ spend, limits }: Progress): Fact[] {
  const chargedNanoUsd = spend.costNanoUsd + spend.estimatedNanoUsd;
  const cost =
    limits.maxCostUsd === null
      ? `${usd(chargedNanoUsd)} USD`
      : `${usd(chargedNanoUsd)} of ${limits.maxCostUsd} USD (${Math.floor(chargedNanoUsd / limits.maxCostUsd / 1e7)} %)`;
  const notes = [
    ...(spend.estimatedNanoUsd > 0 ? [`${usd(spend.estimatedNanoUsd)} not confirmed`] : []),
    ...(spend.inheritedNanoUsd > 0 ? [`${usd(spend.inheritedNanoUsd)} by the run that it goes on from`] : []),
  ];
  const lost = `${spend.lostModelCalls}, charged ${usd(spend.lostNanoUsd)} USD of the cost`;
  const facts: Fact[] = [
    { rank: 0, line: `- **Cost:** ${cost}${notes.length === 0 ? '' : `, of it ${notes.join(', ')}`}` },
  ];
  if (spend.reservedNanoUsd > 0)
    facts.push({ rank: 2, line: `- **Held for what is under way:** ${usd(spend.reservedNanoUsd)} USD` });
  if (spend.lostModelCalls > 0) facts.push({ rank: 2, line: `- **Attempts without an answer:** ${lost}` });
  if (spend.unknownCostCalls > 0)
    facts.push({ rank: 2, line: `- **Calls of unknown cost:** ${spend.unknownCostCalls}` });
  return facts;
}

/** Where the money went, and where it comes from. */
function accountFacts({ spend, budget }: Progress): Fact[] {
  const facts = [...accountFact('purpose', spend.byPurpose), ...accountFact('model', spend.byModel)];
  if (budget !== null) facts.push({ rank: 2, line: `- **Shared budget:** ${code(budget)}` });
  return facts;
}

function accountFact(name: string, accounts: Progress['spend']['byModel']): Fact[] {
  const sums = Object.entries(accounts)
    .map(([key, { calls, costNanoUsd, estimatedNanoUsd }]) => ({
      key,
      calls,
      nanoUsd: costNanoUsd + estimatedNanoUsd,
    }))
    .sort((one, other) => other.nanoUsd - one.nanoUsd);
  if (sums.length < 2) return [];
  const shown = sums
    .slice(0, MAX_ACCOUNTS)
    .map(({ key, calls, nanoUsd }) => `${code(key)} ${usd(nanoUsd)} (${calls})`);
  const more = sums.length - shown.length;
  const list = `${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
  return [{ rank: 4, line: `- **Cost and calls by ${name}:** ${list}` }];
}

function tokenFacts({ spend, limits, result, queuedMessages, lastRefused }: Progress): Fact[] {
  const sum = spend.promptTokens + spend.completionTokens;
  const cached = spend.cachedTokens > 0 ? `, of it ${spend.cachedTokens} cached` : '';
  const parts = `(${spend.promptTokens} in${cached}, ${spend.completionTokens} out), ${spend.modelCalls} model calls`;
  const facts: Fact[] = [{ rank: 0, line: `- **Tokens:** ${sum}${ofLimit(limits.maxTokens)} ${parts}` }];
  if (result && result.limitsReached.length > 1)
    facts.push({ rank: 1, line: `- **Limits reached:** ${result.limitsReached.join(', ')}` });
  if (queuedMessages > 0) facts.push({ rank: 1, line: `- **Messages waiting:** ${queuedMessages}` });
  if (lastRefused) {
    const { at, control, code: why, message } = lastRefused;
    facts.push({
      rank: 1,
      line: `- **Refused** at ${code(at)}: ${code(`${control}: ${why} ${message}`, 250)}`,
    });
  }
  return facts;
}

/** What needs a decision that did not before, and what does not any more. */
function guardFacts({ taint, standing }: Progress): Fact[] {
  const facts: Fact[] = [];
  const source = taint.by && `${code(taint.by.callId)} ${code(taint.by.tool)} brought in text from outside`;
  if (taint.policy === 'off')
    facts.push({ rank: 3, line: `- **Taint:** off${source === null ? '' : `, though ${source}`}` });
  else if (source !== null)
    facts.push({ rank: 1, line: `- **Taint:** side effects need a decision, as ${source}` });
  if (standing.length > 0)
    facts.push({
      rank: 3,
      line: `- **Approved for the rest of the run:** ${code(standing.map(({ tool }) => tool).join(', '), 200)}`,
    });
  return facts;
}

const STAGES = {
  checks: 'its checks run',
  verdict: 'the reviewer reads the answer',
  human: 'a human is asked whether the answer shall stand',
};

/** What the run does about its own work. */
function selfCareFacts({ review, compactions, repeats, result }: Progress): Fact[] {
  const facts: Fact[] = [];
  if (review !== null && review.round > 0) {
    const { round, rounds } = review;
    facts.push({
      rank: 1,
      line: `- **Review:** round ${round} of ${rounds}, ${reviewWords(review, result)}`,
    });
  }
  if (compactions > 0) facts.push({ rank: 3, line: `- **Conversation shortened:** ${compactions} times` });
  // To look a second time is nothing to tell of.
  if (repeats > 1) facts.push({ rank: 2, line: `- **Last steps without anything new:** ${repeats}` });
  return facts;
}

function reviewWords({ stage, passed }: NonNullable<Progress['review']>, result: Progress['result']): string {
  if (stage) return STAGES[stage];
  if (passed) return 'passed';
  if (!result) return 'the answer is being mended';
  const { gaps = null, problem = null } = result.review ?? {};
  return gaps === null && problem !== null ? 'no verdict' : 'not passed';
}

function agentFacts({ agents }: Progress): Fact[] {
  if (agents.length === 0) return [];
  const shown = agents.slice(0, MAX_AGENTS);
  const more = agents.length - shown.length;
  return [
    { rank: 2, line: `- **Sub-agents under way:** ${agents.length}` },
    ...shown.map(({ runId, goal }): Fact => ({ rank: 3, line: `  - ${codeOfId(runId)} ${code(goal, 60)}` })),
    ...(more > 0 ? [{ rank: 3, line: `  - and ${more} more` } satisfies Fact] : []),
  ];
}

function ofLimit(limit: number | null): string {
  return limit === null ? '' : ` of ${limit}`;
}
