import { createHash } from 'node:crypto';

const MAX_CHARS = 64;
const HASH_CHARS = 8;

/**
 * The name under which the model sees a tool: `<server>__<tool>`. One with other characters than letters, digits, `_` and `-`, or of
 * more than 64, gets a hash of what it stands for in the place of what it loses; so it depends on nothing but server and tool.
 */
export function modelToolName(server: string, tool: string): string {
  const whole = `${server}__${tool}`;
  const plain = whole.replace(/[^a-zA-Z0-9_-]/g, '_');
  if (plain === whole && whole.length <= MAX_CHARS) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, HASH_CHARS);
  return `${plain.slice(0, MAX_CHARS - HASH_CHARS - 1)}_${hash}`;
}
