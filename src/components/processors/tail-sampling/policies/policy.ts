import type { TraceFacts } from './trace-facts.ts';

/** The wish of one policy. `dropped` is stronger than `sampled`, and that is stronger than `not_sampled`. */
export type Verdict = 'sampled' | 'not_sampled' | 'dropped';

/** Decides about a trace by all spans of it that have arrived. */
export type Policy = (trace: TraceFacts) => Verdict;

/** Milliseconds of a clock that is never set. */
export type Clock = () => number;

export function sampledIf(isSampled: boolean): Verdict {
  return isSampled ? 'sampled' : 'not_sampled';
}
