import { inPage } from '../series/arena.ts';
import { hasValues, isIncreasing } from '../series/bucket-layout.ts';
import type { Point } from './point.ts';
import { COUNT_CELL, FIRST_BUCKET_CELL, HAS_SUM_CELL, SUM_CELL, type SeriesTable } from '../series/series-table.ts';

/** More make a page that nobody can use. */
const MAX_BUCKETS = 1024;

/**
 * Puts a histogram's or a summary's point into the cells of its row; a delta is added to what is there. Other
 * bounds are another histogram: its counts begin anew, as after a restart.
 *
 * @returns false, and changes nothing, where the bounds cannot become labels or the counts do not fit them.
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
  const { cells } = series.arena.page(address);
  const start = inPage(address) / cells.BYTES_PER_ELEMENT;
  const first = start + FIRST_BUCKET_CELL;
  if (!delta) cells.fill(0, start, first + bounds.length);
  cells[start + COUNT_CELL] = (cells[start + COUNT_CELL] as number) + point.count;
  cells[start + SUM_CELL] = (cells[start + SUM_CELL] as number) + point.sum;
  if (point.hasSum) cells[start + HAS_SUM_CELL] = 1;
  for (let i = 0; i < bounds.length; i++) cells[first + i] = (cells[first + i] as number) + (counts[i] as number);
  return true;
}

/** Histograms count one bucket more than they have bounds; summaries have a value for each quantile. */
function hasCounts({ bounds, counts }: Point): boolean {
  return counts.length === bounds.length + 1 || counts.length === bounds.length;
}
