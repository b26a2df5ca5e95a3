import type { Samples } from '../series-source.ts';

/** The samples of one series within a range, both ends included: from index `from` to before `to`. */
export interface Window {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  from: number;
  to: number;
  /** The range, in Unix time. */
  startMs: number;
  endMs: number;
  /** The time of the step, which an offset does not move. */
  stepMs: number;
}

/** Windows on the samples of a series. Their ends must not decrease. A series that has ended has no sample there. */
export class SlidingWindow {
  readonly #window: Window;
  readonly #rangeMs: number;

  constructor(samples: Pick<Samples, 'timesMs' | 'values'>, rangeMs: number) {
    this.#window = { ...samples, from: 0, to: 0, startMs: 0, endMs: 0, stepMs: 0 };
    this.#rangeMs = rangeMs;
  }

  /** No window has more samples. */
  get mostSamples(): number {
    return this.#window.timesMs.length;
  }

  /** Valid until the next call. */
  endingAt(endMs: number, stepMs: number): Window {
    const window = this.#window;
    const { timesMs } = window;
    window.endMs = endMs;
    window.startMs = endMs - this.#rangeMs;
    window.stepMs = stepMs;
    while (window.to < timesMs.length && (timesMs[window.to] as number) <= endMs) window.to++;
    while (window.from < window.to && (timesMs[window.from] as number) < window.startMs) window.from++;
    return window;
  }
}

/** Without the markers of ends. */
export function withoutEnds({ timesMs, values, ended }: Samples): Pick<Samples, 'timesMs' | 'values'> {
  if (!ended.includes(1)) return { timesMs, values };
  const isSample = (_: number, index: number): boolean => ended[index] === 0;
  return { timesMs: timesMs.filter(isSample), values: values.filter(isSample) };
}
