import { z } from 'zod';

const MAX_PROBLEMS = 10;

/**
 * Holds a value against a schema.
 * @returns the parsed value, or what is wrong with it in words.
 */
export function checkWith(
  schema: z.core.$ZodType,
  value: unknown,
): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    const result = z.safeParse(schema, value);
    if (result.success) return { ok: true, value: result.data };
    return { ok: false, message: problemsOf(result.error.issues, ': ').join('; ') };
  } catch (error) {
    // A refinement of the user's that throws, or an asynchronous one, which a synchronous check cannot run.
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `It could not be checked: ${reason}` };
  }
}

/** What a schema found wrong, each with its place; a long list is cut. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], separator: string): string[] {
  const problems = issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) =>
      path.length === 0 ? message : path.map(String).join('.') + separator + message,
    );
  return issues.length > MAX_PROBLEMS ? [...problems, `and ${issues.length - MAX_PROBLEMS} more`] : problems;
}
