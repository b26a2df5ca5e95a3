import { setImmediate as nextTurn } from 'node:timers/promises';
import { inPage } from './arena.ts';
import type { BucketLayout } from './bucket-layout.ts';
import type { Exemplars } from './exemplars.ts';
import { openMetricsName, type Family } from './family.ts';
import { escapeHelp, quoteMetric, sampleStart, sampleText } from './label-set.ts';
import { escapeLabels, escapeName, type EscapingScheme } from './name-escaping.ts';
import type { PageBuffer } from './page-buffer.ts';
import { COUNT_CELL, FIRST_BUCKET_CELL, HAS_SUM_CELL, SUM_CELL, type SeriesTable } from './series-table.ts';

export interface PageFormat {
  readonly openMetrics: boolean;
  readonly timestamps: boolean;
  /** Of names; series whose names need none are written fastest as `allow-utf-8`. */
  readonly escaping: EscapingScheme;
}

export interface PageContent {
  readonly families: readonly Family[];
  readonly series: SeriesTable;
  readonly exemplars: Exemplars | undefined;
  /** Series that were not seen since are not shown. */
  readonly seenSinceMs: number;
}

/** How long the rest of the process waits for a page at a time, and how many series pass between looks at the clock. */
const SLICE_MS = 5;
const SERIES_A_LOOK = 64;

/**
 * Writes the page: text format 0.0.4 or OpenMetrics 1.0, letter for letter as the stock Collector does. Other
 * work goes on between slices and may change values and add series; nothing may be freed meanwhile.
 */
export async function renderPage(content: PageContent, format: PageFormat, target: PageBuffer): Promise<void> {
  const page = new Page(content, format, target);
  let sliceStart = performance.now();
  let untilLook = SERIES_A_LOOK;
  for (const family of content.families) {
    page.open(family);
    for (let row = family.firstRow; row >= 0; row = content.series.next[row] as number) {
      page.series(row);
      if (--untilLook > 0) continue;
      untilLook = SERIES_A_LOOK;
      if (performance.now() - sliceStart < SLICE_MS) continue;
      await nextTurn();
      sliceStart = performance.now();
    }
  }
  if (format.openMetrics) target.ascii('# EOF\n');
}

class Page {
  readonly #content: PageContent;
  readonly #format: PageFormat;
  readonly #target: PageBuffer;
  #family: Family | undefined;
  /** The family's, as this format writes it. */
  #name = '';
  #hasHeader = false;

  constructor(content: PageContent, format: PageFormat, target: PageBuffer) {
    this.#content = content;
    this.#format = format;
    this.#target = target;
  }

  open(family: Family): void {
    this.#family = family;
    this.#name = escapeName(family.name, this.#format.escaping);
    this.#hasHeader = false;
  }

  series(row: number): void {
    const { series, seenSinceMs } = this.#content;
    const family = this.#family as Family;
    if (!((series.seenMs[row] as number) >= seenSinceMs)) return;
    if (!this.#hasHeader) this.#header(family);
    this.#hasHeader = true;
    const layout = series.layouts[row];
    if (layout !== undefined) return this.#distribution(family, row, layout);
    if (family.type === 'histogram' || family.type === 'summary') return;
    this.#sample(row);
    this.#number(series.values[row] as number);
    this.#endSample(row, this.#content.exemplars?.of(row)?.[0]);
  }

  #header(family: Family): void {
    const { openMetrics } = this.#format;
    const { type, help } = family;
    const name = quoteMetric(openMetrics ? openMetricsName({ name: this.#name, type }) : this.#name);
    const shown = openMetrics && type === 'counter' && !this.#name.endsWith('_total') ? 'unknown' : type;
    this.#target.text(`# HELP ${name} ${escapeHelp(help, openMetrics)}\n# TYPE ${name} ${shown}\n`);
  }

  #distribution(family: Family, row: number, layout: BucketLayout): void {
    const address = this.#content.series.cellAddress(row);
    const { cells } = this.#content.series.arena.page(address);
    const start = inPage(address) / 8;
    const count = cells[start + COUNT_CELL] as number;
    const first = start + FIRST_BUCKET_CELL;
    if (family.type === 'histogram') this.#buckets(row, layout, { cells, first, count });
    else this.#quantiles(row, layout, { cells, first });
    if (cells[start + HAS_SUM_CELL] === 1) {
      this.#plain(`${this.#name}_sum`, row);
      this.#number(cells[start + SUM_CELL] as number);
      this.#endSample(row);
    }
    this.#plain(`${this.#name}_count`, row);
    this.#count(count);
    this.#endSample(row);
  }

  /** The lines of a series differ in their ends only, so each begins as a copy of the one before it. */
  #buckets(
    row: number,
    layout: BucketLayout,
    { cells, first, count }: { cells: Float64Array; first: number; count: number },
  ): void {
    const exemplars = this.#content.exemplars?.of(row);
    const labels = this.#format.openMetrics ? layout.openMetricsLabels : layout.labels;
    const start = this.#target.length;
    const length = this.#lineStart(`${this.#name}_bucket`, row);
    let cumulative = 0;
    for (let i = 0; i < labels.length; i++) {
      if (i > 0) this.#target.repeat(start, start + length);
      cumulative += cells[first + i] as number;
      this.#target.ascii(labels[i] as string);
      this.#count(cumulative);
      this.#endSample(row, exemplars?.[i]);
    }
    if (labels.length > 0) this.#target.repeat(start, start + length);
    this.#target.ascii('le="+Inf"} ');
    this.#count(count);
    this.#endSample(row, exemplars?.[labels.length]);
  }

  #quantiles(
    row: number,
    { labels, openMetricsLabels, values }: BucketLayout,
    { cells, first }: { cells: Float64Array; first: number },
  ): void {
    for (let i = 0; i < values.length; i++) {
      this.#lineStart(this.#name, row);
      this.#target.ascii((this.#format.openMetrics ? openMetricsLabels : labels)[i] as string);
      this.#number(cells[first + i] as number);
      this.#endSample(row);
    }
  }

  /** `name{labels,`, to be followed by one more label; returns its length. */
  #lineStart(name: string, row: number): number {
    const { length } = this.#target;
    const hasLabels = this.#content.series.textLength(row) > 0;
    this.#target.text(sampleStart(name, true));
    this.#labels(row);
    if (hasLabels) this.#target.ascii(',');
    return this.#target.length - length;
  }

  /** `name{labels} ` */
  #plain(name: string, row: number): void {
    if (this.#content.series.textLength(row) === 0) {
      const start = sampleStart(name, false);
      return this.#target.text(start.startsWith('{') ? `${start}} ` : `${name} `);
    }
    this.#target.text(sampleStart(name, true));
    this.#labels(row);
    this.#target.ascii('} ');
  }

  /** `name{labels} ` */
  #sample(row: number): void {
    if (this.#format.escaping === 'allow-utf-8') return this.#copyText(row);
    const text = this.#content.series.text(row);
    const labels = escapeLabels(text.slice(text.indexOf('{') + 1, text.lastIndexOf('}')), this.#format.escaping);
    this.#target.text(`${sampleText(this.#name, labels)} `);
  }

  #labels(row: number): void {
    if (this.#format.escaping === 'allow-utf-8') this.#copyText(row);
    else this.#target.text(escapeLabels(this.#content.series.text(row), this.#format.escaping));
  }

  #copyText(row: number): void {
    const { series } = this.#content;
    const address = series.textAddress(row);
    this.#target.bytes(series.arena.page(address).bytes, inPage(address), series.textLength(row));
  }

  #number(value: number): void {
    if (this.#format.openMetrics) this.#target.openMetricsNumber(value);
    else this.#target.number(value);
  }

  /** OpenMetrics wants counts as integers. */
  #count(value: number): void {
    if (this.#format.openMetrics) this.#target.integer(value);
    else this.#target.number(value);
  }

  #endSample(row: number, exemplar?: string): void {
    if (this.#format.timestamps) this.#timestamp(row);
    if (exemplar !== undefined && this.#format.openMetrics) this.#target.ascii(exemplar);
    this.#target.endLine();
  }

  /** Milliseconds, or in OpenMetrics seconds. Doubles would round the nanoseconds before they are cut off. */
  #timestamp(row: number): void {
    const { timeHigh, timeLow } = this.#content.series;
    const timeNs = BigInt(timeHigh[row] as number) * 4_294_967_296n + BigInt(timeLow[row] as number);
    if (timeNs === 0n) return;
    const timeMs = Number(timeNs / 1_000_000n);
    this.#target.ascii(' ');
    if (this.#format.openMetrics) this.#target.openMetricsNumber(timeMs / 1000);
    else this.#target.integer(timeMs);
  }
}
