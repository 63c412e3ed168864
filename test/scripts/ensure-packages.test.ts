import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

let programs: string;
beforeEach(() => {
  programs = mkdtempSync(join(tmpdir(), 'longhaul-packages-'));
});
afterEach(() => rmSync(programs, { recursive: true }));

const put = (name: string, script: string) =>
  writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

/** An apt-get that writes down what it is asked for. */
const putAptGet = (script: string) => put('apt-get', `echo "$*" >>"${programs}/asked"\n${script}`);

const asked = () =>
  readFileSync(join(programs, 'asked'), 'utf8')
    .trim()
    .replaceAll(/-o \S+ /g, '')
    .split('\n');

function ensurePackages(): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['scripts/ensure-packages.mjs'], {
    env: { PATH: programs },
    encoding: 'utf8',
  });
}

describe('npm test, before the tests,', () => {
  it('says which tests are skipped where packages are missing and cannot be installed', () => {
    expect(ensurePackages()).toMatchObject({
      status: 0,
      stdout: '',
      stderr:
        'bubblewrap is missing: the tests of the sandboxed shell tool are skipped. To run them, install bubblewrap.\n' +
        'chromium is missing: the tests in a browser are skipped. To run them, install chromium.\n',
    });
  });

  it('says nothing where they are there', () => {
    put('bwrap', '');
    put('chromium', '');
    putAptGet('');

    expect(ensurePackages()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(asked).toThrow('ENOENT');
  });

  itAsRoot('installs what is missing, after an update of the lists only where it fails without', () => {
    put('bwrap', '');
    putAptGet(
      `case "$*" in *update*) : >"${programs}/updated";; *) [ -e "${programs}/updated" ] && /bin/cp "${programs}/bwrap" "${programs}/chromium";; esac`,
    );

    const { status, stderr } = ensurePackages();

    const install = 'install -q -y --no-install-recommends chromium';
    expect(asked()).toEqual([install, 'update -q', install]);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'Installing what some tests need, once: chromium.\n',
    });
  });

  itAsRoot('goes on where that fails', () => {
    putAptGet('exit 100');

    const { status, stderr } = ensurePackages();

    expect(status).toBe(0);
    expect(stderr).toMatch(/bubblewrap is missing: .*\nchromium is missing: /);
  });
});
