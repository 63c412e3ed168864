import { createOpenRouterModel } from '../../../../src/adapters/openrouter/model.js';
import { describePort } from './port-contract.js';

describePort(createOpenRouterModel);
