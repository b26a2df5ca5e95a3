import type { Steps, Work } from '../../../pattern/work.ts';
import type { Owner, Subject } from './paths.ts';

/** Answers for one subject, in steps if that may take long. */
export type Test = (subject: Subject, work: Work) => boolean | Steps<boolean>;

export interface Condition {
  /** The kind of things for which it is tested. */
  readonly owner: Owner;
  readonly test: Test;
}

export function* holds(test: Test, subject: Subject, work: Work): Steps<boolean> {
  // A path reads the whole item, or the whole event.
  if (work.spend((subject.event ?? subject.item.bytes).length)) yield;
  const answer = test(subject, work);
  return typeof answer === 'boolean' ? answer : yield* answer;
}

export function anyOf(tests: readonly Test[]): Test {
  return firstThat(true, tests);
}

export function allOf(tests: readonly Test[]): Test {
  return firstThat(false, tests);
}

export function opposite(of: Test): Test {
  return function* test(subject, work) {
    return !(yield* holds(of, subject, work));
  };
}

function firstThat(wanted: boolean, tests: readonly Test[]): Test {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return function* test(subject, work) {
    for (const one of tests) {
      if ((yield* holds(one, subject, work)) === wanted) return wanted;
    }
    return !wanted;
  };
}
