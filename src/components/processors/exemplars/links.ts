import type { exemplarOutcomes } from '../../../metrics/reasons.ts';
import { TIME_TOLERANCE_NS, type Group } from './group.ts';
import type { Measure } from './metric-fields.ts';
import type { Interval, Profile, Series } from './series.ts';
import type { WaitingSpans } from './waiting-spans.ts';

/** A measurement and its span. */
export interface Link {
  /** In the unit of the metric; 1 for a counter. */
  readonly value: number;
  readonly timeNs: bigint;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
}

/**
 * The decision about a bucket that at least one span may belong to.
 *
 * - `ambiguous`: several spans may belong to it.
 * - `uncertain`: the span ended close to a bound of the bucket or of the interval.
 * - `not_counted`: the bucket has not risen, or a counter not by 1.
 */
export type Outcome = (typeof exemplarOutcomes)[number];

export interface Decisions {
  readonly measure: Measure;
  /** Gets each decision. */
  readonly onOutcome: (outcome: Outcome) => void;
}

const NO_SPAN = -1;
const NO_LINKS: readonly Link[] = [];

/** Decides which spans the measurements between the last two points of a series belong to. */
export class Links {
  readonly #spans: WaitingSpans;
  readonly #toleranceNs: number;
  /** These have an element for each bucket: how many spans may belong to it, one of them, and whether that one surely does. */
  #possible = new Int32Array(64);
  #candidates = new Int32Array(64);
  #isSure = new Uint8Array(64);

  /** @param toleranceNs by how much a measurement may differ from the duration of its span. */
  constructor(spans: WaitingSpans, toleranceNs: number) {
    this.#spans = spans;
    this.#toleranceNs = toleranceNs;
  }

  of(group: Group, series: Series, { measure, onOutcome }: Decisions): readonly Link[] {
    const { interval } = series;
    if (interval === undefined || interval.fromNs - TIME_TOLERANCE_NS < group.incompleteUntilNs) return NO_LINKS;
    let hasSpans = false;
    for (const profile of series.profiles) {
      if (profile.first < 0 || profile.compatible.length > 1) continue;
      if (!hasSpans) this.#clear(series.bounds.length + 1);
      hasSpans = true;
      this.#collect(profile, { series, interval, measure });
    }
    return hasSpans ? this.#decide(series, { measure, onOutcome }) : NO_LINKS;
  }

  #clear(buckets: number): void {
    if (buckets > this.#possible.length) {
      this.#possible = new Int32Array(buckets);
      this.#candidates = new Int32Array(buckets);
      this.#isSure = new Uint8Array(buckets);
    }
    this.#possible.fill(0, 0, buckets);
    this.#candidates.fill(NO_SPAN, 0, buckets);
  }

  #collect(
    profile: Profile,
    { series, interval, measure }: { series: Series; interval: Interval; measure: Measure },
  ): void {
    const { fromNs, toNs } = interval;
    for (let span = profile.first; span >= 0; span = this.#spans.next(span)) {
      const endNs = this.#spans.endNs(span);
      if (endNs + TIME_TOLERANCE_NS <= fromNs || endNs - TIME_TOLERANCE_NS > toNs) continue;
      const isInTime = endNs - TIME_TOLERANCE_NS > fromNs && endNs + TIME_TOLERANCE_NS <= toNs;
      const durationNs = this.#spans.durationNs(span);
      const atMost = (durationNs + this.#toleranceNs) / measure.unitNs;
      let bucket = bucketOf((durationNs - this.#toleranceNs) / measure.unitNs, series.bounds);
      const isInBucket = bucket === series.bounds.length || atMost <= (series.bounds[bucket] as number);
      this.#note(bucket, span, isInTime && isInBucket);
      while (bucket < series.bounds.length && atMost > (series.bounds[bucket] as number))
        this.#note(++bucket, span, false);
    }
  }

  /** A span that arrived twice counts once. */
  #note(bucket: number, span: number, isSure: boolean): void {
    if ((this.#possible[bucket] as number) > 1) return;
    const other = this.#candidates[bucket] as number;
    if (other !== NO_SPAN && this.#spans.areEqual(span, other)) return;
    this.#possible[bucket] = (this.#possible[bucket] as number) + 1;
    this.#candidates[bucket] = span;
    this.#isSure[bucket] = isSure ? 1 : 0;
  }

  #decide(series: Series, { measure: { unitNs, isCounter }, onOutcome }: Decisions): readonly Link[] {
    const links: Link[] = [];
    for (let bucket = 0; bucket <= series.bounds.length; bucket++) {
      if (this.#possible[bucket] === 0) continue;
      const outcome = this.#outcomeOf(bucket, series.rise(bucket), isCounter);
      onOutcome(outcome);
      if (outcome !== 'linked') continue;
      const span = this.#candidates[bucket] as number;
      links.push({
        value: isCounter ? 1 : this.#spans.durationNs(span) / unitNs,
        timeNs: this.#spans.exactEndNs(span),
        traceId: this.#spans.traceId(span).slice(),
        spanId: this.#spans.spanId(span).slice(),
      });
    }
    return links;
  }

  #outcomeOf(bucket: number, rise: number, isCounter: boolean): Outcome {
    if ((this.#possible[bucket] as number) > 1) return 'ambiguous';
    if (this.#isSure[bucket] === 0) return 'uncertain';
    return (isCounter ? rise === 1 : rise >= 1) ? 'linked' : 'not_counted';
  }
}

/** Buckets include their upper bound. */
function bucketOf(value: number, bounds: Float64Array): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= (bounds[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
