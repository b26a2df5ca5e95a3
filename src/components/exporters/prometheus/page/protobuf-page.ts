import { WireWriter } from '../../../../engine/otlp/wire-writer.ts';
import { inBlock } from '../series/arena.ts';
import type { BucketLayout } from '../series/bucket-layout.ts';
import { PageNames } from './page-names.ts';
import type { Exemplar } from '../series/exemplars.ts';
import type { FamilyType } from '../names/metric-type.ts';
import { isDistribution, type Family } from '../series/family.ts';
import { LabelPairs } from './label-pairs.ts';
import { nameStart } from '../names/label-set.ts';
import type { NativeHistogram } from '../series/native-histograms.ts';
import type { PageBuffer } from './page-buffer.ts';
import type { PageContent, PageFormat, PageWriter } from './page-content.ts';
import { COUNT_CELL, FIRST_BUCKET_CELL, HAS_SUM_CELL, SUM_CELL } from '../series/series-table.ts';

const TYPES: Readonly<Record<FamilyType, number>> = { counter: 0, gauge: 1, summary: 2, histogram: 4 };
/** The field with the start time in the content of a metric; gauges have none. */
const CREATED_FIELDS: Readonly<Record<FamilyType, number>> = { gauge: 0, counter: 3, summary: 4, histogram: 15 };
/** The field of a `Metric` with its content. */
const CONTENT_FIELDS: Readonly<Record<FamilyType, number>> = { gauge: 2, counter: 3, summary: 4, histogram: 7 };
/** Larger gaps between buckets begin a new span instead of adding empty buckets, as in Prometheus's own library. */
const MAX_BRIDGED = 2;

/**
 * Delimited `MetricFamily` messages, which Prometheus requests if native histograms are enabled.
 * https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
export class ProtobufPage implements PageWriter {
  readonly #content: PageContent;
  readonly #timestamps: boolean;
  readonly #target: PageBuffer;
  readonly #escaped: PageNames | undefined;
  readonly #writer = new WireWriter();
  readonly #pairs = new LabelPairs();
  #family: Family | undefined;
  /** The name of the family on this page, and its length in the text of a series. */
  #name: string | undefined;
  #nameBytes = 0;
  #created = { high: 0, low: 0, bytes: NOTHING };
  #isOpen = false;

  constructor(content: PageContent, { timestamps, escaping }: PageFormat, target: PageBuffer) {
    this.#content = content;
    this.#timestamps = timestamps;
    this.#target = target;
    this.#escaped = escaping === 'allow-utf-8' ? undefined : new PageNames(escaping, false);
  }

  open(family: Family): void {
    this.#family = family;
    this.#name = this.#escaped === undefined ? family.name : this.#escaped.ofFamily(family);
    this.#nameBytes = isDistribution(family) ? 0 : Buffer.byteLength(nameStart(family.name));
    this.#isOpen = false;
  }

  series(row: number): void {
    const { series, seenSinceMs } = this.#content;
    const family = this.#family as Family;
    if (this.#name === undefined || !((series.seenMs[row] as number) >= seenSinceMs)) return;
    if (isDistribution(family) && series.layouts[row] === undefined) return;
    const labels = this.#labels(row);
    if (labels === undefined) return;
    if (!this.#isOpen) this.#header(this.#name, family);
    this.#isOpen = true;
    this.#writer.messageField(4, () => {
      this.#writer.append(labels);
      this.#writer.messageField(CONTENT_FIELDS[family.type], () => {
        this.#writeContent(family.type, row);
        if (family.type !== 'gauge') this.#writeCreated(CREATED_FIELDS[family.type], row);
      });
      if (this.#timestamps) this.#writeTimestamp(row);
    });
    this.#target.bytes(this.#writer.written);
    this.#writer.reset();
  }

  close(): void {
    if (this.#isOpen) this.#target.fillLength();
  }

  end(): void {}

  #header(name: string, { type, help }: Family): void {
    this.#target.leaveLength();
    this.#writer.stringField(1, name);
    this.#writer.stringField(2, help);
    this.#writer.varintField(3, TYPES[type]);
    this.#target.bytes(this.#writer.written);
    this.#writer.reset();
  }

  /** The labels of a row; undefined if another series on the page has the same ones. */
  #labels(row: number): Uint8Array | undefined {
    const { series } = this.#content;
    const address = series.textAddress(row);
    const { bytes } = series.arena.block(address);
    const textStart = inBlock(address);
    const textEnd = textStart + series.textLength(row);
    // After the name of a number: ` `, `{labels} `, or if the name is inside the braces, `,labels} ` or `} `.
    const isBare = this.#nameBytes === 0;
    const start = isBare ? textStart : textStart + this.#nameBytes + 1;
    const end = isBare ? textEnd : textEnd - '} '.length;
    if (this.#escaped === undefined) return this.#pairs.encode(bytes, start, end);
    const escaped = this.#escaped.ofSeries(bytes.toString('utf8', start, Math.max(start, end)));
    return escaped === undefined ? undefined : this.#pairs.encode(Buffer.from(escaped), 0, Buffer.byteLength(escaped));
  }

  #writeLabel(name: string, value: string): void {
    this.#writer.messageField(1, () => {
      this.#writer.stringField(1, name);
      this.#writer.stringField(2, value);
    });
  }

  #writeContent(type: FamilyType, row: number): void {
    if (type === 'histogram' || type === 'summary') return this.#writeDistribution(type, row);
    this.#writer.doubleField(1, this.#content.series.values[row] as number);
    const exemplar = type === 'counter' ? this.#content.exemplars?.of(row)?.get(0) : undefined;
    if (exemplar !== undefined) this.#writeExemplar(2, exemplar);
  }

  #writeDistribution(type: FamilyType, row: number): void {
    const { series, nativeHistograms } = this.#content;
    const address = series.cellAddress(row);
    const { cells } = series.arena.block(address);
    const start = inBlock(address) / cells.BYTES_PER_ELEMENT;
    const count = cells[start + COUNT_CELL] as number;
    this.#writer.varintField(1, count);
    if (cells[start + HAS_SUM_CELL] === 1) this.#writer.doubleField(2, cells[start + SUM_CELL] as number);
    const native = nativeHistograms.of(row);
    const first = start + FIRST_BUCKET_CELL;
    if (type === 'summary') this.#writeQuantiles(row, cells.subarray(first));
    else if (native === undefined) this.#writeBuckets(row, { cells, first }, count);
    else this.#writeNative(row, native);
  }

  #writeQuantiles(row: number, cells: Float64Array): void {
    for (const [i, quantile] of (this.#content.series.layouts[row]?.values ?? []).entries()) {
      this.#writer.messageField(3, () => {
        this.#writer.doubleField(1, quantile);
        this.#writer.doubleField(2, cells[i] as number);
      });
    }
  }

  /** The count implies the bucket of +Inf, which is written only with an exemplar. */
  #writeBuckets(row: number, { cells, first }: { cells: Float64Array; first: number }, count: number): void {
    const exemplars = this.#content.exemplars?.of(row);
    const { values: bounds } = this.#content.series.layouts[row] as BucketLayout;
    const finite = bounds.at(-1) === Infinity ? bounds.length - 1 : bounds.length;
    let cumulative = 0;
    for (let i = 0; i < finite; i++) {
      cumulative += cells[first + i] as number;
      this.#writeBucket(cumulative, bounds[i] as number, exemplars?.get(i));
    }
    const beyond = exemplars?.get(finite);
    if (beyond !== undefined) this.#writeBucket(count, Infinity, beyond);
  }

  #writeBucket(count: number, bound: number, exemplar: Exemplar | undefined): void {
    this.#writer.messageField(3, () => {
      this.#writer.varintField(1, count);
      this.#writer.doubleField(2, bound);
      if (exemplar !== undefined) this.#writeExemplar(3, exemplar);
    });
  }

  #writeNative(row: number, { scale, zeroThreshold, zeroCount, positive, negative }: NativeHistogram): void {
    this.#writer.sint32Field(5, scale);
    this.#writer.doubleField(6, zeroThreshold);
    this.#writer.varintField(7, zeroCount);
    this.#writeSpans(negative, { span: 9, delta: 10 });
    this.#writeSpans(positive, { span: 12, delta: 13 });
    for (const exemplar of this.#content.exemplars?.of(row)?.values() ?? []) this.#writeExemplar(16, exemplar);
  }

  #writeSpans(buckets: ReadonlyMap<number, number>, fields: { readonly span: number; readonly delta: number }): void {
    const { spans, deltas } = spansOf(buckets);
    for (const { offset, length } of spans) {
      this.#writer.messageField(fields.span, () => {
        this.#writer.sint32Field(1, offset);
        this.#writer.varintField(2, length);
      });
    }
    const zigzag = deltas.map((delta) => (delta < 0 ? -2 * delta - 1 : 2 * delta));
    if (zigzag.length > 0) this.#writer.packedVarintField(fields.delta, zigzag.map(BigInt));
  }

  #writeExemplar(field: number, { traceId, spanId, value, timeNs }: Exemplar): void {
    this.#writer.messageField(field, () => {
      this.#writeLabel('trace_id', traceId);
      if (spanId !== '') this.#writeLabel('span_id', spanId);
      this.#writer.doubleField(2, value);
      if (timeNs !== 0n) this.#writer.bytesField(3, timestamp(timeNs));
    });
  }

  /** Caches the last start time, because many series start at the same time. */
  #writeCreated(field: number, row: number): void {
    const { startHigh, startLow } = this.#content.series;
    const high = startHigh[row] as number;
    const low = startLow[row] as number;
    if (high !== this.#created.high || low !== this.#created.low) {
      this.#created = { high, low, bytes: timestamp(nanoseconds(high, low)) };
    }
    if (this.#created.bytes.length > 0) this.#writer.bytesField(field, this.#created.bytes);
  }

  #writeTimestamp(row: number): void {
    const { timeHigh, timeLow } = this.#content.series;
    const timeNs = nanoseconds(timeHigh[row] as number, timeLow[row] as number);
    if (timeNs !== 0n) this.#writer.int64Field(6, timeNs / 1_000_000n);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** A `google.protobuf.Timestamp`; empty for an unknown time. */
function timestamp(timeNs: bigint): Uint8Array {
  if (timeNs === 0n) return NOTHING;
  const writer = new WireWriter(16);
  writer.int64Field(1, timeNs / 1_000_000_000n);
  writer.varintField(2, Number(timeNs % 1_000_000_000n));
  return writer.finish();
}

function nanoseconds(high: number, low: number): bigint {
  return BigInt(high) * 4_294_967_296n + BigInt(low);
}

interface Span {
  /** Empty buckets since the last span; for the first span, its index. */
  readonly offset: number;
  length: number;
}

/** The counts as differences from one bucket to the next. */
function spansOf(buckets: ReadonlyMap<number, number>): { readonly spans: Span[]; readonly deltas: number[] } {
  const spans: Span[] = [];
  const deltas: number[] = [];
  let nextIndex = 0;
  let lastCount = 0;
  const append = (count: number): void => {
    (spans.at(-1) as Span).length++;
    deltas.push(count - lastCount);
    lastCount = count;
    nextIndex++;
  };
  for (const [index, count] of [...buckets].toSorted(([a], [b]) => a - b)) {
    if (spans.length === 0 || index - nextIndex > MAX_BRIDGED) {
      spans.push({ offset: index - nextIndex, length: 0 });
      nextIndex = index;
    }
    for (let empty = index - nextIndex; empty > 0; empty--) append(0);
    append(count);
  }
  return { spans, deltas };
}
