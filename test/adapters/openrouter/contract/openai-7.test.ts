import OpenAI from 'openai';
import { createOpenRouterModel } from '../../../../src/adapters/openrouter/model.js';
import { describePort } from './port-contract.js';

// 7.x declares that it needs Node 22; it is the next one all the same, and the adapter must not stand in its way.
jest.mock('openai', () => jest.requireActual('openai-next'));

it('is the next major version of the client', () => {
  expect(OpenAI).toBe(jest.requireActual<{ default: unknown }>('openai-next').default);
});

describePort(createOpenRouterModel);
