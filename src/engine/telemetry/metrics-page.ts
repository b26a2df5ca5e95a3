/** The heavy part of the self-metrics, loaded only when they are served. */
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { Instruments } from '../../metrics/instruments.ts';
import { componentKinds, type ComponentKind, type ComponentMetrics } from '../component.ts';
import { observeProcess } from './observe-process.ts';

/** The serializer appends this to every monotonic sum; the stock Collector's page does not have it. */
const TOTAL_SUFFIX = /^((?:# (?:HELP|TYPE) )?[a-zA-Z_:][\w:]*?)_total(?=[ {])/gm;

/**
 * The instruments and the page that Prometheus scrapes: text 0.0.4, the names of the instruments as they are, and a label
 * for the component instead of scope labels.
 */
export class MetricsPage {
  readonly #reader = new PrometheusExporter({ preventServerStart: true });
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  readonly #provider: InstanceType<typeof MeterProvider>;

  constructor(version: string, uncaughtErrors: () => number = () => 0) {
    const resource = resourceFromAttributes({ 'service.name': 'siphon', 'service.version': version });
    this.#provider = new MeterProvider({ resource, readers: [this.#reader] });
    observeProcess(new Instruments(this.#provider.getMeter(''), []), uncaughtErrors);
  }

  metricsOf(kind: ComponentKind, id: string): ComponentMetrics {
    return new Instruments(this.#provider.getMeter(`${kind}/${id}`), componentKinds);
  }

  /** @throws AggregateError if the callback of an instrument failed: the page is never incomplete. */
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
      const [kind, id] = [scope.name.slice(0, Math.max(slash, 0)), scope.name.slice(slash + 1)];
      return {
        scope,
        metrics: metrics.map((metric) => withoutUnit(kind === '' ? metric : withLabel(metric, kind, id))),
      };
    }),
  };
}

/** Text 0.0.4 has no line for the unit. */
function withoutUnit(metric: MetricData): MetricData {
  return { ...metric, descriptor: { ...metric.descriptor, unit: '' } };
}

function withLabel(metric: MetricData, key: string, value: string): MetricData {
  const dataPoints = metric.dataPoints.map((point) => ({
    ...point,
    attributes: { [key]: value, ...point.attributes },
  }));
  return { ...metric, dataPoints } as MetricData;
}
