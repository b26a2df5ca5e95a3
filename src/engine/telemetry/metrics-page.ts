/** The heavy part of the self-metrics, loaded only when they are served. */
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  InstrumentType,
  MeterProvider,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { Instruments } from '../../metrics/instruments.ts';
import { componentKinds, type ComponentKind, type ComponentMetrics } from '../component.ts';
import { observeProcess, type ProcessObservations } from './observe-process.ts';

/** The serializer appends this to every monotonic sum; the stock Collector's page does not have it. */
const TOTAL_SUFFIX = /^((?:# (?:HELP|TYPE) )?[a-zA-Z_:][\w:]*?)_total(?=[ {])/gm;

/**
 * The instruments and the page that Prometheus scrapes: text 0.0.4, the names of the instruments as they are, and a label
 * for the component instead of scope labels.
 */
export class MetricsPage {
  readonly #reader = new PageReader({ preventServerStart: true });
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  readonly #provider: InstanceType<typeof MeterProvider>;
  /** The metrics of the whole process. */
  readonly process: Instruments;

  #collection: ReturnType<PageReader['collect']> | undefined;
  /** The scopes on the page; all if undefined. */
  #shown: ReadonlySet<string> | undefined;

  /** @param attributes of the resource, without those that are null. */
  constructor(attributes: Readonly<Record<string, string | null>>, observed?: ProcessObservations) {
    const all = { 'service.name': 'siphon', ...attributes };
    const resource = resourceFromAttributes(
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)),
    );
    this.#provider = new MeterProvider({ resource, readers: [this.#reader] });
    this.process = new Instruments(this.#provider.getMeter(''), []);
    observeProcess(this.process, observed);
  }

  /** Hides the series of all other components. Their counters continue if such a component is used again. */
  showOnly(components: readonly { readonly kind: ComponentKind; readonly id: string }[]): void {
    this.#shown = new Set(components.map(({ kind, id }) => scopeOf(kind, id)));
  }

  metricsOf(kind: ComponentKind, id: string): ComponentMetrics {
    return new Instruments(this.#provider.getMeter(scopeOf(kind, id)), componentKinds);
  }

  /** @throws AggregateError if the callback of an instrument failed: the page is never incomplete. */
  async render(): Promise<string> {
    // Two collections at the same time would divide the values of gauges between them.
    this.#collection ??= this.#reader.collect().finally(() => (this.#collection = undefined));
    const { resourceMetrics, errors } = await this.#collection;
    if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
    const shown = resourceMetrics.scopeMetrics.filter(({ scope }) => this.#isShown(scope.name));
    return this.#serializer
      .serialize(labelByScope({ ...resourceMetrics, scopeMetrics: shown }))
      .replace(TOTAL_SUFFIX, '$1');
  }

  #isShown(scope: string): boolean {
    return scope === '' || (this.#shown?.has(scope) ?? true);
  }

  async shutdown(): Promise<void> {
    await this.#provider.shutdown();
  }
}

function scopeOf(kind: ComponentKind, id: string): string {
  return `${kind}/${id}`;
}

/** Shows a gauge only with the labels that its callback reported last. The SDK would keep all labels forever. */
class PageReader extends PrometheusExporter {
  override selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return type === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : super.selectAggregationTemporality(type);
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
