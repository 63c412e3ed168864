import { styleText } from 'node:util';

type Paint = (text: string) => string;

/** Paints text for a terminal, or leaves it as it is. */
export type Style = Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', Paint>;

/** @param enabled false for files, pipes and `NO_COLOR`. */
export function createStyle(enabled: boolean): Style {
  const paint = (format: keyof Style): Paint =>
    enabled ? (text) => styleText(format, text, { validateStream: false }) : (text) => text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  };
}
