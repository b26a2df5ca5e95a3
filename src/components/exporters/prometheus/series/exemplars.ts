import type { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import type { BucketLayout } from './bucket-layout.ts';
import { openMetricsNumber } from '../page/number-text.ts';
import type { Point } from '../points/point.ts';

/** Those of the series that were updated longest ago give way. */
const MAX_SERIES = 20_000;

export interface Exemplar {
  readonly value: number;
  /** 0 for unknown. */
  readonly timeNs: bigint;
  /** In hexadecimal digits. */
  readonly traceId: string;
  /** Empty for none. */
  readonly spanId: string;
}

/**
 * The latest exemplar of each counter and of each bucket. Only those that lead to a trace are kept:
 * that is what they are for, and what the stock Collector shows.
 */
export class Exemplars {
  /** By row, then by bucket; a counter has one. */
  readonly #kept = new Map<number, Exemplar[]>();

  /** Takes the exemplars of a point that was recorded in the row. */
  add(row: number, point: Point, layout: BucketLayout | undefined): void {
    const kept = this.#kept.get(row) ?? [];
    for (let i = 0; i < point.exemplars.length; i += 2) {
      const exemplar = readExemplar(point.reader(point.exemplars[i] as number, point.exemplars[i + 1] as number));
      if (exemplar.traceId.length === 0) continue;
      kept[layout === undefined ? 0 : bucketOf(exemplar.value, layout)] = exemplar;
    }
    if (kept.length === 0) return;
    this.#kept.delete(row);
    this.#kept.set(row, kept);
    if (this.#kept.size > MAX_SERIES) this.#kept.delete(this.#kept.keys().next().value as number);
  }

  /** By bucket; a bucket without exemplar has none. */
  of(row: number): readonly (Exemplar | undefined)[] | undefined {
    return this.#kept.get(row);
  }

  remove(row: number): void {
    this.#kept.delete(row);
  }
}

function bucketOf(value: number, { values }: BucketLayout): number {
  const bucket = values.findIndex((bound) => value <= bound);
  return bucket < 0 ? values.length : bucket;
}

/** As OpenMetrics has it behind a sample. */
export function exemplarText({ traceId, spanId, value, timeNs }: Exemplar): string {
  const labels = `trace_id="${traceId}"${spanId === '' ? '' : `,span_id="${spanId}"`}`;
  const time = timeNs === 0n ? '' : ` ${openMetricsNumber(Number(timeNs) / 1e9)}`;
  return ` # {${labels}} ${openMetricsNumber(value)}${time}`;
}

function readExemplar(reader: WireReader): Exemplar {
  let timeNs = 0n;
  let value = 0;
  let spanId = '';
  let traceId = '';
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === ((2 << 3) | 1)) timeNs = reader.fixed64();
    else if (tag === ((3 << 3) | 1)) value = reader.double();
    else if (tag === ((6 << 3) | 1)) value = Number(reader.sfixed64());
    else if (tag === ((4 << 3) | 2)) spanId = Buffer.from(reader.bytes()).toString('hex');
    else if (tag === ((5 << 3) | 2)) traceId = Buffer.from(reader.bytes()).toString('hex');
    else reader.skip(tag);
  }
  return { timeNs, value, spanId, traceId };
}
