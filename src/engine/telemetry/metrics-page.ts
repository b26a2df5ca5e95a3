/** The heavy part of the own metrics, loaded only when they are served. */
import type { Meter } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ComponentKind } from '../component.ts';
import { observeProcess } from './process-metrics.ts';

/** The exporter's serializer appends this to every monotonic sum; the stock Collector's page has it nowhere. */
const TOTAL_SUFFIX = /^((?:# (?:HELP|TYPE|UNIT) )?[a-zA-Z_:][\w:]*?)_total(?=[ {])/gm;

/**
 * The instruments and the page on which Prometheus finds them: text 0.0.4, the names exactly as the instruments
 * are called, a label for the component instead of scope labels.
 */
export class MetricsPage {
  readonly #reader = new PrometheusExporter({ preventServerStart: true });
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  readonly #provider: InstanceType<typeof MeterProvider>;

  constructor(version: string, uncaughtErrors: () => number = () => 0) {
    const resource = resourceFromAttributes({ 'service.name': 'siphon', 'service.version': version });
    this.#provider = new MeterProvider({ resource, readers: [this.#reader] });
    observeProcess(this.#provider.getMeter(''), uncaughtErrors);
  }

  meter(kind: ComponentKind, id: string): Meter {
    return this.#provider.getMeter(`${kind}/${id}`);
  }

  /** @throws AggregateError if an instrument's callback failed: the page is complete or it is not given. */
  async render(): Promise<string> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
    return this.#serializer.serialize(labelByScope(resourceMetrics)).replace(TOTAL_SUFFIX, '$1');
  }

  async shutdown(): Promise<void> {
    await this.#provider.shutdown();
  }
}

/** Turns a scope named `exporter/sentry` into the label `exporter="sentry"`. */
function labelByScope({ resource, scopeMetrics }: ResourceMetrics): ResourceMetrics {
  return {
    resource,
    scopeMetrics: scopeMetrics.map(({ scope, metrics }) => {
      const slash = scope.name.indexOf('/');
      if (slash < 0) return { scope, metrics };
      const [kind, id] = [scope.name.slice(0, slash), scope.name.slice(slash + 1)];
      return { scope, metrics: metrics.map((metric) => withLabel(metric, kind, id)) };
    }),
  };
}

function withLabel(metric: MetricData, key: string, value: string): MetricData {
  const dataPoints = metric.dataPoints.map((point) => ({
    ...point,
    attributes: { [key]: value, ...point.attributes },
  }));
  return { ...metric, dataPoints } as MetricData;
}
