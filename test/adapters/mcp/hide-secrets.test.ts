import { guardSecrets } from '../../../src/adapters/mcp/hide-secrets.js';

test('hides all values of the environment in errors, and in results those that are secrets by name', () => {
  const { hideAll, hideSecrets } = guardSecrets({
    command: 'x',
    env: { ROOT: '/data/project', API_KEY: 'hush-hush', SHORT: 'on' },
  });

  expect(hideAll('on /data/project: hush-hush')).toBe('on [hidden]: [hidden]');
  expect(hideSecrets('on /data/project: hush-hush')).toBe('on /data/project: [hidden]');
});

test('hides headers, also without their scheme, and what stands in the address', () => {
  const { hideAll, hideSecrets } = guardSecrets({
    url: 'https://host.example/hooks/0123456789abcdef0123/mcp?token=a%20b%20c',
    headers: { Authorization: 'Bearer hush-hush', 'X-Tenant': 'acme' },
  });

  expect(hideAll('401 for hush-hush of acme, 0123456789abcdef0123, a b c, ?token=a%20b%20c')).toBe(
    '401 for [hidden] of [hidden], [hidden], [hidden], [hidden]',
  );
  expect(hideSecrets('Bearer hush-hush of acme')).toBe('[hidden] of acme');
});

test('hides in errors what stands among the arguments by the name of a secret, or in an address', () => {
  const { hideAll } = guardSecrets({
    command: 'x',
    args: [
      '/data',
      '--api-key',
      'one-key',
      '--token=two-token',
      '--header',
      'Authorization: Bearer three-auth',
      '--root',
      '/srv',
      'https://h.example/mcp?k=four-query',
    ],
  });
  const said = '/data /srv one-key two-token three-auth https://h.example/mcp?k=four-query';

  expect(hideAll(said)).toBe('/data /srv [hidden] [hidden] [hidden] [hidden]');
});

test('leaves no part of a secret that contains another', () => {
  const { hideAll } = guardSecrets({ command: 'x', env: { A: 'secret', B: 'secret-and-more' } });

  expect(hideAll('it is secret-and-more')).toBe('it is [hidden]');
});
