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

describe('a review', () => {
  it.each<[string, unknown]>([
    ['as usual', true],
    ['that there is none', false],
    ['without any wish', {}],
    [
      'in full',
      {
        rounds: 20,
        model: 'maker/judge',
        checks: [{ command: 'npm test' }, { tool: 'look', args: { deep: [1] } }, { tool: 'look' }],
        onDisagreement: 'ask',
        budgetShare: 1,
      },
    ],
  ])('may be asked for %s', (_what, review) => {
    expect(checkRunInput({ goal: 'x', review })).toEqual({ goal: 'x', review });
  });

  it.each<[unknown, RegExp]>([
    ['yes', /review must be true, or an object/],
    [3, /review must be true, or an object/],
    [null, /review must be true, or an object/],
    [{ round: 2 }, /review has no field round/],
    [{ rounds: 0 }, /review\.rounds must be 1 to 20/],
    [{ rounds: 21 }, /review\.rounds must be 1 to 20/],
    [{ rounds: 1.5 }, /review/],
    [{ budgetShare: 0 }, /review\.budgetShare must be above 0 and up to 1/],
    [{ budgetShare: 1.01 }, /review\.budgetShare must be above 0 and up to 1/],
    [{ budgetShare: '1' }, /review/],
    [{ onDisagreement: 'fight' }, /review/],
    [{ model: '' }, /review/],
    [{ checks: {} }, /review/],
    [{ checks: [{}] }, /review/],
    [{ checks: [{ command: ' ' }] }, /review/],
    [{ checks: [{ command: 'x', tool: 'y' }] }, /review/],
    [{ checks: [{ tool: 'y', args: [] }] }, /review/],
    [{ checks: Array.from({ length: 21 }, () => ({ command: 'x' })) }, /review/],
  ])('is refused as %j', (review, message) => {
    expect(() => checkRunInput({ goal: 'x', review })).toThrow(refusal(message));
  });
});

describe('a schema of answers', () => {
  it('is taken when answers can be held against it', () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    expect(checkRunInput({ goal: 'x', schema })).toEqual({ goal: 'x', schema });
  });

  it.each<[string, unknown, RegExp]>([
    ['is no object', ['string'], /schema must be a JSON Schema/],
    ['is text', '{}', /schema must be a JSON Schema/],
    ['cannot be used', { type: 'strin' }, /schema cannot be used: schema is invalid/],
    ['refers to what is elsewhere', { $ref: 'https://elsewhere.example/' }, /schema cannot be used/],
    ['is too long', { description: 'x'.repeat(70_000) }, /schema may have 65,536 characters/],
  ])('that %s is refused', (_what, schema, message) => {
    expect(() => checkRunInput({ goal: 'x', schema })).toThrow(refusal(message));
  });
});
