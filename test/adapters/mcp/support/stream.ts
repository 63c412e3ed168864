/** Values that a test waits for, in the order in which they come. */
export interface Stream<Value> {
  push(this: void, value: Value): void;
  /** The next value that fits; those before it are dropped. */
  next(fits: (value: Value) => boolean): Promise<Value>;
}

export function stream<Value>(): Stream<Value> {
  const values: Value[] = [];
  let wake: () => void = () => undefined;
  return {
    push(value) {
      values.push(value);
      wake();
    },
    async next(fits) {
      for (;;) {
        while (values.length > 0) {
          const value = values.shift();
          if (value !== undefined && fits(value)) return value;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
