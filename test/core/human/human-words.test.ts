import {
  argsChecked,
  gatedCall,
  lastOf,
  modelAnswers,
  modelCalls,
  resultObject,
  results,
  running,
  toolAnswers,
  toolSettles,
  userWords,
} from '../support/run.js';

describe('what a human says', () => {
  it('reaches the model as edited arguments although the outcome was unknown and rejected with a note', () => {
    const shell = argsChecked(
      modelCalls(running(), gatedCall()).control('decide', { decision: 'approve', args: { n: 2 } }),
      { ok: true, args: '{"n":2}', argsHash: 'h' },
    );
    toolSettles(shell, 's0.c0', { kind: 'timed_out' }).control('reject', { note: 'Leave it.' });
    expect(resultObject(shell)['note']).toContain('"n":2');
  });

  it('the note of the first approval is not lost when the call is approved to run again with another', () => {
    const shell = modelCalls(running(), gatedCall()).control('approve', { note: 'Go slow.' });
    toolSettles(shell, 's0.c0', { kind: 'timed_out' }).control('approve', { note: 'Try again.' });
    toolAnswers(shell, 's0.c0.r1');
    expect(results(shell).join()).toContain('Go slow.');
  });

  it('a message that was accepted is heard by the model, or was refused', () => {
    const shell = running().control('stop').control('say', { text: 'One more thing.' });
    const accepted = lastOf(shell, 'message_accepted') !== undefined;
    modelAnswers(shell, { text: 'Done.' });
    expect(userWords(shell).join().includes('One more thing.')).toBe(accepted);
  });
});
