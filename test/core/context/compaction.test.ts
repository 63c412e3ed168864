import { COMPACTION } from '../../../src/core/behaviour.js';
import { charsOf, COMPACTION_BRIEF } from '../../../src/core/context/compact-items.js';
import { promptSize } from '../../../src/core/context/prompt-size.js';
import { reviewItems } from '../../../src/core/review/review-brief.js';
import { EMPTY_HASH, hashItems } from '../../../src/core/transcript.js';
import {
  asked, looks, looksUntilFull, noteOf, problemsOf, purposeOf, shortRun, sumsUp, tokensOf, windows,
} from '../support/long-run.js'; // prettier-ignore
import {
  callOf, eventsOf, gatedCall, lastOf, modelAnswers, modelCalls, modelFails, modelInput, FREE, running, toolAnswers, toolSettles, userWords,
} from '../support/run.js'; // prettier-ignore

describe('a conversation that becomes too long', () => {
  it('is summed up at a step boundary, and the run goes on from the summary', () => {
    const shell = looksUntilFull(shortRun(6_000));
    const { step } = shell.state;
    expect(modelInput(shell)).toMatchObject({
      step,
      purpose: 'compaction',
      model: 'maker/first',
      attempt: 1,
    });
    sumsUp(shell, 'Drawers 0 to 3 hold dust.');
    expect(modelInput(shell)).toMatchObject({ step, purpose: 'step', attempt: 1 });
    expect(noteOf(shell)).toContain('Summary of what came before:\nDrawers 0 to 3 hold dust.');
    expect(shell.state.transcript.at(-1)?.content).toMatch(new RegExp(`^Drawer ${step - 1}: dust`));
    modelAnswers(shell, { text: 'All is dust.' });
    expect(shell.state.result).toMatchObject({ outcome: 'done', answer: 'All is dust.' });
    expect(problemsOf(shell)).toEqual([]);
  });

  it('keeps system prompt and goal as the first two messages', () => {
    const shell = looksUntilFull(shortRun(6_000));
    const beginning = shell.state.transcript.slice(0, 2);
    expect(sumsUp(shell).state.transcript.slice(0, 2)).toEqual(beginning);
    expect(beginning[1]?.content).toBe('Tidy up the attic.');
  });

  it('is summed up from its beginning to the cut, and no further', () => {
    const shell = looksUntilFull(shortRun(6_000));
    const { version, hash } = modelInput(shell);
    const { transcript } = shell.state;
    expect(version).toBeLessThan(transcript.length);
    expect(hash).toBe(hashItems(EMPTY_HASH, transcript.slice(0, version)));
    expect(asked(shell).at(-1)).toEqual({ role: 'user', content: COMPACTION_BRIEF });
    const kept = transcript.slice(version);
    expect(sumsUp(shell).state.transcript.slice(3)).toEqual(kept);
  });

  it('is told of by an event, with what was left out', () => {
    const shell = looksUntilFull(shortRun(6_000));
    const { length } = shell.state.transcript;
    const { expectedTokens } = promptSize(shell.state);
    sumsUp(shell, ' Dust. ');
    expect(lastOf(shell, 'compacted')).toMatchObject({
      step: shell.state.step,
      by: 'summary',
      summary: 'Dust.',
      messagesBefore: length,
      messagesAfter: shell.state.transcript.length,
      tokensBefore: expectedTokens,
    });
    const after = lastOf(shell, 'compacted')?.tokensAfter ?? NaN;
    expect(Math.abs(after - tokensOf(shell))).toBeLessThanOrEqual(2);
    expect(after).toBeLessThan(expectedTokens * 0.6);
  });

  it('is told of in tokens as the server counts them', () => {
    const shell = shortRun(6_000);
    while (purposeOf(shell) === 'step') {
      const { step } = shell.state;
      modelAnswers(shell, {
        calls: [{ id: `call_${step}`, name: 'look', args: '{}', effect: 'read' }],
        // Of this text the server makes half as many tokens.
        promptTokens: Math.ceil(tokensOf(shell) / 2),
      });
      toolAnswers(shell, `s${step}.c0`, `${step}${'x'.repeat(900)}`);
    }
    const tokensBefore = tokensOf(shell);
    const { tokensAfter, tokensBefore: told } = lastOf(sumsUp(shell), 'compacted') ?? {};
    expect(told).toBeLessThan(tokensBefore * 0.65);
    expect(Number(tokensAfter) / Number(told)).toBeCloseTo(tokensOf(shell) / tokensBefore, 2);
  });

  it('is not shortened in runs that began before that was done', () => {
    const shell = shortRun(3_000, { prepared: { behaviour: 3 } });
    for (let round = 0; round < 9; round += 1) looks(shell, 1_000);
    expect(eventsOf(shell.events, 'compacted')).toEqual([]);
    expect(shell.state.transcript.length).toBe(20);
  });
});

describe('the note in the place of earlier steps', () => {
  it('holds what people said and decided, whatever the summary says', () => {
    const shell = shortRun(9_000);
    shell.control('say', { text: 'Leave the piano alone.', by: 'ada', mode: 'steer' });
    modelCalls(shell, gatedCall({ name: 'send' }));
    shell.control('decide', { callId: 's0.c0', decision: 'reject', by: 'bob', note: 'Not on a Sunday.' });
    modelCalls(shell, {
      id: 'x',
      name: 'ask',
      args: '{}',
      effect: 'read',
      control: { kind: 'ask', question: 'Which?' },
    });
    shell.control('answer', { callId: 's1.c0', text: 'The blue one.', by: 'ada' });
    const note = noteOf(sumsUp(looksUntilFull(shell), 'Nothing.'));
    expect(note).toMatch(/said by ada: Leave the piano alone\./);
    expect(note).toMatch(/s0\.c0 send rejected by bob: Not on a Sunday\./);
    expect(note).toMatch(/s1\.c0 ask answered by ada: The blue one\./);
  });

  it('holds artifacts and calls of which nobody knows whether they took effect', () => {
    const shell = shortRun(9_000);
    modelCalls(shell, callOf({ name: 'paint', onUnknown: 'tell_model' }), callOf({ name: 'draw' }));
    toolSettles(shell, 's0.c0', { kind: 'timed_out' });
    toolSettles(shell, 's0.c1', {
      kind: 'ok',
      value: { content: 'ok', artifacts: [{ id: 'sha256-7', sizeBytes: 9, name: 'plan.png' }] },
    });
    const note = noteOf(sumsUp(looksUntilFull(shell), 'Nothing.'));
    expect(note).toMatch(/nobody knows whether they took effect:\n- paint \(s0\.c0\)/);
    expect(note).toMatch(/Artifacts:\n- sha256-7 plan\.png \(of s0\.c1\)/);
  });

  it('is known by its first words to who reviews the answer', () => {
    const shell = sumsUp(looksUntilFull(shortRun(6_000)), 'All drawers are blue.');
    const shown = reviewItems([...shell.state.transcript, { role: 'assistant', content: 'Blue.' }]);
    expect(shown[1]?.content).toMatch(/its claims, no evidence[^]*All drawers are blue\./);
  });

  it('takes no more room than it is given, whatever was said, and begins and ends as it is', () => {
    const shell = shortRun(9_000);
    for (let n = 0; n < 70; n += 1)
      shell.control('say', { text: `${n} ${'never mind '.repeat(90)}`, mode: 'queue', by: 'ada' });
    shell.control('say', { text: 'Well, mind.', mode: 'queue' });
    const note = noteOf(sumsUp(looksUntilFull(shell), `It is ${'dusty '.repeat(9_000)} here.`));
    expect(note.length).toBeLessThan(5_000);
    expect(note).toMatch(/^\[The conversation up to here was shortened; it stands at step \d+\./);
    expect(note).toMatch(/said: Well, mind\.\n\nSummary of what came before:\nIt is dusty/);
    expect(note).toMatch(/characters left out …\][^]* here\.$/);
  });

  it('is summed up in turn with what came after it', () => {
    const shell = sumsUp(looksUntilFull(shortRun(6_000)), 'The first summary.');
    looksUntilFull(shell);
    expect(asked(shell)[2]?.content).toContain('The first summary.');
    sumsUp(shell, 'The second summary.');
    expect(noteOf(shell)).not.toContain('The first summary.');
    expect(userWords(shell).filter((words) => words.includes('summary'))).toHaveLength(1);
  });
});

describe('the length at which it is shortened', () => {
  it('leaves room for the answer, as far as the run asks for one, up to a quarter', () => {
    const full = (input: object) => {
      const shell = shortRun(12_000, { input });
      looksUntilFull(shell, 500);
      return promptSize(shell.state).expectedTokens;
    };
    const room = Math.ceil(12_000 / 3 / 0.75);
    for (const maxOutputTokens of [256, 1_000]) {
      expect(full({ maxOutputTokens })).toBeGreaterThan(room - maxOutputTokens);
      expect(full({ maxOutputTokens })).toBeLessThan(room - maxOutputTokens + 200);
    }
    expect(full({})).toBeGreaterThan(room * 0.75);
    expect(full({ maxOutputTokens: 90_000 })).toBeLessThan(room * 0.75 + 200);
  });

  it('is what the smallest of all models takes that may be asked, or less where the run says so', () => {
    const full = (contexts: (number | null)[], compactAtTokens?: number) => {
      const models = ['maker/second', 'other/third'].slice(0, contexts.length - 1);
      const input = { goal: 'Tidy up.', ...(compactAtTokens !== undefined && { compactAtTokens }) };
      const shell = running({ models, modelFacts: windows(...contexts), toolsSizeBytes: 0 }, input);
      return promptSize(looksUntilFull(shell).state).expectedTokens / 0.75;
    };
    const near = (tokens: number) => (found: number) => {
      expect(found).toBeGreaterThan(tokens);
      expect(found).toBeLessThan(tokens + 600);
    };
    near(8_000 * COMPACTION.atShare)(full([8_000]));
    near(5_000 * COMPACTION.atShare)(full([8_000, 5_000]));
    near(6_000 * COMPACTION.atShare)(full([8_000, null, 6_000]));
    near(3_000)(full([8_000], 3_000));
    near(8_000 * COMPACTION.atShare)(full([8_000], 30_000));
    near(3_000)(full([null], 3_000));
  });

  it('is not reached where nothing is known of what models take', () => {
    const shell = running({ modelFacts: windows(null) });
    for (let round = 0; round < 20; round += 1) looks(shell, 10_000);
    expect(eventsOf(shell.events, 'compacted')).toEqual([]);
  });

  it('counts what tools take of each request', () => {
    const lengthOf = (toolsSizeBytes: number) => {
      const prepared = { toolsSizeBytes, models: ['maker/second'] };
      const shell = looksUntilFull(shortRun(12_000, { prepared }), 500);
      const full = charsOf(shell.state.transcript);
      return { full, after: charsOf(sumsUp(shell).state.transcript) };
    };
    const [few, many] = [lengthOf(0), lengthOf(6_000)];
    expect(many.full).toBeLessThan(few.full - 5_000);
    expect(many.after).toBeLessThan(few.after - 1_000);
  });

  it('is met in tokens, however many characters make one', () => {
    const shell = shortRun(12_000, { prepared: { models: ['maker/second'] } });
    while (purposeOf(shell) === 'step') {
      const { step } = shell.state;
      modelAnswers(shell, {
        calls: [{ id: `call_${step}`, name: 'look', args: JSON.stringify({ step }), effect: 'read' }],
      });
      toolAnswers(shell, `s${step}.c0`, '塵'.repeat(400));
    }
    const { expectedTokens } = promptSize(shell.state);
    expect(promptSize(sumsUp(shell, '塵'.repeat(5_000)).state).expectedTokens).toBeLessThan(
      expectedTokens * 0.8,
    );
  });

  it('is counted anew once what was counted was shortened', () => {
    const shell = looksUntilFull(shortRun(6_000));
    const { calibration } = shell.state;
    modelFails(shell, 'MODEL_BAD_REQUEST', false, FREE);
    expect([calibration, shell.state.calibration]).toEqual([expect.anything(), null]);
    expect(promptSize(shell.state).expectedTokens / tokensOf(shell)).toBeCloseTo(1, 1);
  });

  it('is not reached by a goal that fills it alone, which cannot be left out', () => {
    const shell = shortRun(3_000, { input: { goal: 'Tidy up! '.repeat(1_000) } });
    expect(purposeOf(shell)).toBe('step');
    expect(eventsOf(looks(shell, 100).events, 'compacted')).toEqual([]);
  });
});

describe('a summary', () => {
  const priced = { modelFacts: windows(100_000) };

  it('is paid for and booked as what it is', () => {
    const shell = looksUntilFull(shortRun(6_000, { prepared: priced }));
    const held = shell.state.ledger.charges.find(({ id }) => id === `s${shell.state.step}.k0`);
    expect(held).toMatchObject({ purpose: 'compaction', status: 'reserved' });
    expect(held?.nanoUsd).toBeGreaterThan(COMPACTION.summaryTokens * 5_000);
    modelAnswers(shell, { text: 'Dust.', costNanoUsd: 7_777 });
    expect(shell.state.ledger.byPurpose.compaction).toMatchObject({ confirmedNanoUsd: 7_777 });
    expect(lastOf(shell, 'model_completed')).toMatchObject({
      purpose: 'compaction',
      costNanoUsd: 7_777,
      calls: [],
    });
  });

  it('is no step', () => {
    const shell = looksUntilFull(shortRun(6_000));
    const { stepsCompleted, step } = shell.state;
    expect(sumsUp(shell).state).toMatchObject({ stepsCompleted, step });
    expect(eventsOf(shell.events, 'step_started').map(({ purpose }) => purpose)).not.toContain('compaction');
  });

  it('says nothing of how large the next prompt is', () => {
    const shell = looksUntilFull(shortRun(6_000));
    modelAnswers(shell, { text: 'Dust.', promptTokens: 3 });
    expect(promptSize(shell.state).expectedTokens).toBeGreaterThan(100);
  });

  it('calls no tools, whatever the model asks for with it', () => {
    const shell = looksUntilFull(shortRun(6_000));
    modelAnswers(shell, { text: 'Dust.', calls: [callOf()] });
    expect([shell.state.calls, purposeOf(shell)]).toEqual([[], 'step']);
    expect(problemsOf(shell)).toEqual([]);
  });

  it('keeps the step after it from asking for more than it would have', () => {
    const shell = looksUntilFull(shortRun(6_000, { input: { maxOutputTokens: 500 } }));
    expect(modelInput(shell).maxOutputTokens).toBe(COMPACTION.summaryTokens);
    expect(modelInput(sumsUp(shell)).maxOutputTokens).toBe(500);
  });
});
