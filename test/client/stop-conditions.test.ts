import {
  hasToolCall,
  maxCost,
  maxDuration,
  maxTokensUsed,
  stepCountIs,
  toLimits,
  type StopCondition,
} from '../../src/client/stop-conditions.js';
import type { RunInput } from '../../src/core/run-input.js';

const goal = 'x';

it.each<[string, StopCondition[], Partial<RunInput>, object]>([
  ['no conditions', [], { limits: { maxSteps: 3 } }, {}],
  ['a cost', [maxCost(2.5)], {}, { limits: { maxCostUsd: 2.5 } }],
  ['steps', [stepCountIs(7)], {}, { limits: { maxSteps: 7 } }],
  ['tokens', [maxTokensUsed(100)], {}, { limits: { maxTokens: 100 } }],
  ['a duration', [maxDuration(60_000)], {}, { limits: { maxDurationMs: 60_000 } }],
  ['a tool', [hasToolCall('done')], {}, { limits: {}, stopOnTool: ['done'] }],
  ['a tool beside others', [hasToolCall('b')], { stopOnTool: ['a'] }, { limits: {}, stopOnTool: ['a', 'b'] }],
  ['several kinds', [maxCost(1), stepCountIs(2)], {}, { limits: { maxCostUsd: 1, maxSteps: 2 } }],
  ['one kind twice', [stepCountIs(9), stepCountIs(4)], {}, { limits: { maxSteps: 4 } }],
  [
    'a lower ceiling in the input',
    [stepCountIs(9)],
    { limits: { maxSteps: 3 } },
    { limits: { maxSteps: 3 } },
  ],
  [
    'a higher ceiling in the input',
    [stepCountIs(9)],
    { limits: { maxSteps: 30 } },
    { limits: { maxSteps: 9 } },
  ],
  [
    'a ceiling that the input takes away',
    [stepCountIs(9)],
    { limits: { maxSteps: null } },
    { limits: { maxSteps: 9 } },
  ],
])('turns %s into plain data', (_what, conditions, input, expected) => {
  const given: RunInput = { goal, ...input };
  const before = structuredClone(given);
  expect(toLimits(given, conditions)).toEqual(expected);
  expect(given).toEqual(before);
});
