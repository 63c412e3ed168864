import {
  ERROR_BODY_TIMEOUT_MS,
  MAX_ERROR_BODY_BYTES,
  withErrorWords,
} from '../../../src/adapters/openrouter/error-body.js';

const URL = 'http://127.0.0.1:8000/v1/models';

async function told(body: string | ReadableStream<Uint8Array>, status = 422): Promise<Response> {
  const headers = { 'x-generation-id': 'gen-1' };
  return withErrorWords(async () => new Response(body, { status, headers }))(URL);
}

const words = async (body: unknown): Promise<unknown> => (await told(JSON.stringify(body))).json();

/** A body that gives one piece each time it is asked. */
function endless(piece: string): { body: ReadableStream<Uint8Array>; isLeft: () => boolean } {
  let isLeft = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => controller.enqueue(Buffer.from(piece)),
      cancel: () => void (isLeft = true),
    },
    { highWaterMark: 0 },
  );
  return { body, isLeft: () => isLeft };
}

describe('what a server says with an error status', () => {
  it.each<[string, unknown, unknown]>([
    ['FastAPI', { detail: 'Model not loaded' }, { error: 'Model not loaded' }],
    [
      'pydantic, without the echo of the request',
      {
        detail: [
          { type: 'missing', loc: ['body', 'model'], msg: 'Field required', input: { messages: ['secret'] } },
          'and more',
        ],
      },
      { error: 'body.model: Field required; and more' },
    ],
    ['FastAPI, with an object', { detail: { message: 'Busy' } }, { error: 'Busy' }],
    ['a gateway', { message: 'no Route matched' }, { error: 'no Route matched' }],
    [
      'vLLM',
      { object: 'error', message: 'too long', code: 400 },
      { error: { object: 'error', message: 'too long', code: 400 } },
    ],
    ['Google', [{ error: { code: 400, message: 'No.' } }], { error: { code: 400, message: 'No.' } }],
    ['one that says a word', 'Nope', { error: 'Nope' }],
    ['something else', { errors: [{ code: 7 }] }, { error: '{"errors":[{"code":7}]}' }],
    ['OpenAI', { error: { message: 'No.', code: 'x' } }, { error: { message: 'No.', code: 'x' } }],
  ])('is put where the client looks for it: %s', async (_who, body, expected) => {
    expect(await words(body)).toEqual(expected);
  });

  it.each(['<html>Bad gateway</html>', '', '{"error":'])(
    'stays as it is when it is no JSON: %j',
    async (text) => {
      const response = await told(text, 502);
      expect([response.status, response.headers.get('x-generation-id')]).toEqual([502, 'gen-1']);
      expect(await response.text()).toBe(text);
    },
  );

  it('is read no further than its limit', async () => {
    const { body, isLeft } = endless('x'.repeat(10_000));
    const response = await told(body, 500);
    expect((await response.text()).length).toBe(MAX_ERROR_BODY_BYTES);
    expect(isLeft()).toBe(true);
  });

  it('is what came before the connection broke', async () => {
    let count = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        count += 1;
        if (count === 1) controller.enqueue(Buffer.from('half of'));
        else controller.error(new Error('broken'));
      },
    });
    expect(await (await told(body, 503)).text()).toBe('half of');
  });

  it('is waited for no longer than its time limit', async () => {
    jest.useFakeTimers();
    try {
      const body = new ReadableStream<Uint8Array>({ start: (it) => it.enqueue(Buffer.from('Sorry')) });
      const telling = told(body, 503);
      await jest.advanceTimersByTimeAsync(ERROR_BODY_TIMEOUT_MS);
      expect(await (await telling).text()).toBe('Sorry');
    } finally {
      jest.useRealTimers();
    }
  });
});

it('an answer without an error is handed over unread', async () => {
  const { body, isLeft } = endless('data');
  const response = await told(body, 200);
  expect([response.bodyUsed, isLeft()]).toEqual([false, false]);
});
