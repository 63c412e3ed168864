const MAX_ALTERNATIVES = 64;

/**
 * Makes a test for paths out of a pattern: `*` and `?` within a name, `**` for any directories, `{a,b}` for alternatives.
 * A pattern without a slash is held against the name alone. Takes time in proportion to path times pattern, whatever the pattern.
 */
export function pathMatcher(pattern: string): (path: string) => boolean {
  const alternatives = expandBraces(pattern).map((text) => text.replace(/^\.?\//, ''));
  return (path) => {
    const names = path.split('/');
    return alternatives.some((text) =>
      text.includes('/')
        ? matches(names, text.split('/'), { isStar: (part) => part === '**', fits: nameMatches })
        : nameMatches(names.at(-1) ?? '', text),
    );
  };
}

function nameMatches(name: string, pattern: string): boolean {
  return matches(Array.from(name), Array.from(pattern), {
    isStar: (char) => char === '*',
    fits: (a, b) => b === '?' || a === b,
  });
}

/** Wildcard match that goes back to the last star only: that is enough, and keeps it from exploding. */
function matches(
  items: readonly string[],
  pattern: readonly string[],
  rule: { isStar(part: string): boolean; fits(item: string, part: string): boolean },
): boolean {
  let item = 0;
  let part = 0;
  let star = -1;
  let starItem = 0;
  while (item < items.length) {
    const current = pattern[part];
    if (current !== undefined && rule.isStar(current)) {
      star = part;
      starItem = item;
      part += 1;
    } else if (current !== undefined && rule.fits(items[item] ?? '', current)) {
      item += 1;
      part += 1;
    } else if (star >= 0) {
      starItem += 1;
      item = starItem;
      part = star + 1;
    } else {
      return false;
    }
  }
  return pattern.slice(part).every((rest) => rule.isStar(rest));
}

function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    const group = /\{([^{}]*,[^{}]*)\}/.exec(text);
    if (group?.[1] === undefined || open.length + done.length > MAX_ALTERNATIVES) {
      done.push(text);
      continue;
    }
    for (const choice of group[1].split(','))
      open.push(text.slice(0, group.index) + choice + text.slice(group.index + group[0].length));
  }
  return done;
}
