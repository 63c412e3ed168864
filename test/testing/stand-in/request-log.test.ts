import {
  loggableHeaders,
  RequestLog,
  type LoggedRequest,
} from '../../../src/testing/stand-in/request-log.js';

const logged = (path: string): LoggedRequest => ({
  at: '2026-01-01T00:00:00.000Z',
  method: 'POST',
  path,
  headers: {},
  body: null,
  bodyHash: null,
  maxTokens: null,
  generationId: null,
  status: null,
  problem: null,
});

test('the log keeps the newest requests that fit, and the last one always', () => {
  const log = new RequestLog(10);
  for (const path of ['/a', '/b', '/c']) log.add(logged(path), 5);
  expect(log.list().map(({ path }) => path)).toEqual(['/b', '/c']);
  log.add(logged('/large'), 100);
  expect(log.list().map(({ path }) => path)).toEqual(['/large']);
});

test('headers are shown without credentials', () => {
  expect(
    loggableHeaders({
      authorization: 'Bearer x',
      'x-api-key': 'x',
      cookie: 'x',
      accept: ['a', 'b'],
      host: 'h',
    }),
  ).toEqual({ accept: 'a, b', host: 'h' });
});
