import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

const pages = ['money', 'decisions', 'tools'].map((name) =>
  readFileSync(join(ROOT, `docs/${name}.md`), 'utf8'),
);
const commands = [...[readme, ...pages].join('\n').matchAll(/(?:^|`)longhaul ([^`\n]+)/gm)].map(
  ([, line = '']) => words(line),
);
/** They start something, or look at this machine; test/cli/process runs them. */
const LONG_RUNNING = ['dev', 'doctor', '--help'];

describe('the README and its pages', () => {
  it.each(commands.map((args) => [args.join(' '), args] as const))(
    'shows a command that is one: longhaul %s',
    async (_line, args) => {
      const connect = async (): Promise<never> => {
        throw new AgentError('TEMPORAL_UNREACHABLE', 'That far it must come.');
      };
      const isLongRunning = LONG_RUNNING.includes(args[0] ?? '');
      // Where the README says RUN once for several commands, it stands at the last.
      const complete = ['pause'].includes(args[0] ?? '') ? [...args, 'RUN'] : args;
      const { code } = await cli(isLongRunning ? [args[0] ?? '', '--help'] : complete, {
        context: { connect },
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
