import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';

const NEVER_MS = 3_600_000;

/** One run of a service with the SDK. The test decides when its metrics are sent. */
export class SdkRun implements AsyncDisposable {
  readonly #reader: PeriodicExportingMetricReader;
  readonly #provider: MeterProvider;
  readonly #bags;

  constructor(otlpEndpoint: string, { job, instance }: { readonly job: string; readonly instance: string }) {
    const exporter = new OTLPMetricExporter({ url: `${otlpEndpoint}/v1/metrics`, timeoutMillis: 2000 });
    this.#reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: NEVER_MS });
    const resource = resourceFromAttributes({ 'service.name': job, 'service.instance.id': instance });
    this.#provider = new MeterProvider({ resource, readers: [this.#reader] });
    this.#bags = this.#provider
      .getMeter('roaster')
      .createCounter('bags', { unit: '{bag}', description: 'Bags filled' });
  }

  /** Adds to `bags_total` and sends it. */
  async fill(bags: number): Promise<void> {
    this.#bags.add(bags);
    await this.send();
  }

  /** Sends what is known already. */
  async send(): Promise<void> {
    await this.#reader.forceFlush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
  }
}
