import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generateApproverKey } from '../../src/adapters/signing/ed25519.js';
import { AgentError } from '../../src/core/errors.js';
import { cli } from '../cli/support.js';

const ROOT = join(__dirname, '../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);

/** Words as a shell splits them, without what comes after a comment sign. */
const words = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(#.*)|(\S+)/g)]
    .filter(([, , , comment]) => comment === undefined)
    .map(([, single, double, , plain]) => single ?? double ?? plain ?? '');

const pages = ['money', 'decisions', 'tools', 'models'].map((name) =>
  readFileSync(join(ROOT, `docs/${name}.md`), 'utf8'),
);
const commands = [...[readme, ...pages].join('\n').matchAll(/(?:^|`)longhaul ([^`\n]+)/gm)].map(
  ([, line = '']) => words(line),
);
/** Stands for the key that the pages make. */
let keyFile = '';
/** Stands for the schema of an answer. */
let schemaFile = '';
beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), 'longhaul-readme-'));
  keyFile = join(dir, 'ada.pem');
  writeFileSync(keyFile, generateApproverKey('Ada').privateKeyPem, { mode: 0o600 });
  schemaFile = join(dir, 'answer.schema.json');
  writeFileSync(schemaFile, '{"type":"object"}');
});
afterAll(() => rmSync(dirname(keyFile), { recursive: true }));

/** They start something, or touch this machine; test/cli runs them. */
const LONG_RUNNING = ['dev', 'doctor', 'keys', '--help'];

describe('the README and its pages', () => {
  it.each(commands.map((args) => [args.join(' '), args] as const))(
    'shows a command that is one: longhaul %s',
    async (_line, args) => {
      const connect = async (): Promise<never> => {
        throw new AgentError('TEMPORAL_UNREACHABLE', 'That far it must come.');
      };
      const isLongRunning = LONG_RUNNING.includes(args[0] ?? '');
      // Where the README says RUN once for several commands, it stands at the last.
      const whole = ['pause'].includes(args[0] ?? '') ? [...args, 'RUN'] : args;
      const files: Readonly<Record<string, string>> = {
        'ada.pem': keyFile,
        'answer.schema.json': schemaFile,
      };
      const complete = whole.map((arg) => files[arg] ?? arg);
      const { code } = await cli(isLongRunning ? [args[0] ?? '', '--help'] : complete, {
        context: { connect, chat: connect },
      });
      expect(code).toBe(isLongRunning ? 0 : 5);
    },
  );

  it('shows at least a dozen commands', () => {
    expect(commands.length).toBeGreaterThan(12);
  });

  it('names npm scripts, files and folders that are there', () => {
    for (const [, script = ''] of readme.matchAll(/npm run ([a-z:-]+)/g))
      expect(scripts).toHaveProperty(script);
    const paths = [...readme.matchAll(/\]\(([A-Za-z][^):]*)\)|`(test\/[a-z-]+)[/`]/g)].map(
      ([, link, folder]) => link ?? folder ?? '',
    );
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
