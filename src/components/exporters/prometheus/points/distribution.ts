import { inBlock } from '../series/arena.ts';
import { hasValues, isIncreasing } from '../series/bucket-layout.ts';
import type { Point } from './point.ts';
import { COUNT_CELL, FIRST_BUCKET_CELL, HAS_SUM_CELL, SUM_CELL, type SeriesTable } from '../series/series-table.ts';

/** A page with more is of no use. */
const MAX_BUCKETS = 1024;

/**
 * Writes the point of a histogram or summary to the cells of its row, or adds a delta to them. If the bounds change,
 * the counts start from 0, as after a restart.
 *
 * @returns false, without a change, if the bounds cannot become labels or do not match the counts.
 */
export function setDistribution(point: Point, series: SeriesTable, row: number, delta: boolean): boolean {
  if (!hasCounts(point)) return false;
  const { bounds, counts } = point;
  const layout = series.layouts[row];
  if (layout === undefined || !hasValues(layout, bounds)) {
    if (bounds.length > MAX_BUCKETS || !isIncreasing(bounds)) return false;
    series.setLayout(row, bounds);
  }
  const address = series.cellAddress(row);
  const { cells } = series.arena.block(address);
  const start = inBlock(address) / cells.BYTES_PER_ELEMENT;
  const first = start + FIRST_BUCKET_CELL;
  if (!delta) cells.fill(0, start, first + bounds.length);
  cells[start + COUNT_CELL] = (cells[start + COUNT_CELL] as number) + point.count;
  cells[start + SUM_CELL] = (cells[start + SUM_CELL] as number) + point.sum;
  if (point.hasSum) cells[start + HAS_SUM_CELL] = 1;
  for (let i = 0; i < bounds.length; i++) cells[first + i] = (cells[first + i] as number) + (counts[i] as number);
  return true;
}

/** Histograms have one more count than bounds; summaries have a value for each quantile. */
function hasCounts({ bounds, counts }: Point): boolean {
  return counts.length === bounds.length + 1 || counts.length === bounds.length;
}
