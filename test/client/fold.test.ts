import type { HistoryEvent } from '../../src/client/history.js';
import type { RunEvent } from '../../src/core/events.js';
import { HandMadeHistory, scheduled, updateAccepted } from './support/hand-made-history.js';

type Attributes = Omit<HistoryEvent, 'eventId' | 'eventTime'>;

const INTERRUPT = { text: 'Not so.', mode: 'interrupt' };
const cancelRequested: Attributes = { workflowExecutionCancelRequestedEventAttributes: {} };
const typesOf = (events: readonly RunEvent[]) => events.map(({ type }) => type);

describe('RunFold orders what one workflow task brings:', () => {
  it('a signal before the answer that came before it', async () => {
    const history = new HandMadeHistory()
      .running()
      .answers('s0.m0', 'Done.')
      .signal('say', { text: 'Wait.' })
      .task();
    const { state } = await history.fold();
    expect(state).toMatchObject({ phase: 'model', step: 1 });
  });

  it('an update before the answer that came before it', async () => {
    const history = new HandMadeHistory()
      .running()
      .answers('s0.m0', 'Done.')
      .task(updateAccepted('say', { text: 'Wait.' }), scheduled('s1.m0', 'callModel'));
    const { state } = await history.fold();
    expect(state).toMatchObject({ phase: 'model', step: 1 });
  });

  it('a signal before an update', async () => {
    const history = new HandMadeHistory()
      .running()
      .signal('say', { text: 'two', messageId: 'signal' })
      .task(updateAccepted('say', { text: 'one', messageId: 'update' }));
    const { state } = await history.fold();
    expect(state.queue.map(({ messageId }) => messageId)).toEqual(['signal', 'update']);
  });

  it('a request to cancel before the answer that came before it, and after a signal that came after it', async () => {
    const history = new HandMadeHistory()
      .running()
      .answers('s0.m0', 'Done.')
      .add(cancelRequested)
      .signal('say', { text: 'Last words.' })
      .task();
    const { state, events } = await history.fold();
    expect(state.result).toMatchObject({ outcome: 'cancelled' });
    expect(typesOf(events)).toContain('message_accepted');
  });
});

describe('RunFold gives a task what is its own:', () => {
  it('nothing that came after it began', async () => {
    const history = new HandMadeHistory().running().taskStarts().signal('pause').taskEnds();
    expect((await history.fold()).state.pause).toBeNull();
    expect((await history.task().fold()).state.pause).toEqual({ reason: 'asked' });
  });

  it.each<[string, Attributes]>([
    ['failed', { workflowTaskFailedEventAttributes: {} }],
    ['timed out', { workflowTaskTimedOutEventAttributes: {} }],
  ])('what a task before it was to bring that %s, once and at its own time', async (_how, end) => {
    const history = new HandMadeHistory()
      .running()
      .signal('pause')
      .taskStarts()
      .add(end)
      .signal('resume')
      .task();
    const { state, events } = await history.fold();
    expect(state.pause).toBeNull();
    expect(events.slice(-2)).toMatchObject([
      { type: 'run_paused', at: '1970-01-01T00:00:04.000Z' },
      { type: 'run_resumed', at: '1970-01-01T00:00:04.000Z' },
    ]);
  });

  it.each<[string, Attributes]>([
    ['a cancelled timer', { timerCanceledEventAttributes: {} }],
    ['a request to cancel an activity', { activityTaskCancelRequestedEventAttributes: {} }],
    ['an activity that was cancelled before it began', { activityTaskCanceledEventAttributes: {} }],
    ['the end of an update', { workflowExecutionUpdateCompletedEventAttributes: {} }],
    ['a started timer', { timerStartedEventAttributes: {} }],
    ['search attributes', { upsertWorkflowSearchAttributesEventAttributes: {} }],
    ['a memo', { workflowPropertiesModifiedEventAttributes: {} }],
    ['a marker', { markerRecordedEventAttributes: {} }],
  ])('what it wrote after %s', async (_what, event) => {
    const history = new HandMadeHistory()
      .running()
      .signal('say', { text: 'one' })
      .answers('s0.m0', 'First.')
      .task(event, scheduled('s1.m0', 'callModel'))
      .signal('say', INTERRUPT)
      .task(event, updateAccepted('pause', {}));
    const { state } = await history.fold();
    // The call was under way, so its end is still to come.
    expect(state.model.call).toMatchObject({ key: 's1.m0', status: 'cancelling' });
    expect(state.pause).toEqual({ reason: 'asked' });
  });

  it('the end of a call that was called off before the server heard of it', async () => {
    const history = new HandMadeHistory()
      .running()
      .signal('say', { text: 'one' })
      .answers('s0.m0', 'First.')
      .task()
      .signal('say', INTERRUPT)
      .task(scheduled('s1.m1', 'callModel'));
    const { state } = await history.fold();
    expect(state.model.call).toMatchObject({ key: 's1.m1', status: 'running' });
    expect(state.ledger.lostModelCalls).toBe(0);
  });
});

describe('RunFold tells how a run ended:', () => {
  it.each<[string, Attributes, object]>([
    ['terminated', { workflowExecutionTerminatedEventAttributes: {} }, { outcome: 'cancelled', error: null }],
    ['timed out', { workflowExecutionTimedOutEventAttributes: {} }, { outcome: 'failed' }],
    [
      'failed by the server',
      { workflowExecutionFailedEventAttributes: { failure: { message: 'No such type.' } } },
      { outcome: 'failed', error: { message: 'No such type.' } },
    ],
  ])('%s, with and without a worker ever having taken it up', async (_how, end, result) => {
    const begun = await new HandMadeHistory().running().add(end).fold();
    const untouched = await new HandMadeHistory().add(end).fold();
    for (const { state, events } of [begun, untouched]) {
      expect(state.result).toMatchObject(result);
      expect(typesOf(events).filter((type) => type === 'run_completed')).toHaveLength(1);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    }
  });

  it('completed, whatever the server writes after it', async () => {
    const ended = new HandMadeHistory()
      .running()
      .answers('s0.m0', 'Done.')
      .task({ workflowExecutionCompletedEventAttributes: {} });
    const { state } = await ended.fold();
    expect(state.result).toMatchObject({ outcome: 'done', answer: 'Done.', steps: 1 });
  });
});

describe('RunFold reads', () => {
  it('a run that no worker has taken up yet', async () => {
    const { state, events } = await new HandMadeHistory().signal('pause').fold();
    expect(state).toMatchObject({ phase: 'preparing', input: { goal: 'Tidy up.' } });
    expect(events).toEqual([]);
  });

  it('signals of unknown names and without input', async () => {
    const history = new HandMadeHistory().running().signal('dance', { a: 1 }).signal('pause').task();
    const { state, events } = await history.fold();
    expect(state.pause).toEqual({ reason: 'asked' });
    expect(typesOf(events)).not.toContain('control_rejected');
  });

  it('the same out of any pages that split no task', async () => {
    const history = new HandMadeHistory()
      .running()
      .signal('say', { text: 'one' })
      .answers('s0.m0', 'First.')
      .task(scheduled('s1.m0', 'callModel'))
      .answers('s1.m0', 'Second.')
      .task();
    const whole = await history.fold();
    const cuts = history.events.flatMap((event, index) =>
      event.workflowTaskScheduledEventAttributes ? [index] : [],
    );
    expect(await history.fold(...cuts)).toEqual(whole);
    for (const cut of cuts) expect(await history.fold(cut)).toEqual(whole);
    expect(whole.state.result).toMatchObject({ outcome: 'done' });
  });
});
