/** Elements whose content is nothing to read. */
const SILENT = new Set(['script', 'style', 'noscript', 'template', 'svg', 'iframe', 'textarea', 'select']);

/** How many line breaks an element makes before and behind it: a line of its own, or a paragraph. */
const BREAKS = new Map<string, number>([
  ...'tr li dt dd div option figcaption summary'.split(' ').map((name) => [name, 1] as const),
  ...'p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote section article header footer main nav aside hr title form'
    .split(' ')
    .map((name) => [name, 2] as const),
]);

const ENTITIES = Object.fromEntries(
  (
    'amp=& lt=< gt=> quot=" apos=\' nbsp=\u00A0 copy=© reg=® trade=™ hellip=… mdash=— ndash=– lsquo=‘ rsquo=’ ' +
    'ldquo=“ rdquo=” laquo=« raquo=» bull=• middot=· times=× deg=° euro=€ pound=£'
  )
    .split(' ')
    .map((entry) => entry.split('=')),
) as Record<string, string>; // Every entry above has a name and a character.

/** Stands for a space of preformatted text while all others are being reduced. */
const KEPT_SPACE = '\uE000';

interface Tag {
  name: string;
  isEnd: boolean;
  /** The raw text between the name and `>`. */
  attributes: string;
  /** Where the text goes on. */
  end: number;
}

/**
 * The readable text of an HTML page, links as `text (address)`. One pass in linear time, whatever the page looks like;
 * no parser: markup that is broken comes out as text.
 */
export function htmlToText(html: string, baseUrl: string): string {
  // Letters only, so that positions stay the same; toLowerCase() can change lengths.
  const lower = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const lines = createLines();
  let link: string | undefined;
  let isPreformatted = false;
  let position = 0;
  while (position < html.length) {
    const open = before(html, '<', position);
    lines.text(decodeEntities(html.slice(position, open)), isPreformatted);
    const tag = readTag(lower, html, open);
    if (tag === null) {
      const isDeclaration = html.startsWith('<!', open) || html.startsWith('<?', open);
      if (!isDeclaration) lines.text(html.slice(open, open + 1), isPreformatted);
      position = isDeclaration ? skipDeclaration(html, open) : open + 1;
      continue;
    }
    position = tag.end;
    if (tag.name === 'a') {
      if (link !== undefined) lines.text(` (${link})`, false);
      link = tag.isEnd ? undefined : linkTarget(tag.attributes, baseUrl);
    }
    if (tag.name === 'pre') isPreformatted = !tag.isEnd;
    if (tag.name === 'td' || tag.name === 'th') lines.text(' ', false);
    lines.break(tag.name === 'br' ? 'more' : (BREAKS.get(tag.name) ?? 0));
    const isSilent = SILENT.has(tag.name) && !tag.isEnd && !tag.attributes.endsWith('/');
    if (isSilent) position = before(lower, `</${tag.name}`, position);
  }
  return lines.join();
}

/** Collects text; breaks take effect when the next word comes, so that those of neighbours do not add up. */
function createLines(): {
  text(piece: string, isPreformatted: boolean): void;
  break(count: number | 'more'): void;
  join(): string;
} {
  const out: string[] = [];
  let breaks = 0;
  return {
    text(piece, isPreformatted) {
      if (breaks > 0 && piece.trim() === '') return;
      const reduced = isPreformatted
        ? piece.replace(/\t/g, '    ').replace(/ /g, KEPT_SPACE)
        : piece.replace(/\s+/g, ' ');
      out.push('\n'.repeat(breaks), reduced);
      breaks = 0;
    },
    break(count) {
      breaks = count === 'more' ? Math.min(breaks + 1, 2) : Math.max(breaks, count);
    },
    join() {
      const lines = out.join('').split('\n');
      const text = lines.map((line) => line.replace(/ {2,}/g, ' ').trim()).join('\n');
      return text.trim().replaceAll(KEPT_SPACE, ' ');
    },
  };
}

function skipDeclaration(html: string, open: number): number {
  const needle = html.startsWith('<!--', open) ? '-->' : '>';
  return Math.min(html.length, before(html, needle, open) + needle.length);
}

/** The position of the next occurrence; the end when there is none. */
function before(text: string, needle: string, from: number): number {
  const found = text.indexOf(needle, from);
  return found < 0 ? text.length : found;
}

const TAG_NAME = /<(\/?)([a-z][a-z0-9:-]*)/y;

function readTag(lower: string, html: string, open: number): Tag | null {
  TAG_NAME.lastIndex = open;
  const match = TAG_NAME.exec(lower);
  if (!match) return null;
  const start = TAG_NAME.lastIndex;
  const close = tagClose(html, start);
  return {
    name: match[2] ?? '',
    isEnd: match[1] === '/',
    attributes: html.slice(start, close),
    end: close + 1,
  };
}

/** The position of the `>` that ends a tag, past those within quotes. */
function tagClose(html: string, from: number): number {
  let quote = '';
  for (let position = from; position < html.length; position += 1) {
    const char = html.charAt(position);
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '>') return position;
  }
  return html.length;
}

function linkTarget(attributes: string, baseUrl: string): string | undefined {
  const match = /(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i.exec(attributes);
  const href = decodeEntities(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim();
  if (href === '' || href.startsWith('#') || !URL.canParse(href, baseUrl)) return undefined;
  const url = new URL(href, baseUrl);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
}

function decodeEntities(text: string): string {
  return text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});/gi, (whole, body: string) => {
    if (!body.startsWith('#')) return ENTITIES[body] ?? whole;
    const point = /^#x/i.test(body) ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1));
    const isCharacter = point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    return isCharacter ? String.fromCodePoint(point) : '';
  });
}
