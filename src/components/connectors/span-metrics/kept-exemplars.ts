/** A span whose duration was counted. */
export interface Exemplar {
  readonly value: number;
  readonly timeNs: bigint;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
}

interface Kept {
  newest: Exemplar;
  slowest: Exemplar;
  /** The interval of `slowest`. */
  interval: number;
}

/** The exemplars of one series: of each bucket the newest, and the slowest of the interval. They stay until others take their place. */
export class KeptExemplars {
  readonly #buckets: (Kept | undefined)[] = [];

  add(bucket: number, exemplar: Exemplar, interval: number): void {
    const kept = this.#buckets[bucket];
    if (kept === undefined) {
      this.#buckets[bucket] = { newest: exemplar, slowest: exemplar, interval };
      return;
    }
    kept.newest = exemplar;
    if (kept.interval === interval && exemplar.value < kept.slowest.value) return;
    kept.slowest = exemplar;
    kept.interval = interval;
  }

  /** The newest of a bucket comes after the slowest. */
  all(maxCount: number): readonly Exemplar[] {
    const all: Exemplar[] = [];
    // The array has holes.
    for (const kept of this.#buckets) {
      if (kept === undefined) continue;
      if (kept.slowest !== kept.newest) all.push(kept.slowest);
      all.push(kept.newest);
    }
    if (all.length <= maxCount) return all;
    return all.toSorted((a, b) => Number(a.timeNs - b.timeNs)).slice(all.length - maxCount);
  }
}
