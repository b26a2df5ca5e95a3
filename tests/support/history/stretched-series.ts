/** How a series went on for weeks, by what it did for a minute. */
import { scrapePipelineMetrics } from '../../../src/packs/scrape-pipeline/database-metrics.ts';
import type { Span } from '../../../src/console/data-source.ts';
import type { RecordedSeries } from './recording.ts';

/** A time in which everything happened that happened within a time of the recording, only slower. */
export interface Stretch {
  readonly recorded: Span;
  readonly told: Span;
}

/** The value at a moment; undefined where the series was not there. */
export type StretchedSeries = (atS: number) => number | undefined;

/**
 * Runs, requests and prices are as many as they were, and what happened between two scrapes happens at one moment. What goes
 * on all the time, such as polls and CPU seconds, goes on as fast as it did.
 */
export function stretchedSeries(series: RecordedSeries, stretches: readonly Stretch[]): StretchedSeries {
  if (series.metric.kind !== 'gauge') return counterOf(series, stretches);
  return series.name.endsWith('_timestamp_seconds') ? timeOf(series, stretches) : gaugeOf(series, stretches);
}

function gaugeOf(series: RecordedSeries, stretches: readonly Stretch[]): StretchedSeries {
  return (atS) => valueAt(series, recordedAt(stretchAt(stretches, atS), atS));
}

/** A run that was so long ago is as many times longer ago as the time is stretched. */
function timeOf(series: RecordedSeries, stretches: readonly Stretch[]): StretchedSeries {
  return (atS) => {
    const stretch = stretchAt(stretches, atS);
    const recordedS = recordedAt(stretch, atS);
    const value = valueAt(series, recordedS);
    if (value === undefined) return undefined;
    return Math.floor(atS - (recordedS - value) * (isOfRuns(series) ? slownessOf(stretch) : 1));
  };
}

/** Each stretch goes on where the one before has ended. */
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

/** What happens when the pipeline runs, and not in between. */
function isOfRuns({ name, metric: { source } }: RecordedSeries): boolean {
  return source === 'sdk' || source === 'runtime' || Object.hasOwn(scrapePipelineMetrics, name);
}

function stretchAt(stretches: readonly Stretch[], atS: number): Stretch {
  const found = stretches.find(({ told }) => atS <= told.toS) ?? stretches.at(-1);
  if (found === undefined) throw new RangeError('a history has at least one stretch');
  return found;
}

function recordedAt(stretch: Stretch, atS: number): number {
  return stretch.recorded.fromS + (atS - stretch.told.fromS) / slownessOf(stretch);
}

function slownessOf({ recorded, told }: Stretch): number {
  return (told.toS - told.fromS) / (recorded.toS - recorded.fromS);
}

/** Nothing is scraped for longer than this of a series that is gone. */
const LONGEST_GAP_S = 5;

function valueAt(series: RecordedSeries, atS: number): number | undefined {
  const lastS = series.timesS[indexBefore(series.timesS, atS)] ?? -Infinity;
  return atS - lastS > LONGEST_GAP_S ? undefined : lastValue(series, atS);
}

/** A counter that was not scraped for a while has not begun anew. */
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

/** Of the last one that is not later; -1 if there is none. */
function indexBefore(timesS: readonly number[], atS: number): number {
  const later = timesS.findIndex((timeS) => timeS > atS);
  return later === -1 ? timesS.length - 1 : later - 1;
}
