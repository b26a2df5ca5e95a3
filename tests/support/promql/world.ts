/** A world of samples for both engines: what a scraped Prometheus would have stored. */
import type { Metric } from '../../../src/metrics/metric.ts';
import { Random } from './random.ts';

export interface WorldSeries {
  /** With its name under `__name__`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly WorldSample[];
}

export interface WorldSample {
  readonly timeMs: number;
  /** Undefined: the series ends here. */
  readonly value: number | undefined;
}

export interface World {
  readonly series: readonly WorldSeries[];
  readonly startMs: number;
  readonly endMs: number;
}

const SCRAPE_MS = 15_000;
const LENGTH_MS = 3_600_000;
/** A round number, so that steps meet samples exactly now and then. */
const START_MS = 1_800_000_000_000;

type Values = (index: number) => number | undefined | 'absent';

export function worldOf(metrics: Readonly<Record<string, Metric>>, seed: number): World {
  const random = new Random(seed);
  const series = [
    ...inventedSeries(random),
    ...Object.entries(metrics).flatMap(([name, metric]) => seriesOf(name, metric, random)),
  ];
  return { series, startMs: START_MS, endMs: START_MS + LENGTH_MS };
}

/** Series with all that happens to samples: resets, gaps, ends, and values that are not finite. */
function inventedSeries(random: Random): WorldSeries[] {
  const series: WorldSeries[] = [];
  const add = (name: string, labels: Record<string, string>, values: Values): void => {
    series.push({ labels: { __name__: name, ...labels }, samples: samplesOf(values, random) });
  };
  for (const instance of ['a', 'b', 'c']) {
    const target = { job: instance === 'c' ? 'other' : 'shop', instance };
    for (const code of ['200', '404', '500']) add('requests_total', { ...target, code }, counter(random, 0.02));
    for (const zone of ['north', 'south']) add('temperature', { ...target, zone }, wave(random));
    add('build_info', { ...target, version: instance === 'a' ? '1.0' : '1.1' }, () => 1);
    add('odd', target, odd(random));
    add('sparse', target, sparse(random));
    add('idle_total', target, () => 42);
    addHistogram('latency', { ...target, route: instance === 'b' ? '/' : '/cart' }, [0.1, 0.5, 1, 2.5], {
      add,
      random,
    });
  }
  add('temperature', { job: 'shop', instance: 'late', zone: 'north' }, (index) => (index < 120 ? 'absent' : index));
  return series;
}

function addHistogram(
  name: string,
  labels: Record<string, string>,
  bounds: readonly number[],
  {
    add,
    random,
  }: { readonly add: (name: string, labels: Record<string, string>, values: Values) => void; readonly random: Random },
): void {
  const counts = [...bounds, Infinity].map(() => counter(random, 0));
  const table: number[][] = [];
  const at = (index: number): number[] => (table[index] ??= counts.map((count) => count(index) as number));
  for (const [bucket, bound] of [...bounds, Infinity].entries()) {
    const le = bound === Infinity ? '+Inf' : String(bound);
    add(`${name}_bucket`, { ...labels, le }, (index) => total(at(index).slice(0, bucket + 1)));
  }
  add(`${name}_count`, labels, (index) => total(at(index)));
  add(`${name}_sum`, labels, (index) => total(at(index)) * 0.7);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Values are asked for in order. */
function counter(random: Random, resets: number): Values {
  let value = Math.floor(random.below(1000));
  return () => {
    if (random.below(1) < resets) value = 0;
    value += Math.floor(random.below(20) * random.below(5));
    return value;
  };
}

function wave(random: Random): Values {
  const phase = random.below(6);
  return (index) => Math.sin(index / 10 + phase) * 20 + random.below(5);
}

function odd(random: Random): Values {
  const values = [NaN, Infinity, -Infinity, 0, -1, 1e9, -0.25, 2.5];
  return () => values[Math.floor(random.below(values.length))];
}

/** Long and short gaps, with and without a marker of the end. */
function sparse(random: Random): Values {
  let gap = 0;
  return (index) => {
    if (gap > 0) {
      gap--;
      return 'absent';
    }
    if (random.below(1) < 0.1) {
      gap = Math.floor(random.below(30));
      return random.below(1) < 0.5 ? undefined : 'absent';
    }
    return index * 1.25 - 100;
  };
}

const LABEL_SETS = 3;

/** Series of a described metric, with values that its labels may have. */
function seriesOf(name: string, metric: Metric, random: Random): WorldSeries[] {
  const series: WorldSeries[] = [];
  const add = (series_: string, labels: Record<string, string>, values: Values): void => {
    series.push({ labels: { __name__: series_, ...labels }, samples: samplesOf(values, random) });
  };
  const seen = new Set<string>();
  for (let set = 0; set < LABEL_SETS; set++) {
    const labels = { job: set === 0 ? 'db_poller' : 'shop', instance: `i${set % 2}`, ...labelValues(metric, set) };
    const key = JSON.stringify(labels);
    if (seen.has(key)) continue;
    seen.add(key);
    if (metric.kind === 'histogram') addHistogram(name, labels, metric.buckets, { add, random });
    else add(name, labels, metric.kind === 'counter' ? counter(random, 0.005) : wave(random));
  }
  return series;
}

function labelValues({ labels }: Metric, set: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([label, values]) => {
      if ('maxValues' in values) return [label, values.constant ?? `${label}${set}`];
      return [label, values[set % values.length] as string];
    }),
  );
}

function samplesOf(values: Values, random: Random): WorldSample[] {
  // Each target has its moment within the interval, and is a little late now and then.
  const shiftMs = random.below(1) < 0.3 ? 0 : Math.floor(random.below(SCRAPE_MS - 100));
  const samples: WorldSample[] = [];
  for (let index = 0; index * SCRAPE_MS < LENGTH_MS; index++) {
    const value = values(index);
    const lateMs = shiftMs > 0 && random.below(1) < 0.1 ? Math.floor(random.below(90)) : 0;
    if (value !== 'absent') samples.push({ timeMs: START_MS + index * SCRAPE_MS + shiftMs + lateMs, value });
  }
  return samples;
}
