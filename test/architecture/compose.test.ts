import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { AGENT_SEARCH_ATTRIBUTES } from '../../src/adapters/temporal/search-attributes.js';
import { findTemporalBinary } from '../../src/adapters/temporal/find-temporal.js';
import { uniqueName, useTemporalServer } from '../support/temporal-server.js';
import { read, ROOT, run } from './support/project.js';

interface Service {
  image?: string;
  build?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  restart?: string;
  healthcheck?: unknown;
  depends_on?: Record<string, { condition: string }>;
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

// The tests below hold the file to this shape.
const { services, volumes } = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const names = Object.keys(services);
const each = <T>(pick: (service: Service) => T[] | undefined): [string, T][] =>
  Object.entries(services).flatMap(([name, service]) =>
    (pick(service) ?? []).map((item): [string, T] => [name, item]),
  );
const PINNED = /:\d+\.\d+(\.\d+)?(-[\w.-]+)?$/;

describe('docker-compose.yml', () => {
  it('starts each service only after what it needs', () => {
    const edges = Object.fromEntries(
      names.map((name) => [
        name,
        Object.entries(services[name]?.depends_on ?? {}).map(([on, { condition }]) => `${on} ${condition}`),
      ]),
    );
    expect(edges).toEqual({
      postgres: [],
      'temporal-schema': ['postgres service_healthy'],
      temporal: ['temporal-schema service_completed_successfully'],
      'temporal-namespace': ['temporal service_healthy'],
      'temporal-ui': ['temporal service_healthy'],
      worker: ['temporal-namespace service_completed_successfully'],
    });
  });

  it('waits only for health that is checked and for ends that come', () => {
    const conditions = each(({ depends_on = {} }) => Object.entries(depends_on));
    expect(conditions.length).toBeGreaterThan(4);
    for (const [, [on, { condition }]] of conditions) {
      const { healthcheck, restart } = services[on] ?? {};
      if (condition === 'service_healthy') expect([on, healthcheck]).not.toEqual([on, undefined]);
      else expect([on, restart]).toEqual([on, expect.stringMatching(/^on-failure:\d+$/)]);
    }
  });

  it('pins every image, and the schema to the version of the server', () => {
    const images = names
      .filter((name) => services[name]?.build === undefined)
      .map((name) => services[name]?.image ?? '');
    expect(images.filter((image) => !PINNED.test(image))).toEqual([]);
    const tag = (name: string): string | undefined => services[name]?.image?.split(':')[1];
    expect(tag('temporal-schema')).toBe(tag('temporal'));
    expect(tag('temporal-namespace')).toBe(tag('temporal'));
  });

  it('listens on the loopback interface only', () => {
    const ports = each(({ ports }) => ports);
    expect(ports.length).toBeGreaterThan(1);
    expect(ports.filter(([, port]) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('mounts read-only files that are in the repository, and declared volumes', () => {
    const mounts = each(({ volumes: mounted }) => mounted);
    const ofRepository = mounts.map(([, mount]) => mount).filter((mount) => mount.startsWith('.'));
    expect(ofRepository.length).toBeGreaterThan(1);
    for (const mount of ofRepository) {
      const [source = '', , mode] = mount.split(':');
      expect([source, existsSync(join(ROOT, source)), mode]).toEqual([source, true, 'ro']);
    }
    const named = mounts
      .map(([, mount]) => mount.split(':')[0] ?? '')
      .filter((source) => !source.startsWith('.'));
    expect([...new Set(named)].sort()).toEqual(Object.keys(volumes).sort());
  });

  it('names only files of deploy/temporal that are there', () => {
    const named = [...read('docker-compose.yml').matchAll(/ \/deploy\/([\w.-]+)/g)].map(
      (match) => match[1] ?? '',
    );
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((file) => !existsSync(join(ROOT, 'deploy/temporal', file)))).toEqual([]);
  });

  it('takes every secret from the environment', () => {
    const secrets = each(({ environment }) => Object.entries(environment ?? {}))
      .map(([, variable]) => variable)
      .filter(([name]) => /PASSWORD|PWD|KEY|TOKEN/.test(name));
    expect(secrets.length).toBeGreaterThan(3);
    expect(secrets.filter(([, value]) => !/^\$\{[A-Z_]+:(\?.+|-)\}$/.test(value))).toEqual([]);
  });

  it('gives the worker only variables that it reads', () => {
    const known = new Set(read('src/config.ts').match(/\b(OPENROUTER|LONGHAUL)_[A-Z_]+[A-Z]\b/g));
    const given = Object.keys(services['worker']?.environment ?? {});
    const ofTemporal = ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE'];
    expect(given.filter((name) => !known.has(name) && !ofTemporal.includes(name))).toEqual([]);
  });

  it('asks only for variables that .env.example explains', () => {
    const asked = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? '');
    const explained = [...read('.env.example').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(asked.filter((name) => !explained.includes(name))).toEqual([]);
  });

  const compose = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0;
  const itWithCompose = compose ? it : it.skip;
  itWithCompose(
    `is valid for docker compose${compose ? '' : ' (left out: docker compose is not installed)'}`,
    () => {
      const env = { ...process.env, POSTGRES_PASSWORD: 'secret', OPENROUTER_API_KEY: 'secret' };
      const check = spawnSync('docker', ['compose', 'config', '--quiet'], {
        cwd: ROOT,
        env,
        encoding: 'utf8',
      });
      expect([check.status, check.stderr]).toEqual([0, '']);
    },
  );
});

describe('the image of the worker', () => {
  const dockerfile = read('Dockerfile');

  it('is built from a pinned image', () => {
    const base = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1];
    expect(base).toMatch(PINNED);
    const froms = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]);
    expect(new Set(froms)).toEqual(new Set(['${NODE_IMAGE}']));
  });

  it('runs the worker without rights and without development dependencies', () => {
    expect(dockerfile).toMatch(/^USER node\nCMD \[.*"dist\/worker\.js"\]$/m);
    expect(dockerfile).toContain('npm ci --omit=dev');
  });

  it('copies only files that the build context has', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map((match) => match[1] ?? '');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? '').split(' '),
    );
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
    expect(allowed.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const build = /"build": "(.+)"/.exec(read('package.json'))?.[1] ?? '';
    const needed = build.match(/tsconfig\.json|scripts\/\S+/g) ?? [];
    expect(needed).toContain('tsconfig.json');
    expect(copied).toEqual(expect.arrayContaining(needed));
  });
});

describe('deploy/temporal/setup-namespace.sh', () => {
  const server = useTemporalServer();

  it('creates the namespace and the search attributes of agent runs, also a second time', async () => {
    const namespace = uniqueName('setup');
    const { path } = await findTemporalBinary({ env: process.env });
    const environment = {
      PATH: `${dirname(path)}:${process.env['PATH']}`,
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: namespace,
      NAMESPACE_RETENTION: '720h',
    };
    const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const script = join(ROOT, 'deploy/temporal/setup-namespace.sh');
    const once = (): Promise<{ code: number; output: string }> => run('env', [...assignments, 'sh', script]);

    expect((await once()).code).toBe(0);
    const second = await once();
    expect([second.code, second.output]).toEqual([0, '']);

    const { workflowExecutionRetentionTtl: retention } =
      (await server.connection.workflowService.describeNamespace({ namespace })).config ?? {};
    expect(Number(retention?.seconds)).toBe(720 * 3600);
    const listed = await run('env', [...assignments, path, 'operator', 'search-attribute', 'list']);
    const attributes = [...listed.output.matchAll(/^ *(Agent\w+) +(\w+) *$/gm)].map((match) => [
      match[1],
      match[2],
    ]);
    expect(Object.fromEntries(attributes)).toEqual(AGENT_SEARCH_ATTRIBUTES);
  }, 120_000);
});
