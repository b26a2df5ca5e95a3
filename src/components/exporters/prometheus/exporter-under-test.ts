import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import * as v from 'valibot';
import { componentKinds, type Component } from '../../../engine/component.ts';
import { ComponentLedger } from '../../../engine/account.ts';
import { Instruments } from '../../../metrics/instruments.ts';
import { protobufFromJson } from '../../../engine/otlp/json/protobuf-from-json.ts';
import { prometheusExporterConfig } from './config.ts';
import { prometheusExporter } from './factory.ts';
import { toBatch } from '../../../../tests/support/components/batches.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { logLines } from '../../../../tests/support/components/log-lines.ts';
import {
  parseOpenMetrics,
  parsePrometheusText,
  type TextFamily,
} from '../../../../tests/support/prometheus/prometheus-text.ts';

/** A part of an `ExportMetricsServiceRequest` in OTLP's JSON. */
export type Json = unknown;

/** An exporter on a free port, what it counted and what it logged. */
export class ExporterUnderTest implements AsyncDisposable {
  readonly log = logLines();
  readonly #memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #reader = new PeriodicExportingMetricReader({ exporter: this.#memory, exportIntervalMillis: 3_600_000 });
  readonly #meters = new MeterProvider({ readers: [this.#reader] });
  readonly #exporter;

  private constructor(config: Record<string, unknown>) {
    const { logger } = this.log;
    const settings = {
      id: 'prometheus',
      signals: new Set(['metrics' as const]),
      logger,
      ledger: new ComponentLedger(),
      version: '0',
    };
    this.#exporter = prometheusExporter.create(
      { ...settings, metrics: new Instruments(this.#meters.getMeter('test'), componentKinds) },
      v.parse(prometheusExporterConfig, { endpoint: '127.0.0.1:0', without_scope_info: true, ...config }),
    );
  }

  static async start(
    config: Record<string, unknown> = {},
    extensions: Readonly<Record<string, Component>> = {},
  ): Promise<ExporterUnderTest> {
    const started = new ExporterUnderTest(config);
    await started.#exporter.start(hostWith(extensions));
    return started;
  }

  /** `host:port` */
  get endpoint(): string {
    return this.log.lines.find(({ msg }) => msg === 'Listening')?.['endpoint'] as string;
  }

  /** Metrics without a resource, or whole `resourceMetrics` where they are given. */
  async consume(metrics: Json, resource: Json = {}): Promise<void> {
    await this.consumeRequest({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
  }

  async consumeRequest(request: Json): Promise<void> {
    await this.consumeBytes(protobufFromJson('metrics', Buffer.from(JSON.stringify(request))));
  }

  /** @param isOwn true for a request of one of siphon's own receivers. */
  async consumeBytes(bytes: Uint8Array, isOwn = false): Promise<void> {
    await this.#exporter.consume({ ...toBatch('metrics', bytes, 0), isOwn });
  }

  async scrape(headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`http://${this.endpoint}/metrics`, { headers });
  }

  /** The page as a strict reader understands it. */
  async families(headers: Record<string, string> = {}): Promise<TextFamily[]> {
    const answer = await this.scrape(headers);
    if (answer.status !== 200) throw new Error(`the scrape was answered ${answer.status}`);
    const parse = answer.headers.get('content-type')?.includes('openmetrics') ? parseOpenMetrics : parsePrometheusText;
    return parse(await answer.text());
  }

  /** The sample lines of the page. */
  async lines(headers: Record<string, string> = {}): Promise<string[]> {
    await this.families(headers);
    const text = await (await this.scrape(headers)).text();
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }

  /** Dropped points by reason; every reason is there from the start, and those that have not happened are left out. */
  async dropped(): Promise<Record<string, number>> {
    const counts = await this.#counts('siphon_prometheus_dropped_points', 'reason');
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  }

  seriesByJob(): Promise<Record<string, number>> {
    return this.#counts('siphon_prometheus_series', 'exported_job');
  }

  changedLabels(): Promise<Record<string, number>> {
    return this.#counts('siphon_prometheus_changed_labels', 'change');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exporter.shutdown(AbortSignal.timeout(1000));
    await this.#meters.shutdown();
  }

  async #counts(name: string, label: string): Promise<Record<string, number>> {
    await this.#reader.forceFlush();
    const metrics =
      this.#memory
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    const metric = metrics.find(({ descriptor }) => descriptor.name === name);
    if (metric?.dataPointType !== DataPointType.SUM && metric?.dataPointType !== DataPointType.GAUGE) return {};
    return Object.fromEntries(metric.dataPoints.map((point) => [point.attributes[label] as string, point.value]));
  }
}

/** OTLP's JSON of attributes with text values. */
export function attributes(values: Readonly<Record<string, string>>): Json[] {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

export interface PointOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** Nanoseconds. */
  readonly start?: bigint | number;
  readonly time?: bigint | number;
  readonly flags?: number;
}

export function gauge(name: string, value: number | undefined, options: PointOptions = {}): Json {
  return { name, gauge: { dataPoints: [numberPoint(value, options)] } };
}

export function counter(name: string, value: number | undefined, options: PointOptions = {}): Json {
  return sum(name, value, { ...options, temporality: 2 });
}

export function delta(name: string, value: number, options: PointOptions = {}): Json {
  return sum(name, value, { ...options, temporality: 1 });
}

export interface Buckets {
  readonly count: number;
  readonly sum?: number;
  readonly bounds?: readonly number[];
  readonly counts?: readonly number[];
  readonly temporality?: 1 | 2;
}

export function histogram(name: string, buckets: Buckets, options: PointOptions = {}): Json {
  const { count, sum: total, bounds = [], counts = [], temporality = 2 } = buckets;
  const point = { ...common(options), count: String(count), explicitBounds: bounds, bucketCounts: counts.map(String) };
  const dataPoints = [{ ...point, ...(total === undefined ? {} : { sum: total }) }];
  return { name, histogram: { aggregationTemporality: temporality, dataPoints } };
}

function sum(name: string, value: number | undefined, options: PointOptions & { temporality: 1 | 2 }): Json {
  const dataPoints = [numberPoint(value, options)];
  return { name, sum: { aggregationTemporality: options.temporality, isMonotonic: true, dataPoints } };
}

function numberPoint(value: number | undefined, options: PointOptions): Json {
  return { ...common(options), ...(value === undefined ? {} : { asDouble: value }) };
}

function common({ labels = {}, start = 0, time = 0, flags = 0 }: PointOptions): Record<string, unknown> {
  return {
    attributes: attributes(labels),
    startTimeUnixNano: String(start),
    timeUnixNano: String(time),
    flags,
  };
}
