import { canonicalText } from '../../../engine/otlp/any-value.ts';
import type { Histogram } from '../../../engine/otlp/metrics-writer.ts';
import { spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';

const BOUNDS: readonly number[] = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** How far a measurement of the service is from the duration of its span, and from its end. */
const DURATION_ERROR_MS = 1.9;
const TIME_ERROR_MS = 45;

type Attributes = Readonly<Record<string, string>>;

/** The truth about a request. */
export interface Measurement {
  readonly attributes: Attributes;
  readonly bucket: number;
  readonly traceId: string;
}

interface Series {
  readonly attributes: Attributes;
  readonly counts: number[];
  sum: number;
}

/** A number in [0, 1). */
export type Random = () => number;

/**
 * A service that measures its requests and, of a part of them, has a span. Its measurements come a little after their
 * spans and differ a little from their durations.
 */
export class ServiceUnderTest {
  /** The truth about each span, by its id. */
  readonly truth = new Map<string, Measurement>();
  readonly #random: Random;
  readonly #name: string;
  #series = new Map<string, Series>();
  /** True if its points do not always have the attributes that they may have. */
  readonly #isVaried: boolean;
  #startMs: number;
  #lastId = 0;
  /** Measurements that are taken after the end of their interval. */
  #later: { readonly atMs: number; readonly attributes: Attributes; readonly valueMs: number }[] = [];

  constructor(random: Random, name: string, startMs: number) {
    this.#random = random;
    this.#name = name;
    this.#startMs = startMs;
    this.#isVaried = random() < 0.4;
  }

  /** Handles a random number of requests that end in [fromMs, toMs). Returns the spans of those that are sampled. */
  handle(fromMs: number, toMs: number): SpanDraft[] {
    const due = this.#later;
    this.#later = [];
    for (const { atMs, attributes, valueMs } of due) this.#measure(attributes, valueMs, { atMs, toMs });
    const requests = Math.floor(this.#random() ** 3 * 25);
    const isSampled = this.#random() < 0.3 ? () => this.#random() < 0.5 : () => true;
    return Array.from({ length: requests }, () => this.#request(fromMs, toMs)).filter(isSampled);
  }

  /** The points at the end of an interval. */
  histogram(): Histogram {
    const points = [...this.#series.values()].map(({ attributes, counts, sum }) => {
      const count = counts.reduce((total, one) => total + one, 0);
      return { attributes, startUnixMs: this.#startMs, value: { count, sum, bucketCounts: [...counts] } };
    });
    const description = { name: 'http.server.request.duration', unit: 's', description: '' };
    return { kind: 'histogram', ...description, bounds: BOUNDS, points };
  }

  /** Another process of the same name: it counts from 0. */
  restart(nowMs: number): void {
    this.#series = new Map();
    this.#later = [];
    this.#startMs = nowMs;
  }

  #request(fromMs: number, toMs: number): SpanDraft {
    const endMs = fromMs + this.#random() * (toMs - fromMs);
    const durationMs = 10 ** (this.#random() * 4.3);
    const valueMs = Math.max(0, durationMs + (this.#random() * 2 - 1) * DURATION_ERROR_MS);
    const { ofPoint, ofSpan } = this.#attributes();
    const id = spanId(++this.#lastId + (this.#name.codePointAt(0) as number) * 1e6);
    const traceId = id + id;
    this.truth.set(id, { attributes: ofPoint, bucket: ServiceUnderTest.bucketOf(valueMs / 1000), traceId });
    this.#measure(ofPoint, valueMs, { atMs: endMs + this.#random() * TIME_ERROR_MS, toMs });
    const startTimeUnixNano = BigInt(Math.round((endMs - durationMs) * 1e6));
    const durationNano = BigInt(Math.round(durationMs * 1e6));
    return { spanId: id, traceId, kind: 'server', startTimeUnixNano, durationNano, attributes: ofSpan };
  }

  #attributes(): { readonly ofPoint: Attributes; readonly ofSpan: Record<string, string | number> } {
    const pick = <T>(...values: readonly T[]): T => values[Math.floor(this.#random() * values.length)] as T;
    const status = pick(200, 200, 404, 500);
    const common = { 'http.request.method': pick('GET', 'POST') };
    const routed = status === 404 ? {} : { 'http.route': pick('/a', '/b/:id') };
    const failed = status === 500 && pick(true, false) ? { 'error.type': pick('500', 'Error') } : {};
    // Points may have attributes that spans lack, and omit some that spans have.
    const host = this.#isVaried ? pick({}, {}, { 'server.address': 'shop' }) : {};
    const shownHost = this.#isVaried ? pick(host, {}) : host;
    const own: Attributes = this.#isVaried ? pick({}, {}, {}, { tenant: 'x' }) : {};
    return {
      ofPoint: { ...common, 'http.response.status_code': String(status), ...routed, ...failed, ...shownHost, ...own },
      ofSpan: { 'url.path': '/x', ...common, ...routed, 'http.response.status_code': status, ...failed, ...host },
    };
  }

  #measure(attributes: Attributes, valueMs: number, { atMs, toMs }: { atMs: number; toMs: number }): void {
    if (atMs >= toMs) {
      this.#later.push({ atMs, attributes, valueMs });
      return;
    }
    const key = canonicalText(new Map(Object.entries(attributes)));
    const series = this.#series.get(key) ?? { attributes, counts: BOUNDS.map(() => 0).concat(0), sum: 0 };
    this.#series.set(key, series);
    const bucket = ServiceUnderTest.bucketOf(valueMs / 1000);
    series.counts[bucket] = (series.counts[bucket] as number) + 1;
    series.sum += valueMs / 1000;
  }

  /** The bucket of a duration in seconds. */
  static bucketOf(value: number): number {
    const bucket = BOUNDS.findIndex((bound) => value <= bound);
    return bucket < 0 ? BOUNDS.length : bucket;
  }
}
