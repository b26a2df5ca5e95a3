import type { SpanList } from './waiting-spans.ts';

/** The measurements of a series between two of its points. Times are nanoseconds since 1970. */
export interface Interval {
  readonly fromNs: number;
  readonly toNs: number;
}

/** A data point, as far as the processor needs it. */
export interface SeriesPoint {
  readonly timeNs: number;
  readonly isDelta: boolean;
  /** Upper bounds, ascending. Empty for a counter. */
  readonly bounds: Float64Array;
  /** One for each bucket; the value of a counter. */
  readonly counts: Float64Array;
}

const NO_NUMBERS = new Float64Array(0);

/** The fields of a new series, as in `Series`. */
type SeriesIdentity = Pick<Series, 'key' | 'scope' | 'attributes' | 'index'>;

/** Spans with the same values of the attributes that a rule compares. */
export interface Profile extends SpanList {
  /** The encoded attributes. */
  readonly key: DataView;
  readonly attributes: ReadonlyMap<string, string>;
  /** The series that do not contradict these attributes. */
  readonly compatible: Series[];
}

/** A series of a metric: how much each bucket has risen between its last two points. */
export class Series {
  /** The encoded attribute fields of its points. */
  readonly key: DataView;
  /** The encoded scope. */
  readonly scope: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Its place in the order in which the points were first sent. */
  readonly index: number;
  /** The spans that may belong to it. */
  readonly profiles: Profile[] = [];
  #lastNs: number;
  #bounds = NO_NUMBERS;
  #counts = NO_NUMBERS;
  #rises = NO_NUMBERS;
  /** The interval of `rises`; without one if `fromNs` is `toNs`. */
  #fromNs: number;
  #toNs: number;

  /** @param sinceNs the series had no measurement until then. */
  constructor({ key, scope, attributes, index }: SeriesIdentity, sinceNs: number) {
    this.key = key;
    this.scope = scope;
    this.attributes = attributes;
    this.index = index;
    this.#lastNs = sinceNs;
    this.#fromNs = sinceNs;
    this.#toNs = sinceNs;
  }

  /** The time of the last point. */
  get lastNs(): number {
    return this.#lastNs;
  }

  get bounds(): Float64Array {
    return this.#bounds;
  }

  /** The measurements before the last point; undefined if they are not known. */
  get interval(): Interval | undefined {
    return this.#toNs > this.#fromNs ? { fromNs: this.#fromNs, toNs: this.#toNs } : undefined;
  }

  /** How many measurements of the interval are in the bucket. */
  rise(bucket: number): number {
    return this.#rises[bucket] ?? 0;
  }

  /** Takes the next point. After a restart, other bounds or a clock that was set back, the first interval is not known. */
  take({ timeNs, isDelta, bounds, counts }: SeriesPoint): void {
    const isNew = this.#counts.length === 0;
    const hasOtherBounds = !areEqual(bounds, this.#bounds);
    const isContinuous = isNew || (timeNs > this.#lastNs && !hasOtherBounds);
    if (counts.length !== this.#counts.length) {
      this.#counts = new Float64Array(counts.length);
      this.#rises = new Float64Array(counts.length);
    }
    if (hasOtherBounds) this.#bounds = bounds.slice();
    let hasFallen = false;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i] as number;
      const rise = isDelta ? count : count - (this.#counts[i] as number);
      if (rise < 0) hasFallen = true;
      this.#rises[i] = rise;
      this.#counts[i] = count;
    }
    this.#fromNs = isContinuous && !hasFallen ? this.#lastNs : timeNs;
    this.#toNs = timeNs;
    this.#lastNs = timeNs;
  }
}

function areEqual(one: Float64Array, other: Float64Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
