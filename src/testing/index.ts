export { startStandIn, type StandIn, type StandInOptions } from './stand-in/stand-in.js';
export {
  echoScript,
  scriptedSteps,
  type ChatRequest,
  type FaultPlan,
  type Reply,
  type ReplyCall,
  type Script,
  type ScriptContext,
  type ScriptedStepsOptions,
} from './stand-in/script.js';
export type { Fault } from './stand-in/faults.js';
export type { LedgerEntry } from './stand-in/ledger.js';
export { defaultModels, type StandInModel } from './stand-in/models.js';
export type { LoggedRequest } from './stand-in/request-log.js';
export { cannedAgent } from './canned-agent.js';
export { findTranscriptProblem, type TranscriptContext, type WireMessage } from './transcript-rules.js';
export { readRunHistory, type RunHistory } from './history.js';
