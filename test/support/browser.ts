import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

/** A first start on a busy machine takes seconds. */
const START_TIMEOUT_MS = 60_000;

/** How long the tests wait for an element. */
const ELEMENT_TIMEOUT_MS = 30_000;

/** What Chromium needs to run as root, and to ask nobody but the page's own server. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const WHY_SKIPPED = 'no chromium on the PATH; scripts/ensure-packages.mjs installs it';

const executablePath = findChromium();
// Jest prints no name of a file whose tests are all skipped.
if (executablePath === null) process.stderr.write(`Tests in a browser are skipped: ${WHY_SKIPPED}.\n`);

/** A test in a real browser. Skipped, with the reason in its name, where there is no Chromium. */
export function itInBrowser(name: string, test: () => Promise<void>, timeoutMs: number): void {
  const itHere = executablePath === null ? it.skip : it;
  itHere(executablePath === null ? `${name} (skipped: ${WHY_SKIPPED})` : name, test, timeoutMs);
}

/** A Chromium for the tests of one file, with a profile of its own. Each call of what is returned opens a new page; both end by themselves. */
export function useBrowser(): () => Promise<Page> {
  let browser: Browser | null = null;
  beforeAll(async () => {
    if (executablePath !== null) browser = await chromium.launch({ executablePath, args: ARGS });
  }, START_TIMEOUT_MS);
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });
  afterAll(() => browser?.close());
  return async () => {
    if (browser === null) throw new Error('Only tests of itInBrowser have a browser.');
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.setDefaultTimeout(ELEMENT_TIMEOUT_MS);
    return page;
  };
}

function findChromium(): string | null {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'chromium'));
  return paths.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
