import {
  NO_ROOM,
  SINGLE,
  type MetricMetadata,
  type SampleSink,
  type SampleSource,
  type SeriesPart,
} from '../../../../engine/metric-history.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { nameStart } from '../names/label-set.ts';
import { inBlock } from '../series/arena.ts';
import type { BucketLayout } from '../series/bucket-layout.ts';
import { isDistribution, type Family } from '../series/family.ts';
import type { SeriesMemory } from '../series/series-memory.ts';
import { COUNT_CELL, FIRST_BUCKET_CELL, HAS_SUM_CELL, SUM_CELL } from '../series/series-table.ts';

const ROWS_A_STEP = 64;
const NOT_KNOWN = 0;

/** The series of the page for a metric history: what the text page shows, without the text. */
export class PageSamples implements SampleSource {
  readonly #memory: SeriesMemory;
  readonly #openMetrics: boolean;
  readonly #seenSinceMs: () => number;
  /** Series with the same layout share them. */
  readonly #parts = new WeakMap<BucketLayout, readonly SeriesPart[]>();

  /**
   * @param openMetrics true if Prometheus gets OpenMetrics, which writes bounds as `2.0`.
   * @param seenSinceMs series without a point since then are not shown.
   */
  constructor(
    memory: SeriesMemory,
    { openMetrics, seenSinceMs }: { readonly openMetrics: boolean; readonly seenSinceMs: () => number },
  ) {
    this.#memory = memory;
    this.#openMetrics = openMetrics;
    this.#seenSinceMs = seenSinceMs;
  }

  async sample(sink: SampleSink): Promise<void> {
    await this.#memory.whileReading(() => inSlices(this.#rows(sink)));
  }

  metadata(): readonly MetricMetadata[] {
    return this.#memory.families.sorted().map(({ name, type, help }) => ({ name, type, help }));
  }

  *#rows(sink: SampleSink): Generator<undefined, void> {
    const { series, families } = this.#memory;
    const seenSinceMs = this.#seenSinceMs();
    let untilStep = ROWS_A_STEP;
    for (const family of families.sorted()) {
      for (let row = family.firstRow; row >= 0; row = series.next[row] as number) {
        if ((series.seenMs[row] as number) >= seenSinceMs) this.#row(family, row, sink);
        // Another series may get its number meanwhile.
        else series.historyNumbers[row] = NOT_KNOWN;
        if (--untilStep > 0) continue;
        untilStep = ROWS_A_STEP;
        yield;
      }
    }
  }

  #row(family: Family, row: number, sink: SampleSink): void {
    const { series, exemplars } = this.#memory;
    const layout = series.layouts[row];
    if (layout === undefined && isDistribution(family)) return;
    const number = this.#numberOf(family, row, sink);
    if (number === NO_ROOM) return;
    if (layout === undefined) sink.write(number, series.values[row] as number);
    else this.#writeDistribution(family, row, { sink, number, layout });
    // The lines of buckets come first.
    for (const [bucket, exemplar] of exemplars?.of(row) ?? []) sink.writeExemplar(number + bucket, exemplar);
  }

  #numberOf(family: Family, row: number, sink: SampleSink): number {
    const { historyNumbers, layouts } = this.#memory.series;
    const known = historyNumbers[row] as number;
    if (known > 0) return known - 1;
    const layout = layouts[row];
    const parts = layout === undefined ? SINGLE : this.#partsOf(family, layout);
    if (known < 0 && !sink.hasRoom) {
      sink.leaveOut(parts.length);
      return NO_ROOM;
    }
    const number = sink.numberOf({ name: family.name, labels: this.#labelsOf(family, row), parts });
    historyNumbers[row] = number === NO_ROOM ? -1 : number + 1;
    return number;
  }

  #labelsOf(family: Family, row: number): string {
    const text = this.#memory.series.text(row);
    // The text of a number is `name `, `name{labels} ` or `{"name",labels} `.
    return isDistribution(family) ? text : text.slice(nameStart(family.name).length + 1, -'} '.length);
  }

  /** The lines of a histogram or summary, in the order of `#writeDistribution`. */
  #partsOf({ type }: Family, layout: BucketLayout): readonly SeriesPart[] {
    const known = this.#parts.get(layout);
    if (known !== undefined) return known;
    const suffix = type === 'histogram' ? '_bucket' : '';
    const texts = this.#openMetrics ? layout.openMetricsLabels : layout.labels;
    const lines = texts.map((text) => ({ suffix, label: text.slice(0, -'} '.length) }) as const);
    const infinite = type === 'histogram' ? [{ suffix, label: 'le="+Inf"' } as const] : [];
    const parts: SeriesPart[] = [...lines, ...infinite, { suffix: '_sum', label: '' }, { suffix: '_count', label: '' }];
    this.#parts.set(layout, parts);
    return parts;
  }

  #writeDistribution(
    { type }: Family,
    row: number,
    { sink, number, layout }: { readonly sink: SampleSink; readonly number: number; readonly layout: BucketLayout },
  ): void {
    const { series } = this.#memory;
    const address = series.cellAddress(row);
    const { cells } = series.arena.block(address);
    const start = inBlock(address) / cells.BYTES_PER_ELEMENT;
    const count = cells[start + COUNT_CELL] as number;
    let next = number;
    let cumulative = 0;
    for (let i = 0; i < layout.labels.length; i++) {
      const value = cells[start + FIRST_BUCKET_CELL + i] as number;
      cumulative += value;
      sink.write(next++, type === 'histogram' ? cumulative : value);
    }
    if (type === 'histogram') sink.write(next++, count);
    if (cells[start + HAS_SUM_CELL] === 1) sink.write(next, cells[start + SUM_CELL] as number);
    sink.write(next + 1, count);
  }
}
