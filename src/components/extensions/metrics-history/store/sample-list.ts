import type { Samples, TimeRange } from '../../../../promql/series-source.ts';
import type { SampleVisitor } from './segment.ts';

/** Collects the samples of one series within a time. Where it is absent for the first time, it has ended. */
export class SampleList implements SampleVisitor {
  readonly #time: TimeRange;
  readonly #timesMs: Float64Array;
  readonly #values: Float64Array;
  readonly #ended: Uint8Array;
  #length = 0;
  #isPresent = false;

  /** @param most it gets at most so many samples. */
  constructor(time: TimeRange, most: number) {
    this.#time = time;
    this.#timesMs = new Float64Array(most);
    this.#values = new Float64Array(most);
    this.#ended = new Uint8Array(most);
  }

  value(timeMs: number, value: number): void {
    this.#isPresent = true;
    this.#add(timeMs, value, 0);
  }

  absent(timeMs: number): void {
    if (this.#isPresent) this.#add(timeMs, NaN, 1);
    this.#isPresent = false;
  }

  /** The list must not be used further. */
  finish(): Samples {
    const length = this.#length;
    return {
      timesMs: this.#timesMs.subarray(0, length),
      values: this.#values.subarray(0, length),
      ended: this.#ended.subarray(0, length),
    };
  }

  #add(timeMs: number, value: number, ended: number): void {
    if (timeMs < this.#time.fromMs || timeMs > this.#time.toMs) return;
    this.#timesMs[this.#length] = timeMs;
    this.#values[this.#length] = value;
    this.#ended[this.#length++] = ended;
  }
}
