import type { FrameLocator, Locator, Page } from 'playwright-core';
import { HANDLERS } from '../../../src/contract/names.js';
import type { ControlName } from '../../../src/core/human/controls.js';

/** One run in Temporal's Web UI, worked as a person works it. */
export class RunPage {
  constructor(
    private readonly page: Page,
    private readonly url: string,
  ) {}

  async open(): Promise<void> {
    await this.page.goto(this.url);
  }

  /** What the run says of itself; the UI draws markdown in a frame. */
  async currentDetails(): Promise<FrameLocator> {
    await this.page.goto(`${this.url}/user-metadata`);
    await this.page.getByText('Current Details').waitFor();
    return this.page.frameLocator('iframe').last();
  }

  /** Opens one of the dialogs behind "More actions". */
  async openDialog(title: 'Send a Signal' | 'Send an Update'): Promise<Locator> {
    await this.page.getByRole('button', { name: 'More Actions' }).click();
    await this.page.getByRole('menuitem', { name: title }).click();
    return this.page.getByRole('dialog', { name: title });
  }

  /** Picks a handler by its name and our description of it. */
  async pick(dialog: Locator, name: ControlName): Promise<void> {
    await dialog.getByRole('button', { name: /^Select a/ }).click();
    const { description } = HANDLERS[name];
    await dialog.getByRole('option', { name: `${name} ${description}`, exact: true }).click();
  }

  /** Types the input in place of what stands there, and submits it. */
  async submit(dialog: Locator, input: object): Promise<void> {
    const data = dialog.locator('[contenteditable=true][data-language=json]');
    await data.click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.insertText(JSON.stringify(input));
    // The UI sets the text anew once it is left, and the button moves: a click before that misses it.
    await this.page.keyboard.press('Tab');
    for (const [key, value] of Object.entries(input))
      await data.getByText(`${JSON.stringify(key)}: ${JSON.stringify(value)}`).waitFor();
    await dialog.getByRole('button', { name: 'Submit' }).click();
  }

  /** Waits for a text on the page. */
  async see(text: string): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Opens the newest event of a kind in the history and waits for texts in what it shows. */
  async seeEvent(kind: string, texts: readonly string[]): Promise<void> {
    await this.page.goto(`${this.url}/history`);
    await this.page.getByText(kind).first().click();
    for (const text of texts) await this.page.getByText(text).first().waitFor();
  }
}
