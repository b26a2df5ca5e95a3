export interface DurationBucket {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** Two buckets for each power of ten, from the shortest duration to the longest. */
export function durationBuckets(durationsMs: readonly number[]): readonly DurationBucket[] {
  const places = durationsMs.map(placeOf);
  const [first, last] = [Math.min(...places), Math.max(...places)];
  if (durationsMs.length === 0) return [];
  const counts = Map.groupBy(places, (place) => place);
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    fromMs: boundOf(first + index),
    toMs: boundOf(first + index + 1),
    count: counts.get(first + index)?.length ?? 0,
  }));
}

/** Shorter ones are in the first bucket: a clock that was set back makes a duration negative. */
const SHORTEST_MS = 0.001;
const BUCKETS_A_DECADE = 2;

function placeOf(durationMs: number): number {
  return Math.floor(Math.log10(Math.max(durationMs, SHORTEST_MS)) * BUCKETS_A_DECADE);
}

function boundOf(place: number): number {
  return 10 ** (place / BUCKETS_A_DECADE);
}
