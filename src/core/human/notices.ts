/** A word to the webhook of a run: what happened, and to which calls. */
export interface NotifyInput {
  type: 'decision_requested' | 'decision_reminder' | 'run_completed';
  /** Tells this word from every other one of the run; the same for each attempt to send it. */
  id: string;
  /** The calls that wait for a human. */
  callIds?: string[];
}
