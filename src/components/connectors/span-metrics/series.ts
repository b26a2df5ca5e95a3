import type { KeptExemplars } from './kept-exemplars.ts';
import { attribute, type Labels } from './labels.ts';

/** A series of a counter or histogram, since its first span. */
export interface Series {
  readonly attributes: readonly Uint8Array[];
  readonly startNs: bigint;
  readonly isOverflow: boolean;
  seenMs: number;
  count: number;
  sum: number;
  /** One for each bucket; none for a counter. */
  readonly buckets: Float64Array;
  exemplars: KeptExemplars | undefined;
}

/** How many more series all tables may have. */
export interface SeriesBudget {
  left: number;
}

/** The time at which spans arrived. */
export interface Arrival {
  readonly nowMs: number;
  readonly nowNs: bigint;
}

export interface SeriesLimits {
  /** The greatest number of series of a table, besides the overflow series. */
  readonly perTable: number;
  readonly budget: SeriesBudget;
}

const OVERFLOW: readonly Uint8Array[] = [attribute('otel.metric.overflow', true).encoded];

/** The series of one metric of one resource. Spans of further ones are counted in the overflow series. */
export class SeriesTable {
  readonly #series = new Map<string, Series>();
  readonly #limits: SeriesLimits;
  readonly #bucketCount: number;
  #overflow: Series | undefined;

  constructor(limits: SeriesLimits, bucketCount: number) {
    this.#limits = limits;
    this.#bucketCount = bucketCount;
  }

  /** The series of these labels, or the overflow series if there is no room. */
  of({ text, attributes }: Labels, { nowMs, nowNs }: Arrival): Series {
    const known = this.#series.get(text);
    if (known !== undefined) return known;
    const { perTable, budget } = this.#limits;
    if (this.#series.size < perTable && budget.left > 0) {
      budget.left--;
      const series = this.#create(attributes, { nowMs, nowNs, isOverflow: false });
      this.#series.set(text, series);
      return series;
    }
    this.#overflow ??= this.#create(OVERFLOW, { nowMs, nowNs, isOverflow: true });
    return this.#overflow;
  }

  *all(): Generator<Series> {
    yield* this.#series.values();
    if (this.#overflow !== undefined) yield this.#overflow;
  }

  get size(): number {
    return this.#series.size + (this.#overflow === undefined ? 0 : 1);
  }

  /** Removes the series without a span since then. @returns true if there were any. */
  expire(sinceMs: number): boolean {
    const { size } = this;
    for (const [text, { seenMs }] of this.#series) {
      if (seenMs >= sinceMs) continue;
      this.#series.delete(text);
      this.#limits.budget.left++;
    }
    if (this.#overflow !== undefined && this.#overflow.seenMs < sinceMs) this.#overflow = undefined;
    return this.size < size;
  }

  #create(
    attributes: readonly Uint8Array[],
    { nowMs, nowNs, isOverflow }: Arrival & { readonly isOverflow: boolean },
  ): Series {
    const buckets = new Float64Array(this.#bucketCount);
    return { attributes, startNs: nowNs, isOverflow, seenMs: nowMs, count: 0, sum: 0, buckets, exemplars: undefined };
  }
}
