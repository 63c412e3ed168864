import type { WatchedEvent } from '../client/run-handle.js';
import { formatCount, oneLine, plural, printable } from './format.js';
import type { Style } from './style.js';

/** What a run does about its own work, unasked: review and repair of answers, a conversation kept short, circles noticed. */
export type SelfCareEvent = Extract<
  WatchedEvent,
  { type: 'review_started' | 'review_completed' | 'answer_refused' | 'compacted' | 'loop_detected' }
>;

/** Such an event as lines. What a reviewer says comes before it, as text of the model. */
export function renderSelfCare(event: SelfCareEvent, style: Style): string[] {
  const { cyan, dim, green, red, yellow } = style;
  switch (event.type) {
    case 'review_started':
      return [cyan(`review ${event.round} of ${event.rounds}`) + dim(`  ${printable(event.model)}`)];
    case 'review_completed':
      if (event.problem !== null) return [yellow(`  ! no verdict: ${oneLine(event.problem, 300)}`)];
      return [
        event.passed
          ? `  ${green('✓')} the reviewer accepts the answer`
          : `  ${red('✗')} the reviewer does not accept the answer`,
      ];
    case 'answer_refused':
      return [yellow(`! the answer is refused: ${oneLine(event.problem, 300)}`)];
    case 'compacted':
      return [`» ${shorteningOf(event)}`];
    case 'loop_detected':
      return [yellow(`! ${loopOf(event)}`)];
  }
}

function shorteningOf(event: Extract<SelfCareEvent, { type: 'compacted' }>): string {
  const { by, messagesBefore, messagesAfter, tokensBefore, tokensAfter } = event;
  const how = by === 'summary' ? 'by a summary' : 'by leaving out parts of it';
  const about = `about ${formatCount(tokensBefore)} → ${formatCount(tokensAfter)} tokens`;
  return `conversation shortened ${how}: ${messagesBefore} → ${messagesAfter} messages, ${about}`;
}

const RUNGS = {
  observe: 'nothing is done about it yet',
  tell: 'the model is told',
  switch: 'the next model is asked for a step, if there is one',
  ask: 'a human is asked before it makes these calls again',
  land: 'the run ends',
};

function loopOf({ rung, repeats, tools }: Extract<SelfCareEvent, { type: 'loop_detected' }>): string {
  const names = tools.map(printable).join(', ');
  return `${plural(repeats, 'step')} in a row brought nothing new (${names}); ${RUNGS[rung]}`;
}
