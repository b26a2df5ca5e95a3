import type { WireReader } from '../../collector/otlp/wire-reader.ts';
import type { BucketLayout } from './bucket-layout.ts';
import { openMetricsNumber } from './number-text.ts';
import type { Point } from './point.ts';

/** Those of the series that were updated longest ago give way. */
const MAX_SERIES = 20_000;

interface Exemplar {
  readonly value: number;
  readonly timeNs: bigint;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
}

/**
 * The latest exemplar of each counter and of each bucket, as text. Only those that lead to a trace are kept:
 * that is what they are for, and what the stock Collector shows.
 */
export class Exemplars {
  /** By row, then by bucket; a counter has one. */
  readonly #texts = new Map<number, string[]>();

  /** Takes the exemplars of a point that was recorded in the row. */
  add(row: number, point: Point, layout: BucketLayout | undefined): void {
    const texts = this.#texts.get(row) ?? [];
    for (let i = 0; i < point.exemplars.length; i += 2) {
      const exemplar = readExemplar(point.reader(point.exemplars[i] as number, point.exemplars[i + 1] as number));
      if (exemplar.traceId.length === 0) continue;
      texts[layout === undefined ? 0 : bucketOf(exemplar.value, layout)] = exemplarText(exemplar);
    }
    if (texts.length === 0) return;
    this.#texts.delete(row);
    this.#texts.set(row, texts);
    if (this.#texts.size > MAX_SERIES) this.#texts.delete(this.#texts.keys().next().value as number);
  }

  /** By bucket; a bucket without exemplar has none. */
  of(row: number): readonly (string | undefined)[] | undefined {
    return this.#texts.get(row);
  }

  remove(row: number): void {
    this.#texts.delete(row);
  }
}

function bucketOf(value: number, { values }: BucketLayout): number {
  const bucket = values.findIndex((bound) => value <= bound);
  return bucket < 0 ? values.length : bucket;
}

function exemplarText({ traceId, spanId, value, timeNs }: Exemplar): string {
  const span = spanId.length === 0 ? '' : `,span_id="${Buffer.from(spanId).toString('hex')}"`;
  const labels = `trace_id="${Buffer.from(traceId).toString('hex')}"${span}`;
  const time = timeNs === 0n ? '' : ` ${openMetricsNumber(Number(timeNs) / 1e9)}`;
  return ` # {${labels}} ${openMetricsNumber(value)}${time}`;
}

function readExemplar(reader: WireReader): Exemplar {
  let timeNs = 0n;
  let value = 0;
  let spanId: Uint8Array = new Uint8Array(0);
  let traceId = spanId;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === ((2 << 3) | 1)) timeNs = reader.fixed64();
    else if (tag === ((3 << 3) | 1)) value = reader.double();
    else if (tag === ((6 << 3) | 1)) value = Number(reader.sfixed64());
    else if (tag === ((4 << 3) | 2)) spanId = reader.bytes();
    else if (tag === ((5 << 3) | 2)) traceId = reader.bytes();
    else reader.skip(tag);
  }
  return { timeNs, value, spanId, traceId };
}
