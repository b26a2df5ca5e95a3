import type { Point } from './point.ts';
import type { SeriesTable } from '../series/series-table.ts';

/** True if the point is older than the value of the row. */
export function isBefore({ timeHigh, timeLow }: Point, series: SeriesTable, row: number): boolean {
  const lastHigh = series.timeHigh[row] as number;
  return timeHigh < lastHigh || (timeHigh === lastHigh && timeLow < (series.timeLow[row] as number));
}

/** Clocks of different machines differ, and points may arrive in another order. */
const CLOCK_STEP_MS = 60_000;

/**
 * True if the value of the row is later than the point because a clock was set back: the value is from the future, or the
 * row has been without a valid point for as long. `nowMs` is the monotonic clock of `seenMs`.
 */
export function wasClockSet(point: Point, series: SeriesTable, row: number, nowMs: number): boolean {
  const lastUnixMs = unixMs(series.timeHigh[row] as number, series.timeLow[row] as number);
  const pointUnixMs = unixMs(point.timeHigh, point.timeLow);
  if (pointUnixMs === 0 || lastUnixMs - pointUnixMs <= CLOCK_STEP_MS) return false;
  return lastUnixMs - Date.now() > CLOCK_STEP_MS || nowMs - (series.seenMs[row] as number) > CLOCK_STEP_MS;
}

function unixMs(high: number, low: number): number {
  return (high * 4_294_967_296 + low) / 1e6;
}

/** True if the point's process, or its interval, began after the value of the row was measured. */
export function beganAfter({ startHigh, startLow }: Point, series: SeriesTable, row: number): boolean {
  const lastHigh = series.timeHigh[row] as number;
  return startHigh > lastHigh || (startHigh === lastHigh && startLow > (series.timeLow[row] as number));
}

/** Clocks of machines differ by less than this. */
const CLOCK_TOLERANCE_MS = 60_000;

/** True if the point's process would begin later than now. */
export function beginsInFuture({ startHigh, startLow }: Point, nowMs: number): boolean {
  return (startHigh * 4_294_967_296 + startLow) / 1e6 > nowMs + CLOCK_TOLERANCE_MS;
}

/**
 * True if a delta may already be part of the total: it does not end after the last one, or it begins before the first
 * one. Intervals may overlap, because SDKs and clocks are not exact to the nanosecond; a gap is not an error.
 * The same rule as in the Collector's deltatocumulative processor.
 */
export function wasCounted(
  { timeHigh, timeLow, startHigh, startLow }: Point,
  series: SeriesTable,
  row: number,
): boolean {
  const lastHigh = series.timeHigh[row] as number;
  const lastLow = series.timeLow[row] as number;
  if (lastHigh === 0 && lastLow === 0) return false;
  if (timeHigh === lastHigh && timeLow === lastLow) return true;
  if (startHigh === 0 && startLow === 0) return false;
  const firstHigh = series.startHigh[row] as number;
  return startHigh < firstHigh || (startHigh === firstHigh && startLow < (series.startLow[row] as number));
}
