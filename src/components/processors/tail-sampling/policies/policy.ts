import type { Steps } from '../../../../pattern/work.ts';
import type { TraceFacts } from './trace-facts.ts';

/** The wish of one policy. `dropped` is stronger than `sampled`, and that is stronger than `not_sampled`. */
export type Verdict = 'sampled' | 'not_sampled' | 'dropped';

/** Decides about a trace by all spans of it that have arrived, in steps if that may take long. */
export type Policy = (trace: TraceFacts) => Verdict | Steps<Verdict>;

/** Milliseconds of a clock that is never set. */
export type Clock = () => number;

export function sampledIf(isSampled: boolean): Verdict {
  return isSampled ? 'sampled' : 'not_sampled';
}

export function* ask(policy: Policy, trace: TraceFacts): Steps<Verdict> {
  const answer = policy(trace);
  return typeof answer === 'string' ? answer : yield* answer;
}
