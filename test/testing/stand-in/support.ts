import { startStandIn, type StandIn, type StandInOptions } from '../../../src/testing/stand-in/stand-in.js';
import type { Reply, Script } from '../../../src/testing/stand-in/script.js';

export const MODEL = 'stand-in/agent';
export const KEY = 'sk-or-v1-test-canary';

const started: StandIn[] = [];

/** Starts a server that `stopAll` ends. A bare reply is a script that always gives it. */
export async function start(
  script: Script | Reply,
  options: Omit<StandInOptions, 'script'> = {},
): Promise<StandIn> {
  const server = await startStandIn({
    script: typeof script === 'function' ? script : () => script,
    ...options,
  });
  started.push(server);
  return server;
}

export async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((server) => server.stop()));
}

export const userSays = (content: string): { role: string; content: string }[] => [{ role: 'user', content }];

/** A chat request with what a test does not care about filled in. */
export function post(
  server: StandIn,
  body: object,
  init: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${server.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...init.headers },
    body: JSON.stringify({ model: MODEL, messages: userSays('hi'), ...body }),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });
}

export async function get(server: StandIn, path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${KEY}` } });
  return { status: response.status, body: await response.json() };
}

/** Reads a body until its end or until it breaks. */
export async function drain(response: Response): Promise<{ text: string; broke: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of response.body ?? []) text += decoder.decode(piece, { stream: true });
    return { text, broke: false };
  } catch {
    return { text, broke: true };
  }
}

/** Reads a body piece by piece. `until` returns all that was read once the text fits; `isSilentFor` whether nothing more came. */
export function reader(response: Response): {
  until(fits: (text: string) => boolean): Promise<string>;
  isSilentFor(ms: number): Promise<boolean>;
} {
  const body = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  return {
    async until(fits) {
      while (!fits(text)) {
        const piece = await body?.read();
        if (piece?.value === undefined) throw new Error(`The body ended: ${text}`);
        text += decoder.decode(piece.value, { stream: true });
      }
      return text;
    },
    async isSilentFor(ms) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(true), ms)));
      const speech = body?.read().then(
        () => false,
        () => true, // Cut off by the end of the test.
      );
      const silent = await Promise.race([silence, speech]);
      clearTimeout(timer);
      return silent ?? true;
    },
  };
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  cost?: number | null;
}

export interface Chunk {
  id: string;
  model: string;
  usage?: Usage;
  error?: { code: number | string };
  choices?: {
    finish_reason: string | null;
    delta: {
      content?: string | null;
      reasoning?: string;
      reasoning_details?: Record<string, unknown>[];
      tool_calls?: { index: number; id?: string; function: { name?: string; arguments?: string } }[];
    };
  }[];
}

/** What the `data:` lines of a stream hold: chunks, and the lines that are none. */
export function linesOf(text: string): { chunks: Chunk[]; others: string[] } {
  const chunks: Chunk[] = [];
  const others: string[] = [];
  for (const line of text.split('\n').filter((each) => each.startsWith('data: '))) {
    try {
      chunks.push(JSON.parse(line.slice(6)));
    } catch {
      others.push(line.slice(6));
    }
  }
  return { chunks, others };
}

interface Gathered {
  text: string;
  reasoning: string;
  details: Record<string, unknown>[];
  calls: { id: string | undefined; name: string; args: string }[];
  finish: string[];
  usage: Usage | undefined;
}

/** What a careful client puts together from a stream. */
export function gather(text: string): Gathered {
  const gathered: Gathered = {
    text: '',
    reasoning: '',
    details: [],
    calls: [],
    finish: [],
    usage: undefined,
  };
  for (const chunk of linesOf(text).chunks) {
    gathered.usage = chunk.usage ?? gathered.usage;
    for (const { delta, finish_reason: finish } of chunk.choices ?? []) {
      gathered.text += delta.content ?? '';
      gathered.reasoning += delta.reasoning ?? '';
      gathered.details.push(...(delta.reasoning_details ?? []));
      if (finish !== null) gathered.finish.push(finish);
      for (const { index, id, function: said } of delta.tool_calls ?? []) {
        const call = (gathered.calls[index] ??= { id, name: said.name ?? '', args: '' });
        call.args += said.arguments ?? '';
      }
    }
  }
  return gathered;
}

/** Posts a streamed request and puts its answer together. */
export async function ask(
  server: StandIn,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Gathered & { headers: Headers; raw: string }> {
  const response = await post(server, { stream: true, ...body }, { headers });
  const { text: raw } = await drain(response);
  return { ...gather(raw), headers: response.headers, raw };
}
