import { chat } from '../src/chat.js';
import { echoScript } from '../src/testing/stand-in/script.js';
import { startStandIn, type StandIn } from '../src/testing/stand-in/stand-in.js';

const REQUEST = { model: 'stand-in/agent', messages: [{ role: 'user' as const, content: 'echo' }] };
const ENV = { ...process.env };

let standIn: StandIn;
beforeAll(async () => {
  standIn = await startStandIn({ script: echoScript, apiKeys: ['sk-right'] });
});
afterAll(() => standIn.stop());
afterEach(() => {
  process.env = { ...ENV };
});

describe('chat', () => {
  it('asks the server that it is given, and lets the text be heard', async () => {
    const heard: string[] = [];
    const onText = (text: string): void => void heard.push(text);
    const answer = await chat(REQUEST, { apiKey: 'sk-right', baseUrl: `${standIn.url}/`, onText });
    expect(answer).toEqual({
      content: 'echo',
      tool_calls: [],
      stop_reason: 'end_turn',
      usage: { input_tokens: expect.any(Number), output_tokens: 1 },
    });
    expect(heard.join('')).toBe('echo');
  });

  it('asks the server of the environment with its key', async () => {
    Object.assign(process.env, { OPENROUTER_BASE_URL: standIn.url, OPENROUTER_API_KEY: 'sk-right' });
    expect((await chat(REQUEST)).content).toBe('echo');
    await expect(chat(REQUEST, { apiKey: 'sk-wrong' })).rejects.toMatchObject({ code: 'MODEL_AUTH' });
  });

  it('rejects without asking when there is no key for OpenRouter, or the address is none', async () => {
    delete process.env['OPENROUTER_API_KEY'];
    delete process.env['OPENROUTER_BASE_URL'];
    await expect(chat(REQUEST)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const unfit = chat(REQUEST, { apiKey: 'sk-right', baseUrl: 'nowhere' });
    await expect(unfit).rejects.toThrow('OPENROUTER_BASE_URL must be an http or https address');
  });

  it('gives up when its signal says so', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const call = chat(REQUEST, { apiKey: 'sk-right', baseUrl: standIn.url, signal });
    await expect(call).rejects.toThrow('enough');
  });
});
