import { inBlock } from '../series/arena.ts';
import { hasValues, isIncreasing } from '../series/bucket-layout.ts';
import type { DropReason } from './drops.ts';
import type { Point } from './point.ts';
import { COUNT_CELL, FIRST_BUCKET_CELL, HAS_SUM_CELL, SUM_CELL, type SeriesTable } from '../series/series-table.ts';

/** A page with more is of no use. */
const MAX_BUCKETS = 1024;

type Columns = Pick<Point, 'bounds' | 'counts'>;

/**
 * Writes the point of a histogram or summary to the cells of its row, or adds a delta to them. If the bounds change,
 * the counts start from 0, as after a restart. Bounds in another order are sorted.
 *
 * @returns the reason, without a change, if the bounds cannot become labels, do not match the counts, or need more
 * memory than the limit allows.
 */
export function setDistribution(
  point: Point,
  series: SeriesTable,
  row: number,
  { delta, hasBytes }: { readonly delta: boolean; readonly hasBytes: (onPage: number) => boolean },
): DropReason | undefined {
  const columns = columnsOf(point, series, row);
  if (columns === undefined) return 'invalid_buckets';
  const { bounds, counts } = columns;
  const layout = series.layouts[row];
  if (layout === undefined || !hasValues(layout, bounds)) {
    if (!hasBytes(series.repeatedBytesOf(row, bounds.length))) return 'max_series_bytes';
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
  return undefined;
}

/** The bounds in increasing order, with their counts. Undefined if they cannot become labels. */
function columnsOf(point: Point, series: SeriesTable, row: number): Columns | undefined {
  const { bounds, counts } = point;
  if (counts.length === 0) return NO_BUCKETS;
  if (!hasCounts(point)) return undefined;
  const layout = series.layouts[row];
  if (layout !== undefined && hasValues(layout, bounds)) return point;
  if (bounds.length > MAX_BUCKETS) return undefined;
  return isIncreasing(bounds) ? point : sorted(point, series.families[row]?.type === 'summary');
}

/** The columns of a point without buckets, and of one that has bounds but no counts. */
const NO_BUCKETS: Columns = { bounds: new Float64Array(0), counts: new Float64Array(0) };

/** Histograms have one more count than bounds; summaries have a value for each quantile. */
function hasCounts({ bounds, counts }: Columns): boolean {
  return counts.length === bounds.length + 1 || counts.length === bounds.length;
}

/** Keeps the first count of a repeated bound and the last value of a repeated quantile, as the stock Collector does. */
function sorted({ bounds, counts }: Columns, keepsLast: boolean): Columns | undefined {
  const byBound = new Map<number, number>();
  for (const [i, bound] of bounds.entries()) {
    if (keepsLast || !byBound.has(bound)) byBound.set(bound, counts[i] as number);
  }
  if (byBound.has(NaN)) return undefined;
  const entries = [...byBound].toSorted(([a], [b]) => a - b);
  return {
    bounds: Float64Array.from(entries, ([bound]) => bound),
    counts: Float64Array.from([...entries.map(([, count]) => count), ...counts.subarray(bounds.length)]),
  };
}
