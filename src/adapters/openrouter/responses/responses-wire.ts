import type { WireFormat } from '../wire-format.js';
import { ResponseAccumulator } from './accumulate.js';
import { toResponsesBody } from './to-body.js';

/** The responses API, stateless as OpenRouter has it. */
export const RESPONSES_WIRE: WireFormat = {
  path: '/responses',
  toBody: toResponsesBody,
  accumulator: () => new ResponseAccumulator(),
};
