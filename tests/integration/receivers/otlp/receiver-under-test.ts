import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import * as v from 'valibot';
import { componentKinds, type Component, type Signal, type TelemetryBatch } from '../../../../src/engine/component.ts';
import { ComponentLedger } from '../../../../src/engine/account.ts';
import { Instruments } from '../../../../src/metrics/instruments.ts';
import { otlpReceiverConfig } from '../../../../src/components/receivers/otlp/config.ts';
import { OtlpReceiver } from '../../../../src/components/receivers/otlp/receiver.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { logLines } from '../../../support/components/log-lines.ts';

const LOCAL = { endpoint: '127.0.0.1:0' };

interface Options {
  readonly http?: Record<string, unknown>;
  readonly grpc?: Record<string, unknown>;
  /** Keys of the receiver next to `protocols`. */
  readonly limits?: Record<string, unknown>;
  readonly signals?: readonly Signal[];
  /** The running extensions, by id. */
  readonly extensions?: Readonly<Record<string, Component>>;
}

/** A receiver on free ports, what it passed on, what it counted and what it logged. */
export class ReceiverUnderTest implements AsyncDisposable {
  readonly batches: TelemetryBatch[] = [];
  readonly log = logLines();
  readonly receiver: OtlpReceiver;
  /** Stands for the pipelines. */
  consume: (batch: TelemetryBatch) => Promise<void> = async (batch) => void this.batches.push(batch);
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #reader = new PeriodicExportingMetricReader({ exporter: this.#exporter, exportIntervalMillis: 3_600_000 });
  readonly #meters = new MeterProvider({ readers: [this.#reader] });

  constructor({ http, grpc, limits, signals = ['traces', 'metrics', 'logs'] }: Options = {}) {
    const settings = {
      id: 'otlp',
      signals: new Set(signals),
      logger: this.log.logger,
      metrics: new Instruments(this.#meters.getMeter('test'), componentKinds),
      ledger: new ComponentLedger(),
      version: '0',
    };
    const protocols = { http: { ...LOCAL, ...http }, grpc: { ...LOCAL, ...grpc } };
    this.receiver = new OtlpReceiver(settings, v.parse(otlpReceiverConfig, { protocols, ...limits }), () => ({
      consume: (batch) => this.consume(batch),
    }));
  }

  static async start(options?: Options): Promise<ReceiverUnderTest> {
    const started = new ReceiverUnderTest(options);
    await started.receiver.start(hostWith(options?.extensions));
    return started;
  }

  /** `host:port` of the transport. */
  endpoint(transport: 'http' | 'grpc'): string {
    const line = this.log.lines.find((fields) => fields['msg'] === 'Listening' && fields['transport'] === transport);
    if (line === undefined) throw new Error(`${transport} does not listen`);
    return line['endpoint'] as string;
  }

  get httpUrl(): string {
    return `http://${this.endpoint('http')}`;
  }

  /** The requests that were not taken, by `transport/reason`; those that may pass are there from the start, and left out here. */
  async rejected(): Promise<Record<string, number>> {
    const counted = await this.counted('siphon_receiver_rejected_requests', 'transport', 'reason');
    return Object.fromEntries(Object.entries(counted).filter(([, value]) => value > 0));
  }

  /** The values of a counter, by the values of these labels. */
  async counted(name: string, ...labels: readonly string[]): Promise<Record<string, number>> {
    this.#exporter.reset();
    await this.#reader.forceFlush();
    const metrics = this.#exporter
      .getMetrics()
      .flatMap((resource) => resource.scopeMetrics.flatMap((scope) => scope.metrics));
    const counter = metrics.find(({ descriptor }) => descriptor.name === name);
    if (counter?.dataPointType !== DataPointType.SUM) return {};
    return Object.fromEntries(
      counter.dataPoints.map(({ attributes, value }) => [
        labels.map((label) => String(attributes[label])).join('/'),
        value,
      ]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.receiver.shutdown(AbortSignal.timeout(1000));
    await this.#meters.shutdown();
  }
}
