import type { Sample } from './data-source.ts';

export interface Bucket {
  readonly upTo: number;
  readonly count: number;
}

/** The counts between neighbouring bounds, from samples that count everything up to their `le`. */
export function bucketsOf(samples: readonly Sample[]): readonly Bucket[] {
  const cumulative = samples
    .map(({ labels, value }) => ({ upTo: labels['le'] === '+Inf' ? Infinity : Number(labels['le']), count: value }))
    .toSorted((one, other) => one.upTo - other.upTo);
  return cumulative.map(({ upTo, count }, index) => ({
    upTo,
    // Increases of buckets are estimated one by one, so a sum may seem to shrink.
    count: Math.max(0, count - (cumulative[index - 1]?.count ?? 0)),
  }));
}
