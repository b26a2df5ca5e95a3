import { decodeText } from '../../../engine/otlp/decode-text.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { SpanFields } from '../../../engine/otlp/span-fields.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { cleanName } from '../../../privacy/privacy.ts';
import { adjustedCount, roundedAtRandom } from './adjusted-count.ts';
import { KeptExemplars } from './kept-exemplars.ts';
import { attribute, labelsOf, readAttributes, type Attribute, type Attributes } from './labels.ts';
import type { Metrics } from './metrics.ts';
import type { Counted } from './known-spans.ts';
import type { ResourceMetrics } from './resource-metrics.ts';
import type { Arrival, Series } from './series.ts';
import { SpanKey } from './span-key.ts';

const EVENT = fieldTags('Event');
const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'];
/** The keys of spans of all resources that are remembered. */
const MAX_KEYS = 50_000;
const MAX_TRACE_STATE_BYTES = 8192;

/** The scope of spans, if it becomes labels; otherwise its name is empty. */
export interface Scope {
  readonly name: string;
  readonly version: string;
  /** Different for different scopes. */
  readonly id: number;
}

/** Spans that arrived together. */
export interface SpanPlace {
  readonly resource: ResourceMetrics;
  readonly scope: Scope;
  readonly arrival: Arrival;
  /** The number of the interval between two flushes. */
  readonly interval: number;
}

/** How a span counts. */
interface Measured {
  readonly value: number;
  readonly count: number;
  readonly place: SpanPlace;
}

/** Counts spans in the metrics of their resource. */
export class SpanCounter {
  readonly #metrics: Metrics;
  readonly #onOverflow: () => void;
  readonly #forgetKeys: () => void;
  readonly #span = new SpanFields();
  readonly #key: SpanKey;
  #keyCount = 0;
  #traceState = '';
  #adjusted: number | undefined;

  /**
   * @param onOverflow is called for each span that counts in an overflow series.
   * @param forgetKeys clears `counted` of all resources.
   */
  constructor(metrics: Metrics, { onOverflow, forgetKeys }: { onOverflow: () => void; forgetKeys: () => void }) {
    this.#metrics = metrics;
    this.#onOverflow = onOverflow;
    this.#forgetKeys = forgetKeys;
    this.#key = new SpanKey([...metrics.dimensions.calls, ...metrics.dimensions.duration]);
  }

  /** Counts the span from the reader's position to `end`. */
  count(reader: WireReader, end: number, place: SpanPlace): void {
    const span = this.#span;
    span.read(reader, end);
    const adjusted = this.#adjustedCount();
    const count = adjusted === undefined ? 1 : roundedAtRandom(adjusted);
    const { calls, duration } = this.#counted(place, adjusted !== undefined);
    const value = Math.max(0, span.durationNs) / this.#metrics.nsPerUnit;
    const measured = { value, count, place };
    this.#add(calls, 0, measured);
    if (duration !== undefined) {
      const bucket = bucketOf(value, this.#metrics.bounds);
      duration.sum += value * count;
      duration.buckets[bucket] = (duration.buckets[bucket] as number) + count;
      this.#add(duration, bucket, measured);
    }
    if (calls.isOverflow || duration?.isOverflow === true) this.#onOverflow();
    if (this.#metrics.hasEvents) this.#countEvents(measured, adjusted !== undefined);
  }

  #add(series: Series, bucket: number, { value, count, place }: Measured): void {
    series.count += count;
    series.seenMs = place.arrival.nowMs;
    const span = this.#span;
    if (this.#metrics.maxExemplars === undefined || series.isOverflow || !span.hasIds) return;
    series.exemplars ??= new KeptExemplars();
    const { bytes, traceIdAt, spanIdAt } = span;
    const exemplar = {
      value,
      timeNs: (BigInt(span.endHigh) << 32n) | BigInt(span.endLow),
      traceId: new Uint8Array(bytes.subarray(traceIdAt, traceIdAt + 16)),
      spanId: new Uint8Array(bytes.subarray(spanIdAt, spanIdAt + 8)),
    };
    series.exemplars.add(bucket, exemplar, place.interval);
  }

  /** Most spans have the trace state of the one before. */
  #adjustedCount(): number | undefined {
    const { bytes, traceStateStart: start, traceStateEnd } = this.#span;
    if (start === traceStateEnd) return undefined;
    const end = Math.min(traceStateEnd, start + MAX_TRACE_STATE_BYTES);
    const traceState = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
    if (traceState !== this.#traceState) {
      this.#traceState = traceState;
      this.#adjusted = adjustedCount(traceState);
    }
    return this.#adjusted;
  }

  #counted(place: SpanPlace, isAdjusted: boolean): Counted {
    const { known } = place.resource;
    const context = (place.scope.id << 1) | (isAdjusted && this.#metrics.hasSamplingMethod ? 1 : 0);
    const picked = this.#key.of(this.#span, context);
    const counted = known.find(picked);
    if (counted !== undefined) return counted;
    const found = this.#find(place, isAdjusted);
    if (++this.#keyCount > MAX_KEYS) {
      this.#forgetKeys();
      this.#keyCount = 1;
    }
    known.add(picked, found);
    return found;
  }

  #find({ resource, scope, arrival }: SpanPlace, isAdjusted: boolean): Counted {
    const { dimensions, hasDuration } = this.#metrics;
    const own = this.#ownLabels(resource, scope, isAdjusted);
    const sources = [readAttributes(this.#spanAttributes()), resource.attributes];
    const calls = resource.calls.of(labelsOf(own, dimensions.calls, sources), arrival);
    if (!hasDuration) return { calls, duration: undefined };
    return { calls, duration: resource.duration.of(labelsOf(own, dimensions.duration, sources), arrival) };
  }

  #countEvents(measured: Measured, isAdjusted: boolean): void {
    const { resource, scope, arrival } = measured.place;
    const { bytes, events } = this.#span;
    for (let i = 0; i < events.length; i += 2) {
      const own = this.#ownLabels(resource, scope, isAdjusted);
      const ofEvent = readAttributes(attributesOfEvent(bytes, events[i] as number, events[i + 1] as number));
      const sources = [readAttributes(this.#spanAttributes()), ofEvent, resource.attributes];
      this.#add(resource.events.of(labelsOf(own, this.#metrics.dimensions.events, sources), arrival), 0, measured);
    }
  }

  /** The labels that every series has. */
  #ownLabels({ serviceName }: ResourceMetrics, { name, version }: Scope, isAdjusted: boolean): Attributes {
    const span = this.#span;
    const { excluded, hasSamplingMethod } = this.#metrics;
    const kind = KINDS[span.kind];
    const labels: [string, string][] = [
      ['service.name', serviceName],
      ['span.name', nameOf(span)],
      ['span.kind', kind === undefined ? '' : `SPAN_KIND_${kind}`],
      ['status.code', `STATUS_CODE_${STATUS_CODES[span.statusCode] ?? 'UNSET'}`],
    ];
    const own = new Map<string, Attribute>();
    for (const [key, value] of labels) if (!excluded.has(key)) own.set(key, attribute(key, value));
    if (name !== '') own.set('span.instrumentation.scope.name', attribute('span.instrumentation.scope.name', name));
    if (version !== '')
      own.set('span.instrumentation.scope.version', attribute('span.instrumentation.scope.version', version));
    if (hasSamplingMethod)
      own.set('sampling.method', attribute('sampling.method', isAdjusted ? 'extrapolated' : 'counted'));
    return own;
  }

  *#spanAttributes(): Generator<Uint8Array> {
    const { bytes, attributeCount, attributeStarts, attributeEnds } = this.#span;
    for (let i = 0; i < attributeCount; i++) yield bytes.subarray(attributeStarts[i], attributeEnds[i]);
  }
}

/** Decoded only for spans that are new. Labels are stored and shown, so that they hold no secrets. */
function nameOf({ bytes, nameStart, nameEnd }: SpanFields): string {
  return cleanName(decodeText(bytes, nameStart, nameEnd));
}

function* attributesOfEvent(bytes: Uint8Array, start: number, end: number): Generator<Uint8Array> {
  for (const reader = new WireReader(bytes, start, end); !reader.done;) {
    const tag = reader.tag();
    if (tag === EVENT.attributes) yield reader.bytes();
    else reader.skip(tag);
  }
}

/** Buckets include their upper bound. */
function bucketOf(value: number, bounds: Float64Array): number {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
  return bucket;
}
