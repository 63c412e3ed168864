import {
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  makeContinueAsNewFunc,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { BUDGET_MEMO, BUDGET_QUERY, BUDGET_UPDATES, budgetNameOf, toBudgetMemo } from '../contract/budget.js';
import { toApplicationFailure } from '../contract/failure.js';
import {
  checkBudgetName,
  readBudgetSettings,
  readDraw,
  readRelease,
  type BudgetSettings,
} from '../core/money/budget-check.js';
import type { DrawResult } from '../core/money/budget-draw.js';
import {
  draw,
  findGrant,
  newBudget,
  setBudget,
  viewBudget,
  type BudgetState,
  type BudgetView,
} from '../core/money/budget.js';
import { AgentError, isAgentError } from '../core/errors.js';
import { renderBudgetDetails } from './budget-details.js';

/** What a budget is started with: by people its settings, by continue-as-new what it was. */
export type BudgetInput = BudgetSettings | { snapshot: BudgetSnapshot };

interface BudgetSnapshot {
  /** Of the shape of `state`. */
  version: 1;
  state: BudgetState;
}

/** Events of history after which it continues as new. A draw takes six. */
const CONTINUE_AT_EVENTS = 500;

const SET_DESCRIPTION = 'Change limit and period: {"limitUsd":50,"period":"day"}, or week, month, total.';

/**
 * A budget that runs share, under the workflow id `longhaul-budget/NAME`. It lives until it is cancelled or terminated.
 * @throws ApplicationFailure `INPUT_INVALID` when id or input do not fit
 */
export async function budget(input: BudgetInput): Promise<never> {
  let state = begin(input);
  let changed = true;
  const change = (next: BudgetState): void => {
    state = next;
    changed = true;
  };
  setHandler(defineQuery<BudgetView>(BUDGET_QUERY), () => viewBudget(state, Date.now()), {
    description: 'The budget as it stood at its last change, with all open runs.',
  });
  handleUpdate(BUDGET_UPDATES.draw, {
    description: 'For runs: grants up to a total, or settles.',
    read: (payload) => readDraw(state, payload),
    carryOut: (wanted): DrawResult => {
      const drawn = draw(state, wanted, Date.now());
      change(drawn.state);
      return drawn.result;
    },
  });
  handleUpdate(BUDGET_UPDATES.setBudget, {
    description: SET_DESCRIPTION,
    read: readBudgetSettings,
    carryOut: (limit): BudgetView => {
      change(setBudget(state, limit, Date.now()));
      return viewBudget(state, Date.now());
    },
  });
  handleUpdate(BUDGET_UPDATES.release, {
    description: 'Settle for a run that never will: {"runId":"…","spentNanoUsd":0}.',
    read: (payload) => readOpenRelease(state, payload),
    carryOut: ({ runId, spentNanoUsd }): BudgetView => {
      change(
        draw(state, { budget: state.name, runId, totalNanoUsd: spentNanoUsd, final: true }, Date.now()).state,
      );
      return viewBudget(state, Date.now());
    },
  });
  setHandler(
    defineSignal<[unknown?]>(BUDGET_UPDATES.setBudget),
    (payload) => change(setBySignal(state, payload)),
    { description: SET_DESCRIPTION },
  );
  while (!isFull()) {
    changed = false;
    publish(state);
    await condition(() => changed);
  }
  publish(state);
  await condition(allHandlersFinished);
  return makeContinueAsNewFunc<typeof budget>()({ snapshot: { version: 1, state } });
}

/**
 * Readers that have no worker read the memo. It is written in every task, also where nothing changed: a worker that does not have the
 * workflow in its cache takes a task that wrote nothing and an update right after it as one, and a later replay takes them as two.
 */
function publish(state: BudgetState): void {
  upsertMemo({ [BUDGET_MEMO]: toBudgetMemo(state) });
  setCurrentDetails(renderBudgetDetails(viewBudget(state, Date.now())));
}

function isFull(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength >= CONTINUE_AT_EVENTS;
}

function begin(input: unknown): BudgetState {
  const { snapshot } = Object(input);
  if (isSnapshot(snapshot)) return snapshot.state;
  // It fails the task, not the budget: a worker that knows the version carries it on.
  if (typeof Object(snapshot).version === 'number')
    throw new Error('Start the worker version that wrote this snapshot: this one does not know it.');
  return refusing(() => {
    const name = checkBudgetName(budgetNameOf(workflowInfo().workflowId));
    return newBudget(name, readBudgetSettings(input), Date.now());
  });
}

/** Only continue-as-new writes one, so its version says it all. */
function isSnapshot(value: unknown): value is BudgetSnapshot {
  return Object(value).version === 1;
}

function readOpenRelease(state: BudgetState, payload: unknown) {
  const release = readRelease(payload);
  if (!findGrant(state, release.runId))
    throw new AgentError(
      'RUN_NOT_FOUND',
      `The run ${release.runId} holds nothing of the budget ${state.name}.`,
    );
  return release;
}

/** A signal cannot be refused, so one that does not fit changes nothing. */
function setBySignal(state: BudgetState, payload: unknown): BudgetState {
  try {
    return setBudget(state, readBudgetSettings(payload), Date.now());
  } catch (error) {
    if (isAgentError(error)) return state;
    throw error;
  }
}

/** An update is refused with a typed error before anything is written, or carried out at once, so that none is under way later. */
function handleUpdate<T, R>(
  name: string,
  update: { description: string; read: (payload: unknown) => T; carryOut: (value: T) => R },
): void {
  const { description, read, carryOut } = update;
  const readOrRefuse = (payload: unknown): T => refusing(() => read(payload));
  setHandler(defineUpdate<R, [unknown]>(name), (payload) => carryOut(readOrRefuse(payload)), {
    description,
    validator: (payload) => void readOrRefuse(payload),
  });
}

/** Runs something whose errors Temporal is to record with their code. */
function refusing<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (isAgentError(error)) throw toApplicationFailure(error);
    throw error;
  }
}
