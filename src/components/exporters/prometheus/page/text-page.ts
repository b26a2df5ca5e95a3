import { inBlock } from '../series/arena.ts';
import type { BucketLayout } from '../series/bucket-layout.ts';
import { PageNames } from './page-names.ts';
import type { Exemplar, ExemplarsByBucket } from '../series/exemplars.ts';
import { isDistribution, openMetricsName, type Family } from '../series/family.ts';
import { escapeHelp, nameStart, quoteMetric, sampleStart, sampleText } from '../names/label-set.ts';
import { openMetricsNumber } from '../names/number-text.ts';
import type { PageBuffer } from './page-buffer.ts';
import type { PageContent, PageFormat, PageWriter } from './page-content.ts';
import { COUNT_CELL, FIRST_BUCKET_CELL, HAS_SUM_CELL, SUM_CELL } from '../series/series-table.ts';

/** The text format 0.0.4 or OpenMetrics 1.0, character for character as the stock Collector writes them. */
export class TextPage implements PageWriter {
  readonly #content: PageContent;
  readonly #format: PageFormat;
  readonly #openMetrics: boolean;
  readonly #target: PageBuffer;
  readonly #escaped: PageNames | undefined;
  #family: Family | undefined;
  /** The name of the family in this format. */
  #name: string | undefined;
  #bucket = lineStarts('');
  #sum = this.#bucket;
  #count = this.#bucket;
  #quantile = this.#bucket;
  #created = this.#bucket;
  /** Counters only: the start of the `_created` sample, and how many bytes of the sample's text it replaces. */
  #counterCreated = { start: Buffer.alloc(0), replacedBytes: 0 };
  #startText = { high: 0, low: 0, text: '' };
  /** The labels of the current series, unless they are copied without a change. */
  #escapedLabels = '';
  #hasHeader = false;

  constructor(content: PageContent, format: PageFormat, target: PageBuffer) {
    this.#content = content;
    this.#format = format;
    this.#target = target;
    this.#openMetrics = format.syntax === 'openmetrics';
    const { escaping } = format;
    this.#escaped = escaping === 'allow-utf-8' ? undefined : new PageNames(escaping, this.#openMetrics);
  }

  open(family: Family): void {
    this.#family = family;
    this.#hasHeader = false;
    this.#name = this.#escaped === undefined ? family.name : this.#escaped.ofFamily(family);
    if (this.#name === undefined) return;
    if (isDistribution(family)) {
      this.#bucket = lineStarts(`${this.#name}_bucket`);
      this.#sum = lineStarts(`${this.#name}_sum`);
      this.#count = lineStarts(`${this.#name}_count`);
      this.#quantile = lineStarts(this.#name);
    }
    if (!this.#openMetrics) return;
    const created = `${openMetricsName({ name: this.#name, type: family.type })}_created`;
    this.#created = lineStarts(created);
    this.#counterCreated = {
      start: Buffer.from(nameStart(created)),
      replacedBytes: Buffer.byteLength(nameStart(this.#name)),
    };
  }

  close(): void {}

  end(): void {
    if (this.#openMetrics) this.#target.ascii('# EOF\n');
  }

  series(row: number): void {
    const { series, seenSinceMs } = this.#content;
    const family = this.#family as Family;
    const name = this.#name;
    if (name === undefined || !((series.seenMs[row] as number) >= seenSinceMs)) return;
    const layout = series.layouts[row];
    const isBare = isDistribution(family);
    if (isBare && layout === undefined) return;
    if (this.#escaped !== undefined && !this.#escapeLabels(row, isBare)) return;
    if (!this.#hasHeader) this.#header(name, family);
    this.#hasHeader = true;
    if (layout !== undefined) this.#distribution(family, row, layout);
    else this.#numberSample(family, row);
  }

  #numberSample({ type }: Family, row: number): void {
    this.#sample(row);
    this.#number(this.#content.series.values[row] as number);
    this.#endSample(row, this.#content.exemplars?.of(row)?.get(0));
    if (type === 'counter' && this.#name?.endsWith('_total') && this.#hasCreated(row)) this.#counterCreatedSample(row);
  }

  #header(name: string, { type, help, unit }: Family): void {
    const openMetrics = this.#openMetrics;
    const base = openMetrics ? openMetricsName({ name, type }) : name;
    const quoted = quoteMetric(base);
    const shown = openMetrics && type === 'counter' && !name.endsWith('_total') ? 'unknown' : type;
    this.#target.text(`# HELP ${quoted} ${escapeHelp(help, openMetrics)}\n# TYPE ${quoted} ${shown}\n`);
    if (openMetrics && unit !== '' && base.endsWith(`_${unit}`)) this.#target.text(`# UNIT ${quoted} ${unit}\n`);
  }

  /** Returns false if another series on the page has the same labels. */
  #escapeLabels(row: number, isBare: boolean): boolean {
    const text = this.#content.series.text(row);
    const labels = isBare ? text : text.slice(text.indexOf('{') + 1, text.lastIndexOf('}'));
    const escaped = this.#escaped?.ofSeries(labels);
    this.#escapedLabels = escaped ?? '';
    return escaped !== undefined;
  }

  #distribution(family: Family, row: number, layout: BucketLayout): void {
    const address = this.#content.series.cellAddress(row);
    const { cells } = this.#content.series.arena.block(address);
    const start = inBlock(address) / 8;
    const count = cells[start + COUNT_CELL] as number;
    const first = start + FIRST_BUCKET_CELL;
    if (family.type === 'histogram') this.#buckets(row, layout, { cells, first, count });
    else this.#quantiles(row, layout, { cells, first });
    if (cells[start + HAS_SUM_CELL] === 1) {
      this.#labelledSample(this.#sum, row);
      this.#number(cells[start + SUM_CELL] as number);
      this.#endSample(row);
    }
    this.#labelledSample(this.#count, row);
    this.#integer(count);
    this.#endSample(row);
    if (!this.#hasCreated(row)) return;
    this.#labelledSample(this.#created, row);
    this.#endCreated(row);
  }

  /** Only OpenMetrics shows start times. */
  #hasCreated(row: number): boolean {
    const { startHigh, startLow } = this.#content.series;
    return this.#openMetrics && (startHigh[row] !== 0 || startLow[row] !== 0);
  }

  /** `base_created{labels} `, with the labels from the sample's text. */
  #counterCreatedSample(row: number): void {
    if (this.#escaped === undefined) {
      const { start, replacedBytes } = this.#counterCreated;
      this.#target.bytes(start);
      this.#copyText(row, replacedBytes);
    } else if (this.#escapedLabels === '') this.#target.bytes(this.#created.bare);
    else {
      this.#target.bytes(this.#created.labelled);
      this.#target.text(`${this.#escapedLabels}} `);
    }
    this.#endCreated(row);
  }

  /** Caches the last start time, because many series start at the same time. */
  #endCreated(row: number): void {
    const { startHigh, startLow } = this.#content.series;
    const high = startHigh[row] as number;
    const low = startLow[row] as number;
    if (high !== this.#startText.high || low !== this.#startText.low) {
      this.#startText = { high, low, text: openMetricsNumber((high * 4_294_967_296 + low) / 1e9) };
    }
    this.#target.ascii(this.#startText.text);
    this.#endSample(row);
  }

  /** The lines of a series differ only at the end, so each begins as a copy of the line before. */
  #buckets(
    row: number,
    layout: BucketLayout,
    { cells, first, count }: { cells: Float64Array; first: number; count: number },
  ): void {
    const exemplars = this.#content.exemplars?.of(row);
    const labels = this.#openMetrics ? layout.openMetricsLabels : layout.labels;
    this.#lineStart(this.#bucket, row);
    let cumulative = 0;
    for (let i = 0; i < labels.length; i++) {
      if (i > 0) this.#target.repeat();
      cumulative += cells[first + i] as number;
      this.#target.ascii(labels[i] as string);
      this.#integer(cumulative);
      this.#endSample(row, exemplars?.get(i));
    }
    if (labels.length > 0) this.#target.repeat();
    this.#target.ascii('le="+Inf"} ');
    this.#integer(count);
    // The only bucket of a native histogram in this format stands for all of its buckets.
    const isOnly = labels.length === 0;
    this.#endSample(row, isOnly ? latestOf(exemplars) : exemplars?.get(labels.length));
  }

  #quantiles(
    row: number,
    { labels, openMetricsLabels, values }: BucketLayout,
    { cells, first }: { cells: Float64Array; first: number },
  ): void {
    for (let i = 0; i < values.length; i++) {
      this.#lineStart(this.#quantile, row);
      this.#target.ascii((this.#openMetrics ? openMetricsLabels : labels)[i] as string);
      this.#number(cells[first + i] as number);
      this.#endSample(row);
    }
  }

  /** `name{labels,`, to be followed by another label. Kept for the next line. */
  #lineStart({ labelled }: LineStarts, row: number): void {
    const target = this.#target;
    const length = this.#content.series.textLength(row);
    const labelsBytes = this.#escaped === undefined ? length : this.#escapedLabels.length * 3;
    const start = target.reserve(labelled.length + labelsBytes + 1);
    target.bytes(labelled);
    if (length > 0) {
      this.#labels(row);
      target.ascii(',');
    }
    target.keepFrom(start);
  }

  /** `name{labels} ` */
  #labelledSample({ labelled, bare }: LineStarts, row: number): void {
    if (this.#content.series.textLength(row) === 0) return this.#target.bytes(bare);
    this.#target.bytes(labelled);
    this.#labels(row);
    this.#target.ascii('} ');
  }

  /** The same for a number: the row's text contains the name and labels. */
  #sample(row: number): void {
    if (this.#escaped === undefined) this.#copyText(row);
    else this.#target.text(`${sampleText(this.#name ?? '', this.#escapedLabels)} `);
  }

  #labels(row: number): void {
    if (this.#escaped === undefined) this.#copyText(row);
    else this.#target.text(this.#escapedLabels);
  }

  /** Copies the row's text from byte `from` on. */
  #copyText(row: number, from = 0): void {
    const { series } = this.#content;
    const address = series.textAddress(row);
    const { bytes } = series.arena.block(address);
    this.#target.copy(bytes, inBlock(address) + from, series.textLength(row) - from);
  }

  #number(value: number): void {
    if (this.#openMetrics) this.#target.openMetricsNumber(value);
    else this.#target.number(value);
  }

  /** OpenMetrics requires integers for counts. */
  #integer(value: number): void {
    if (this.#openMetrics) this.#target.integer(value);
    else this.#target.number(value);
  }

  #endSample(row: number, exemplar?: Exemplar): void {
    if (this.#format.timestamps) this.#timestamp(row);
    if (exemplar !== undefined && this.#openMetrics) this.#target.ascii(exemplarText(exemplar));
    this.#target.endLine();
  }

  /** Milliseconds, or seconds in OpenMetrics. BigInt, because doubles would round the nanoseconds. */
  #timestamp(row: number): void {
    const { timeHigh, timeLow } = this.#content.series;
    const timeNs = BigInt(timeHigh[row] as number) * 4_294_967_296n + BigInt(timeLow[row] as number);
    if (timeNs === 0n) return;
    const timeMs = Number(timeNs / 1_000_000n);
    this.#target.ascii(' ');
    if (this.#openMetrics) this.#target.openMetricsNumber(timeMs / 1000);
    else this.#target.integer(timeMs);
  }
}

/** The start of a line, with and without labels. */
interface LineStarts {
  readonly labelled: Buffer;
  readonly bare: Buffer;
}

function lineStarts(name: string): LineStarts {
  return { labelled: Buffer.from(sampleStart(name, true)), bare: Buffer.from(`${sampleText(name, '')} `) };
}

function latestOf(exemplars: ExemplarsByBucket | undefined): Exemplar | undefined {
  return exemplars === undefined ? undefined : [...exemplars.values()].at(-1);
}

/** The exemplar at the end of an OpenMetrics sample. */
function exemplarText({ traceId, spanId, value, timeNs }: Exemplar): string {
  const labels = `trace_id="${traceId}"${spanId === '' ? '' : `,span_id="${spanId}"`}`;
  const time = timeNs === 0n ? '' : ` ${openMetricsNumber(Number(timeNs) / 1e9)}`;
  return ` # {${labels}} ${openMetricsNumber(value)}${time}`;
}
