import type { BucketLayout } from './bucket-layout.ts';

/** Beyond this number of series, the exemplars of the least recently updated series are removed. */
const MAX_SERIES = 20_000;

export interface Exemplar {
  readonly value: number;
  /** 0 for unknown. */
  readonly timeNs: bigint;
  /** Hexadecimal digits. */
  readonly traceId: string;
  /** Empty for none. */
  readonly spanId: string;
}

/** The latest exemplar of each counter and of each bucket. */
export class Exemplars {
  /** Indexed by row, then by bucket; a counter has only one. */
  readonly #kept = new Map<number, Exemplar[]>();

  /** Keeps the exemplars of a point that was recorded in the row. */
  add(row: number, exemplars: readonly Exemplar[], layout: BucketLayout | undefined): void {
    if (exemplars.length === 0) return;
    const kept = this.#kept.get(row) ?? [];
    for (const exemplar of exemplars) kept[layout === undefined ? 0 : bucketOf(exemplar.value, layout)] = exemplar;
    this.#kept.delete(row);
    this.#kept.set(row, kept);
    if (this.#kept.size > MAX_SERIES) this.#kept.delete(this.#kept.keys().next().value as number);
  }

  /** One for each bucket that has an exemplar. */
  of(row: number): readonly (Exemplar | undefined)[] | undefined {
    return this.#kept.get(row);
  }

  remove(row: number): void {
    this.#kept.delete(row);
  }
}

function bucketOf(value: number, { values }: BucketLayout): number {
  const bucket = values.findIndex((bound) => value <= bound);
  return bucket < 0 ? values.length : bucket;
}
