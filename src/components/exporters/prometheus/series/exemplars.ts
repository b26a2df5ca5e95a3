import type { BucketLayout } from './bucket-layout.ts';

/** Beyond this number, the exemplars of the least recently updated series are removed. */
const MAX_EXEMPLARS = 50_000;

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
  #count = 0;

  /** Keeps the exemplars of a point that was recorded in the row. */
  add(row: number, exemplars: readonly Exemplar[], layout: BucketLayout | undefined): void {
    if (exemplars.length === 0) return;
    const kept = this.#kept.get(row) ?? [];
    for (const exemplar of exemplars) {
      const bucket = layout === undefined ? 0 : bucketOf(exemplar.value, layout);
      if (kept[bucket] === undefined) this.#count++;
      kept[bucket] = exemplar;
    }
    this.#kept.delete(row);
    this.#kept.set(row, kept);
    while (this.#count > MAX_EXEMPLARS && this.#kept.size > 1) this.remove(this.#kept.keys().next().value as number);
  }

  /** One for each bucket that has an exemplar. */
  of(row: number): readonly (Exemplar | undefined)[] | undefined {
    return this.#kept.get(row);
  }

  remove(row: number): void {
    const kept = this.#kept.get(row);
    if (kept === undefined) return;
    this.#kept.delete(row);
    for (const exemplar of kept) if (exemplar !== undefined) this.#count--;
  }

  /** The series gets another row. */
  move(from: number, to: number): void {
    const kept = this.#kept.get(from);
    if (kept === undefined) return;
    this.#kept.delete(from);
    this.#kept.set(to, kept);
  }
}

function bucketOf(value: number, { values }: BucketLayout): number {
  const bucket = values.findIndex((bound) => value <= bound);
  return bucket < 0 ? values.length : bucket;
}
