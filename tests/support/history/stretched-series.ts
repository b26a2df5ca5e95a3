/** Stretches the recorded minutes of a series to weeks. */
import type { Span } from '../../../src/console/data-source.ts';
import type { RecordedSeries } from './recording.ts';

/** A recorded span, and the longer span that it is stretched to. */
export interface Stretch {
  readonly recorded: Span;
  readonly stretched: Span;
}

/** The value at a moment; undefined while the series is absent. */
export type StretchedSeries = (atS: number) => number | undefined;

/**
 * Keeps the number of runs and of all that they cause, such as requests, spans, transactions and prices; events between
 * two scrapes happen at one moment. Keeps the rate of everything continuous, such as polls and CPU seconds.
 */
export function stretchedSeries(series: RecordedSeries, stretches: readonly Stretch[]): StretchedSeries {
  if (series.metric.kind !== 'gauge') return counterOf(series, stretches);
  return series.name.endsWith('_timestamp_seconds') ? timeOf(series, stretches) : gaugeOf(series, stretches);
}

function gaugeOf(series: RecordedSeries, stretches: readonly Stretch[]): StretchedSeries {
  return (atS) => {
    const stretch = stretchAt(stretches, atS);
    const value = valueAt(series, recordedAt(stretch, atS));
    return value !== undefined && AGES.has(series.name) ? value * slownessOf(stretch) : value;
  };
}

/** Ages of events that rows cause: as many times longer ago as the rows. */
const AGES: ReadonlySet<string> = new Set(['database_table_autovacuum_age_seconds']);

/** The age of a run is stretched like the time itself. */
function timeOf(series: RecordedSeries, stretches: readonly Stretch[]): StretchedSeries {
  return (atS) => {
    const stretch = stretchAt(stretches, atS);
    const recordedS = recordedAt(stretch, atS);
    const value = valueAt(series, recordedS);
    if (value === undefined) return undefined;
    return Math.floor(atS - (recordedS - value) * (isOfRuns(series) ? slownessOf(stretch) : 1));
  };
}

/** Each stretch continues from the total of the previous one. */
function counterOf(series: RecordedSeries, stretches: readonly Stretch[]): StretchedSeries {
  const isStepped = isOfRuns(series);
  const isWhole = series.values.every((value) => Number.isInteger(value));
  const recorded = (atS: number): number | undefined => (isStepped ? lastValue : valueBetween)(series, atS);
  const factors = stretches.map((stretch) => (isStepped ? 1 : slownessOf(stretch)));
  let total = recorded(stretches[0]?.recorded.fromS ?? 0) ?? 0;
  const offsets = stretches.map(({ recorded: { fromS, toS } }, index) => {
    const [factor = 1, start] = [factors[index], recorded(fromS) ?? 0];
    const offset = total - start * factor;
    total = offset + (recorded(toS) ?? 0) * factor;
    return offset;
  });
  return (atS) => {
    const stretch = stretchAt(stretches, atS);
    const index = stretches.indexOf(stretch);
    const value = recorded(recordedAt(stretch, atS));
    if (value === undefined && index === 0) return undefined;
    const all = (offsets[index] ?? 0) + (value ?? 0) * (factors[index] ?? 1);
    return isWhole ? Math.round(all) : all;
  };
}

/** Items that runs cause, unlike polls and the points that arrive all the time; and the time since which rows count. */
const OF_RUNS = /_spans|_sentry_|_counting_since_/;
/** Work that processes do all the time. */
const CONTINUOUS = /^v8js_gc_/;

/** Returns whether the series changes almost only during runs of the pipeline. */
function isOfRuns({ name, metric: { source } }: RecordedSeries): boolean {
  if (CONTINUOUS.test(name)) return false;
  return source === 'sdk' || source === 'runtime' || source === 'poller' || OF_RUNS.test(name);
}

function stretchAt(stretches: readonly Stretch[], atS: number): Stretch {
  const found = stretches.find(({ stretched }) => atS <= stretched.toS) ?? stretches.at(-1);
  if (found === undefined) throw new RangeError('a history needs at least one stretch');
  return found;
}

function recordedAt(stretch: Stretch, atS: number): number {
  return stretch.recorded.fromS + (atS - stretch.stretched.fromS) / slownessOf(stretch);
}

function slownessOf({ recorded, stretched }: Stretch): number {
  return (stretched.toS - stretched.fromS) / (recorded.toS - recorded.fromS);
}

/** A series without a sample for longer than this is absent. */
const LONGEST_GAP_S = 5;

function valueAt(series: RecordedSeries, atS: number): number | undefined {
  const lastS = series.timesS[indexBefore(series.timesS, atS)] ?? -Infinity;
  return atS - lastS > LONGEST_GAP_S ? undefined : lastValue(series, atS);
}

/** A counter that was not scraped for a while keeps its last value. */
function lastValue({ timesS, values }: RecordedSeries, atS: number): number | undefined {
  return values[indexBefore(timesS, atS)];
}

function valueBetween({ timesS, values }: RecordedSeries, atS: number): number | undefined {
  const index = indexBefore(timesS, atS);
  const [value, next] = [values[index], values[index + 1]];
  if (value === undefined || next === undefined) return value;
  const [fromS, toS] = [timesS[index] ?? 0, timesS[index + 1] ?? 0];
  return value + ((next - value) * (atS - fromS)) / (toS - fromS);
}

/** The index of the last sample that is not later; -1 without such a sample. */
function indexBefore(timesS: readonly number[], atS: number): number {
  const later = timesS.findIndex((timeS) => timeS > atS);
  return later === -1 ? timesS.length - 1 : later - 1;
}
