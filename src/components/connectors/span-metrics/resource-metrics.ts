import type { Attributes } from './labels.ts';
import { KnownSpans } from './known-spans.ts';
import { SeriesTable, type SeriesLimits } from './series.ts';

/** The metrics of one resource. */
export class ResourceMetrics {
  /** The messages `Resource` of the block that was seen first: several are one. */
  readonly encoded: readonly Uint8Array[];
  readonly attributes: Attributes;
  readonly serviceName: string;
  readonly calls: SeriesTable;
  readonly duration: SeriesTable;
  readonly events: SeriesTable;
  seenMs: number;
  readonly known = new KnownSpans();

  constructor(
    { encoded, attributes, serviceName }: Pick<ResourceMetrics, 'encoded' | 'attributes' | 'serviceName'>,
    limits: SeriesLimits,
    { bucketCount, nowMs }: { readonly bucketCount: number; readonly nowMs: number },
  ) {
    this.encoded = encoded;
    this.attributes = attributes;
    this.serviceName = serviceName;
    this.calls = new SeriesTable(limits, 0);
    this.duration = new SeriesTable(limits, bucketCount);
    this.events = new SeriesTable(limits, 0);
    this.seenMs = nowMs;
  }

  get tables(): readonly SeriesTable[] {
    return [this.calls, this.duration, this.events];
  }

  /** The number of series of all metrics. */
  get pointCount(): number {
    return this.tables.reduce((sum, { size }) => sum + size, 0);
  }

  /** Forgets the series without a span since then. */
  expire(sinceMs: number): void {
    const hasLost = this.tables.map((table) => table.expire(sinceMs)).includes(true);
    if (hasLost) this.known.clear();
  }
}
