import type { Segment } from '../memory/segment.ts';
import type { PairIntake } from './pair-intake.ts';
import type { Ranges } from './ranges.ts';

/** Finds the numbers of the attributes of one item. */
export class PairList {
  readonly #intake: PairIntake;
  readonly #numbers: number[] = [];
  readonly #queries: number[] = [];

  constructor(intake: PairIntake) {
    this.#intake = intake;
  }

  /** @returns their numbers in `segment.pairs`, without those that must not be kept. Valid until the next call. */
  read(segment: Segment, view: DataView, attributes: Ranges): readonly number[] {
    const numbers = this.#numbers;
    numbers.length = 0;
    for (let i = 0; i < attributes.count; i++) {
      const pair = this.#intake.take(segment, view, attributes.start(i), attributes.end(i));
      if (pair >= 0) numbers.push(pair);
      else if (pair === -2) this.#queries.push(i);
    }
    for (const i of this.#queries) {
      const pair = this.#intake.takeQuery(segment, numbers, {
        view,
        start: attributes.start(i),
        end: attributes.end(i),
      });
      if (pair >= 0) numbers.push(pair);
    }
    this.#queries.length = 0;
    return numbers;
  }
}
