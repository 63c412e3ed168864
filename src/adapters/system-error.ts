/** The code of a Node system error (`ENOENT`, `EEXIST`, …). Not by `instanceof`: errors of Node's own realm fail that under Jest. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
