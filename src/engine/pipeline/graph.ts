import type { Logger } from 'pino';
import { sidecarMetrics } from '../../metrics/self.ts';
import type {
  Component,
  ComponentKind,
  ComponentSettings,
  Consumer,
  ExtensionRole,
  Factory,
  Signal,
} from '../component.ts';
import type { CollectorConfig, Configured, PipelineConfig } from '../collector-config.ts';
import { ExporterDelivery } from '../delivery/exporter-delivery.ts';
import { countAccepted, countItems } from '../telemetry/item-counts.ts';
import type { SelfMetrics } from '../telemetry/self-metrics.ts';
import { fanOut } from './fan-out.ts';
import { routeBySignal } from './route-by-signal.ts';
import type { Stage } from './stages.ts';

export interface Graph {
  /** In the order in which they start: each component after everything that it feeds. */
  readonly stages: readonly Stage[];
  readonly extensions: ReadonlyMap<string, RunningExtension>;
}

export interface RunningExtension {
  readonly role: ExtensionRole | undefined;
  readonly component: Component;
}

interface GraphSettings {
  readonly version: string;
  readonly logger: Logger;
}

/** Creates every component that a pipeline or `service.extensions` uses, and connects each to its next consumer. */
export function buildGraph(config: CollectorConfig, settings: GraphSettings, selfMetrics: SelfMetrics): Graph {
  const builder = new GraphBuilder(config, settings, selfMetrics);
  builder.buildExtensions();
  builder.buildExporters();
  builder.buildPipelines();
  builder.buildReceivers();
  return builder;
}

class GraphBuilder implements Graph {
  readonly stages: Stage[] = [];
  readonly extensions = new Map<string, RunningExtension>();
  readonly #config: CollectorConfig;
  readonly #settings: GraphSettings;
  readonly #selfMetrics: SelfMetrics;
  readonly #exporters = new Map<string, Consumer>();
  readonly #connectors = new Map<string, Consumer>();
  /** The first consumer of each pipeline; undefined while it is being built. */
  readonly #firstConsumers = new Map<PipelineConfig, Consumer | undefined>();

  constructor(config: CollectorConfig, settings: GraphSettings, selfMetrics: SelfMetrics) {
    this.#config = config;
    this.#settings = settings;
    this.#selfMetrics = selfMetrics;
  }

  get #pipelines(): readonly PipelineConfig[] {
    return this.#config.service.pipelines;
  }

  buildExtensions(): void {
    for (const id of this.#config.service.extensions) {
      const extension = configured(this.#config.extensions, id);
      const settings = this.#settingsOf(extension, []);
      const component = extension.factory.create(settings, extension.config);
      this.extensions.set(id, { role: extension.factory.role, component });
      this.#addStage(settings, 'extension', component);
    }
  }

  buildExporters(): void {
    const stage = [...this.#config.exporters.values()].flatMap((exporter) => {
      const users = this.#pipelines.filter(({ exporters }) => exporters.includes(exporter.id));
      return users.length > 0 ? [this.#buildExporter(exporter.id, users)] : [];
    });
    this.stages.push(stage);
  }

  #buildExporter(id: string, users: readonly PipelineConfig[]): Stage[number] {
    const { factory, config } = configured(this.#config.exporters, id);
    const settings = this.#settingsOf({ id, factory }, users.map(signalOf));
    const exporter = factory.create(settings, config);
    const delivery = factory.delivery(config);
    const component = delivery ? new ExporterDelivery(exporter, delivery, settings) : exporter;
    this.#exporters.set(id, component);
    return { name: nameOf('exporter', id), component, logger: settings.logger };
  }

  buildPipelines(): void {
    for (const pipeline of this.#pipelines) this.#firstConsumer(pipeline);
  }

  #firstConsumer(pipeline: PipelineConfig): Consumer {
    if (this.#firstConsumers.has(pipeline)) {
      const first = this.#firstConsumers.get(pipeline);
      if (first === undefined) throw new Error(`pipeline ${pipeline.id} feeds itself through connectors`);
      return first;
    }
    this.#firstConsumers.set(pipeline, undefined);
    const last = fanOut(pipeline.exporters.map((id) => this.#exporters.get(id) ?? this.#connector(id)));
    const first = pipeline.processors.reduceRight((next, id) => this.#processor(id, pipeline, next), last);
    this.#firstConsumers.set(pipeline, first);
    return first;
  }

  #processor(id: string, { signal }: PipelineConfig, next: Consumer): Consumer {
    const { factory, config } = configured(this.#config.processors, id);
    const settings = this.#settingsOf({ id, factory }, [signal]);
    const counted = countItems(next, sidecarMetrics.otelcol_processor_outgoing_items, settings);
    const component = factory.create(settings, config, counted);
    this.#addStage(settings, 'processor', component);
    return countItems(component, sidecarMetrics.otelcol_processor_incoming_items, settings);
  }

  #connector(id: string): Consumer {
    const built = this.#connectors.get(id);
    if (built !== undefined) return built;
    const { factory, config } = configured(this.#config.connectors, id);
    const users = this.#pipelines.filter(({ exporters }) => exporters.includes(id));
    const settings = this.#settingsOf({ id, factory }, users.map(signalOf));
    const component = factory.create(settings, config, this.#pipelinesBehind(id));
    this.#connectors.set(id, component);
    this.#addStage(settings, 'connector', component);
    return component;
  }

  buildReceivers(): void {
    const stage = [...this.#config.receivers.values()].flatMap((receiver) => {
      const users = this.#pipelines.filter(({ receivers }) => receivers.includes(receiver.id));
      return users.length > 0 ? [this.#buildReceiver(receiver.id, users)] : [];
    });
    this.stages.push(stage);
  }

  #buildReceiver(id: string, users: readonly PipelineConfig[]): Stage[number] {
    const { factory, config } = configured(this.#config.receivers, id);
    const settings = this.#settingsOf({ id, factory }, users.map(signalOf));
    const next = this.#pipelinesBehind(id);
    const component = factory.create(settings, config, (transport) => countAccepted(next, transport, settings));
    return { name: nameOf('receiver', id), component, logger: settings.logger };
  }

  /** The pipelines that a receiver or connector feeds. */
  #pipelinesBehind(id: string): Consumer {
    const fed = this.#pipelines.filter(({ receivers }) => receivers.includes(id));
    const consumers = new Map<Signal, Consumer>();
    for (const [signal, pipelines] of Map.groupBy(fed, signalOf)) {
      consumers.set(signal, fanOut(pipelines.map((pipeline) => this.#firstConsumer(pipeline))));
    }
    return routeBySignal(consumers);
  }

  #settingsOf(
    { id, factory }: Pick<Configured<Factory>, 'id' | 'factory'>,
    signals: readonly Signal[],
  ): ComponentSettings {
    const { kind } = factory;
    return {
      id,
      signals: new Set(signals),
      logger: this.#settings.logger.child({ kind, id }),
      metrics: this.#selfMetrics.metricsOf(kind, id),
      version: this.#settings.version,
    };
  }

  #addStage({ id, logger }: ComponentSettings, kind: ComponentKind, component: Component): void {
    this.stages.push([{ name: nameOf(kind, id), component, logger }]);
  }
}

function configured<C>(components: ReadonlyMap<string, C>, id: string): C {
  const found = components.get(id);
  if (found === undefined) throw new Error(`${id} is used but not configured`);
  return found;
}

function nameOf(kind: ComponentKind, id: string): string {
  return `${kind}s::${id}`;
}

function signalOf({ signal }: PipelineConfig): Signal {
  return signal;
}
