import { checkRunInput } from '../../src/adapters/run-input.js';

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(message) });

it('takes a budget, a priority and what to do about models without a price', () => {
  const input = {
    goal: 'x',
    budget: 'Team_a.1-x',
    unpricedModels: 'estimate',
    priority: { priorityKey: 5, fairnessKey: 'k'.repeat(64), fairnessWeight: 0.001 },
  };
  expect(checkRunInput(input)).toEqual(input);
  expect(checkRunInput({ goal: 'x', priority: {} })).toEqual({ goal: 'x', priority: {} });
});

it.each([
  [{ budget: '' }, /budget must be 1 to 64/],
  [{ budget: 'a/b' }, /budget must be/],
  [{ budget: 7 }, /budget must be/],
  [{ budget: null }, /budget must be/],
  [{ unpricedModels: 'ignore' }, /unpricedModels must be refuse or estimate/],
  [{ priority: 1 }, /priority must be a JSON object/],
  [{ priority: { priorityKey: 0 } }, /priority\.priorityKey must be 1 to 5/],
  [{ priority: { priorityKey: 2.5 } }, /priority\.priorityKey must be 1 to 5/],
  [{ priority: { fairnessKey: 'ä'.repeat(33) } }, /priority\.fairnessKey may have 64 bytes/],
  [{ priority: { fairnessKey: 7 } }, /priority\.fairnessKey must be text/],
  [{ priority: { fairnessWeight: 0 } }, /priority\.fairnessWeight must be 0\.001 to 1000/],
  [{ priority: { weight: 1 } }, /priority has no field weight/],
])('refuses %j', (fields, message) => {
  expect(() => checkRunInput({ goal: 'x', ...fields })).toThrow(refusal(message));
});

it('refuses approvers of a run in which nobody decides', () => {
  const approvers = ['ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= Ada'];
  const input = { goal: 'x', approvers };
  expect(checkRunInput(input)).toEqual(input);
  expect(() => checkRunInput({ ...input, requireApproval: 'never' })).toThrow(/approvers must be left out/);
});
