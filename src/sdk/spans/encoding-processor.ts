/** Collects ended spans for the next export. */
import { context, diag, ROOT_CONTEXT, TraceFlags } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { EncodedSpans } from './encoded-spans.ts';

export interface BatchLimits {
  /** The number of spans that begins an export. */
  readonly maxExportBatchSize: number;
  /** Maximum number of spans that wait while the attributes of the resource are looked up. */
  readonly maxQueueSize: number;
  /** A span waits at most this time for others. */
  readonly scheduledDelayMillis: number;
}

/** Connections keep the context of a request, and so its span, until the next collection of the whole heap. */
const EMPTY = { attributes: {}, events: [], links: [] };

/** Takes the body of an `ExportTraceServiceRequest`. Returns false if it is dropped. */
type Export = (body: Uint8Array) => boolean;

/** A batch processor as OpenTelemetry specifies it, for spans that are encoded when they end. */
export class EncodingSpanProcessor implements SpanProcessor {
  readonly #spans = new EncodedSpans();
  readonly #export: Export;
  readonly #limits: BatchLimits;
  #resource: ReadableSpan['resource'] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;

  constructor(exportBody: Export, limits: BatchLimits) {
    this.#export = exportBody;
    this.#limits = limits;
  }

  onStart(): void {
    return;
  }

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#spans.count >= this.#limits.maxQueueSize) return void this.#dropped++;
    try {
      this.#spans.add(span);
    } catch (error) {
      diag.warn('siphon: a span cannot be encoded', error);
      return;
    }
    this.#resource = span.resource;
    Object.assign(span, EMPTY);
    if (this.#spans.count >= this.#limits.maxExportBatchSize) this.#exportSoon();
    else this.#timer ??= setTimeout(() => this.#exportSoon(), this.#limits.scheduledDelayMillis).unref();
  }

  /** Exports immediately if the resource is complete; otherwise it waits for that. */
  async forceFlush(): Promise<void> {
    if (this.#resource?.asyncAttributesPending !== true) return this.#exportNow();
    await this.#resource.waitForAsyncAttributes?.();
    this.#exportNow();
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
  }

  #exportSoon(): void {
    this.forceFlush().catch((error: unknown) => diag.warn('siphon: spans are lost', error));
  }

  #exportNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#dropped > 0) diag.warn(`siphon: ${this.#dropped} spans are lost: too many waited for the resource`);
    this.#dropped = 0;
    const count = this.#spans.count;
    if (count === 0 || this.#resource === undefined) return;
    const body = this.#spans.take(this.#resource);
    // The request of the export is not one of the service.
    const isTaken = context.with(suppressTracing(ROOT_CONTEXT), () => this.#export(body));
    if (!isTaken) diag.error(`siphon: ${count} spans are lost: too many exports wait for the OTLP endpoint`);
  }
}
