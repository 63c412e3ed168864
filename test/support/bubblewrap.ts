import { spawnSync } from 'node:child_process';

const { status } = spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { stdio: 'ignore' });
const works = status === 0;
const itHere = works ? it : it.skip;

/** A test that needs bubblewrap. Where that is missing or may not do its work, the name of the test says why it is skipped. */
export function itSandboxed(name: string, run: () => Promise<void>): void {
  itHere(works ? name : `${name} (skipped: bubblewrap is not installed or does not work here)`, run);
}
