import type { Script } from '../../../src/testing/stand-in/script.js';
import { textOf } from '../../../src/testing/transcript-rules.js';

/** A script that leaves the answer to another one, chosen by the goal of the run, so that one world serves many tests. */
export function byGoal(scripts: Readonly<Record<string, Script>>): Script {
  return (request, context) => {
    const first = request.messages.find(({ role }) => role === 'user');
    const goal = first === undefined ? '' : textOf(first);
    const script = scripts[goal];
    if (script === undefined) throw new Error(`No script for the goal ${goal}`);
    return script(request, context);
  };
}
