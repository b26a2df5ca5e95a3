import type { Point } from './point.ts';
import type { SeriesTable } from '../series/series-table.ts';

/** True if the point is older than the value of the row. */
export function isBefore({ timeHigh, timeLow }: Point, series: SeriesTable, row: number): boolean {
  const lastHigh = series.timeHigh[row] as number;
  return timeHigh < lastHigh || (timeHigh === lastHigh && timeLow < (series.timeLow[row] as number));
}

/** True if the point's process, or its interval, began after the value of the row was measured. */
export function beganAfter({ startHigh, startLow }: Point, series: SeriesTable, row: number): boolean {
  const lastHigh = series.timeHigh[row] as number;
  return startHigh > lastHigh || (startHigh === lastHigh && startLow > (series.timeLow[row] as number));
}

/**
 * True if a delta has already been counted, in whole or in part: its end is the same as before, or its interval begins
 * before the last one ended. A gap between intervals is not an error.
 */
export function overlaps(point: Point, series: SeriesTable, row: number): boolean {
  const lastHigh = series.timeHigh[row] as number;
  const lastLow = series.timeLow[row] as number;
  if (lastHigh === 0 && lastLow === 0) return false;
  if (point.timeHigh === lastHigh && point.timeLow === lastLow) return true;
  const { startHigh, startLow } = point;
  if (startHigh === 0 && startLow === 0) return false;
  return startHigh < lastHigh || (startHigh === lastHigh && startLow < lastLow);
}
