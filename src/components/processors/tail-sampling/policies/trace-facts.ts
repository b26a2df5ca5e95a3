import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { readKeyValue, type AnyValue } from '../../../../engine/otlp/any-value.ts';
import { fieldTags } from '../../../../engine/otlp/schema.ts';
import { SpanFields } from '../../../../engine/otlp/span-fields.ts';
import { WantedKeys } from '../../../../engine/otlp/wanted-keys.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { TraceWork } from './trace-work.ts';

const RESOURCE = fieldTags('Resource');
const TWO_32 = 4_294_967_296;
const NS_A_MS = 1e6;
const SAMPLED_FLAG = 1;
const MAX_TRACE_STATE_BYTES = 8192;
/** More different values of one attribute are not looked at. */
const MAX_VALUES = 10_000;

/** The facts that policies look at. Reading less takes less time. */
export interface WantedFacts {
  readonly attributes: readonly string[];
  readonly traceStates: boolean;
  /** True if times, status codes or flags are wanted. */
  readonly spans: boolean;
}

/**
 * The facts about a trace. One object reads all traces, one after the other. The order of the spans does not
 * matter.
 */
export class TraceFacts {
  traceId: Uint8Array = new Uint8Array(0);
  spanCount = 0;
  /** The encoded spans. */
  sizeBytes = 0;
  hasSampledFlag = false;
  /** The values of the wanted attributes, of spans and resources. */
  readonly values = new Map<string, AnyValue[]>();
  readonly traceStates = new Set<string>();
  readonly work = new TraceWork();
  readonly #wanted: WantedFacts;
  readonly #keys: WantedKeys;
  readonly #span = new SpanFields();
  readonly #attribute = new Map<string, AnyValue>();
  /** One bit for each status code. */
  #statusCodes = 0;
  /** The times count from the first one. */
  #base: { readonly high: number; readonly low: number } | undefined;
  #startNs = 0;
  #endNs = 0;

  constructor(wanted: WantedFacts) {
    this.#wanted = wanted;
    this.#keys = new WantedKeys(wanted.attributes, []);
  }

  /** True if `addSpan` has to be called. */
  get wantsSpans(): boolean {
    return this.#wanted.spans || this.#wanted.traceStates || this.#wanted.attributes.length > 0;
  }

  /** Begins with the next trace. */
  open(traceId: Uint8Array, spanCount: number, sizeBytes: number): void {
    this.traceId = traceId;
    this.spanCount = spanCount;
    this.sizeBytes = sizeBytes;
    this.hasSampledFlag = false;
    this.values.clear();
    this.traceStates.clear();
    this.work.open();
    this.#statusCodes = 0;
    this.#base = undefined;
    this.#startNs = 0;
    this.#endNs = 0;
  }

  /** Reads the encoded span in [start, end). */
  addSpan(request: Uint8Array, start: number, end: number): void {
    const span = this.#span;
    span.read(new WireReader(request, start, end), end);
    this.#statusCodes |= 1 << span.statusCode;
    if ((span.flags & SAMPLED_FLAG) !== 0) this.hasSampledFlag = true;
    this.#addTimes();
    if (this.#wanted.traceStates && span.traceStateEnd > span.traceStateStart) {
      const stateEnd = Math.min(span.traceStateEnd, span.traceStateStart + MAX_TRACE_STATE_BYTES);
      this.traceStates.add(Buffer.from(request.subarray(span.traceStateStart, stateEnd)).toString());
    }
    if (this.#wanted.attributes.length === 0) return;
    for (let i = 0; i < span.attributeCount; i++) {
      this.#addAttribute(span.request, span.attributeStarts[i] as number, span.attributeEnds[i] as number);
    }
  }

  /** Reads the encoded `Resource`. */
  addResource(resource: Uint8Array): void {
    if (this.#wanted.attributes.length === 0) return;
    const view = viewOf(resource);
    for (const reader = new WireReader(resource); !reader.done;) {
      const tag = reader.tag();
      if (tag !== RESOURCE.attributes) {
        reader.skip(tag);
        continue;
      }
      const length = reader.varint();
      this.#addAttribute(view, reader.position, reader.position + length);
      reader.position += length;
    }
  }

  /** True if a span has the status code. */
  hasStatus(code: number): boolean {
    return ((this.#statusCodes >> code) & 1) === 1;
  }

  /** From the first start to the last end. */
  get durationMs(): number {
    return (this.#endNs - this.#startNs) / NS_A_MS;
  }

  #addTimes(): void {
    const { startHigh, startLow, endHigh, endLow } = this.#span;
    if (startHigh === 0 && startLow === 0) return;
    this.#base ??= { high: startHigh, low: startLow };
    const { high, low } = this.#base;
    this.#startNs = Math.min(this.#startNs, (startHigh - high) * TWO_32 + (startLow - low));
    this.#endNs = Math.max(this.#endNs, (endHigh - high) * TWO_32 + (endLow - low));
  }

  #addAttribute(request: DataView, start: number, end: number): void {
    if (this.#keys.find(request, start) === undefined) return;
    this.#attribute.clear();
    const bytes = new Uint8Array(request.buffer, request.byteOffset, request.byteLength);
    readKeyValue(new WireReader(bytes, start, end), this.#attribute);
    for (const [key, value] of this.#attribute) {
      const values = this.values.get(key);
      if (values === undefined) this.values.set(key, [value]);
      else if (values.length < MAX_VALUES && values.at(-1) !== value) values.push(value);
    }
  }
}
