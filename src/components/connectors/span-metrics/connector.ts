import type { Component, ComponentSettings, Consumer, TelemetryBatch } from '../../../engine/component.ts';
import { Incident } from '../../../engine/incident.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { joinBatches } from '../../../engine/otlp/items.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { inSlices, TimeSlice } from '../../../engine/time-slice.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { SpanMetricsConfig } from './config.ts';
import { SpanCounter, type Scope } from './count-spans.ts';
import { encodeMetrics } from './encode-metrics.ts';
import { metricsOf, type Metrics } from './metrics.ts';
import { Resources } from './resources.ts';
import type { ResourceMetrics } from './resource-metrics.ts';
import type { Arrival } from './series.ts';

const REQUEST = fieldTags('ExportTraceServiceRequest');
const RESOURCE_SPANS = fieldTags('ResourceSpans');
const SCOPE_SPANS = fieldTags('ScopeSpans');
const SCOPE = fieldTags('InstrumentationScope');
const NO_SCOPE: Scope = { name: '', version: '', id: 0 };
/** Scopes that are remembered. */
const MAX_SCOPES = 1000;
const STEP_FIELDS = 128;
const NS_A_MS = 1_000_000n;

/** Counts spans and their durations, and emits the counts in intervals. */
export class SpanMetricsConnector implements Component, Consumer {
  readonly #config: SpanMetricsConfig;
  readonly #metrics: Metrics;
  readonly #next: Consumer;
  readonly #resources: Resources;
  readonly #counter: SpanCounter;
  readonly #flushes: Incident;
  readonly #skip: (spans: number, reason: 'no_service_name' | 'max_resources') => void;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #interval = 0;
  readonly #scopes = new Map<string, Scope>();
  #lastScope = 0;

  constructor({ metrics, logger }: ComponentSettings, config: SpanMetricsConfig, next: Consumer) {
    this.#config = config;
    this.#metrics = metricsOf(config);
    this.#next = next;
    this.#resources = new Resources(config, this.#metrics.bounds.length + 1);
    const overflow = metrics.counter(sidecarMetrics.siphon_span_metrics_overflow_spans);
    const skipped = metrics.counter(sidecarMetrics.siphon_span_metrics_skipped_spans);
    this.#skip = (spans, reason) => skipped.add(spans, { reason });
    this.#counter = new SpanCounter(this.#metrics, {
      onOverflow: () => overflow.add(1),
      forgetKeys: () => this.#resources.forgetKeys(),
    });
    this.#flushes = new Incident(logger, {
      failing: 'The pipeline does not accept the metrics of spans; they are sent again with the next ones',
      recovered: 'The pipeline accepts the metrics of spans again',
    });
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#flush(), this.#config.metrics_flush_interval);
  }

  async consume({ chunks }: TelemetryBatch): Promise<void> {
    for (const chunk of chunks) await inSlices(this.#count(chunk));
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const wasStarted = this.#timer !== undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!wasStarted || deadline.aborted) return;
    await this.#flushing;
    await this.#flush();
  }

  *#count(request: Uint8Array): Generator<undefined, undefined> {
    const nowMs = Date.now();
    const arrival = { nowMs, nowNs: BigInt(nowMs) * NS_A_MS };
    for (const reader = new WireReader(request); !reader.done;) {
      const tag = reader.tag();
      if (tag === REQUEST.resource_spans) yield* this.#resourceSpans(reader.message(), arrival);
      else reader.skip(tag);
      yield;
    }
  }

  *#resourceSpans(reader: WireReader, arrival: Arrival): Generator<undefined> {
    const resource = this.#resources.of(reader.allOf(RESOURCE_SPANS.resource), arrival.nowMs);
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === RESOURCE_SPANS.scope_spans) yield* this.#scopeSpans(reader.message(), resource, arrival);
      else reader.skip(tag);
    }
  }

  /** @param resource the reason if its spans are not counted. */
  *#scopeSpans(
    reader: WireReader,
    resource: ResourceMetrics | 'no_service_name' | 'max_resources',
    arrival: Arrival,
  ): Generator<undefined> {
    const { position } = reader;
    const scope = this.#metrics.scopes.size === 0 ? NO_SCOPE : this.#scopeIn(reader);
    reader.position = position;
    let skipped = 0;
    for (let fields = 1; !reader.done; fields++) {
      const tag = reader.tag();
      if (tag !== SCOPE_SPANS.spans) reader.skip(tag);
      else {
        const end = reader.varint() + reader.position;
        if (typeof resource === 'string') skipped++;
        else this.#counter.count(reader, end, { resource, scope, arrival, interval: this.#interval });
        reader.position = end;
      }
      if (fields % STEP_FIELDS === 0) yield;
    }
    if (typeof resource === 'string') this.#skip(skipped, resource);
  }

  /** The scope, if the configuration includes it. */
  #scopeIn(reader: WireReader): Scope {
    let [name, version] = ['', ''];
    while (!reader.done) {
      const tag = reader.tag();
      if (tag !== SCOPE_SPANS.scope) {
        reader.skip(tag);
        continue;
      }
      for (const scope = reader.message(); !scope.done;) {
        const field = scope.tag();
        if (field === SCOPE.name) name = scope.string();
        else if (field === SCOPE.version) version = scope.string();
        else scope.skip(field);
      }
    }
    return name !== '' && this.#metrics.scopes.has(name) ? this.#known(name, version) : NO_SCOPE;
  }

  #known(name: string, version: string): Scope {
    const key = JSON.stringify([name, version]);
    let scope = this.#scopes.get(key);
    if (scope === undefined) {
      scope = { name, version, id: ++this.#lastScope };
      if (this.#scopes.size >= MAX_SCOPES) this.#scopes.clear();
      this.#scopes.set(key, scope);
    }
    return scope;
  }

  async #flush(): Promise<void> {
    if (this.#flushing !== undefined) return await this.#flushing;
    this.#flushing = this.#emit();
    await this.#flushing;
    this.#flushing = undefined;
  }

  /** Totals that are not accepted are part of the next ones. */
  async #emit(): Promise<void> {
    const timeNs = BigInt(Date.now()) * NS_A_MS;
    const slice = new TimeSlice();
    const batches: TelemetryBatch[] = [];
    for (const resource of this.#resources.all()) {
      const chunk = encodeMetrics(resource, this.#metrics, timeNs);
      batches.push({ signal: 'metrics', chunks: [chunk], itemCount: resource.pointCount, sizeBytes: chunk.length });
      await slice.pause();
    }
    this.#interval++;
    this.#resources.emitted(Date.now());
    if (batches.length === 0) return;
    try {
      await this.#next.consume(joinBatches('metrics', batches));
      this.#flushes.succeeded();
    } catch (error) {
      this.#flushes.failed(error);
    }
  }
}
