import { keyOf, labelsOf } from '../../../src/promql/labels.ts';
import { fitsAll } from '../../../src/promql/matcher.ts';
import type { SeriesSource, StoredSeries } from '../../../src/promql/series-source.ts';
import type { World } from './world.ts';

/** The samples of a world for siphon's evaluator. */
export function worldSource({ series }: World): SeriesSource {
  const stored = series.map(({ labels, samples }): StoredSeries => ({
    labels: labelsOf(Object.entries(labels)),
    samples: ({ fromMs, toMs }) => {
      const within = samples.filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs);
      return {
        timesMs: Float64Array.from(within, ({ timeMs }) => timeMs),
        values: Float64Array.from(within, ({ value }) => value ?? NaN),
        ended: Uint8Array.from(within, ({ value }) => Number(value === undefined)),
      };
    },
  }));
  const sorted = stored.toSorted((a, b) => (keyOf(a.labels) < keyOf(b.labels) ? -1 : 1));
  return {
    *select(matchers, _time, budget) {
      const found: StoredSeries[] = [];
      for (const one of sorted) if (yield* fitsAll(one.labels, matchers, budget)) found.push(one);
      return found;
    },
  };
}
