const BETWEEN = '\n\n';

/**
 * Follows texts that stream in as parts of items, each told in deltas, as a whole, or both, so that nothing is said twice. Parts of
 * different groups are kept apart by an empty line.
 */
export class StreamedParts {
  private readonly toldChars = new Map<string, number>();
  private group: string | null = null;

  /** Takes a delta and gives back what it adds to the text. */
  push({ group, part }: PartKey, delta: string): string {
    if (delta === '') return '';
    const key = `${group}/${part}`;
    this.toldChars.set(key, (this.toldChars.get(key) ?? 0) + delta.length);
    const isNext = this.group !== null && this.group !== group;
    this.group = group;
    return isNext ? BETWEEN + delta : delta;
  }

  /** Takes a whole part and gives back what was not told of it yet. */
  settle(key: PartKey, whole: string): string {
    return this.push(key, whole.slice(this.toldChars.get(`${key.group}/${key.part}`) ?? 0));
  }
}

/** Where a part stands. */
export interface PartKey {
  group: string;
  part: string;
}
