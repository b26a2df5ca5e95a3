import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { sidecarMetrics } from '../../metrics/self.ts';
import { ComponentLedger } from '../account.ts';
import type {
  ComponentSettings,
  Consumer,
  ExporterFactory,
  Factory,
  ProcessorFactory,
  Signal,
  Transport,
} from '../component.ts';
import type { CollectorConfig, Configured, PipelineConfig } from '../collector-config.ts';
import { extensionsIn } from '../config/check-extension-references.ts';
import { ExporterDelivery } from '../delivery/exporter-delivery.ts';
import { countAccepted, countBeginning, countEnd, countItems } from '../telemetry/item-counts.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import type { SelfMetrics } from '../telemetry/self-metrics.ts';
import { fanOut } from './fan-out.ts';
import { keyOf, type GraphNode } from './graph-node.ts';
import { Outlet } from './outlet.ts';
import { routeBySignal } from './route-by-signal.ts';
import type { Stage } from './stages.ts';
import type { Taps } from './taps.ts';

export interface Graph {
  /** In the order in which they start: each component after everything that it feeds. */
  readonly stages: readonly Stage<GraphNode>[];
  /** The components by their keys. */
  readonly nodes: ReadonlyMap<string, GraphNode>;
  /** The components that each component feeds directly. */
  readonly feeds: ReadonlyMap<GraphNode, readonly GraphNode[]>;
  /**
   * Leads the components that were taken over to what follows them in this graph; new components are connected already.
   * Resolves when what followed them before has answered.
   */
  connect(): Promise<void>;
}

interface GraphSettings {
  readonly version: string;
  readonly logger: Logger;
  readonly ledger: Ledger;
  readonly taps: Taps;
}

/**
 * Creates every component that a pipeline or `service.extensions` uses, and connects each to its next consumer.
 *
 * @param earlier running components by key. One is taken over if its configuration, its signals and the extensions that
 * it refers to are unchanged.
 */
export function buildGraph(
  config: CollectorConfig,
  settings: GraphSettings,
  selfMetrics: SelfMetrics,
  earlier: ReadonlyMap<string, GraphNode> = new Map(),
): Graph {
  const builder = new GraphBuilder(config, { ...settings, selfMetrics, earlier });
  try {
    builder.buildExtensions();
    builder.buildExporters();
    builder.buildPipelines();
    builder.buildReceivers();
  } catch (error) {
    builder.discard();
    throw error;
  }
  return builder;
}

interface BuilderSettings extends GraphSettings {
  readonly selfMetrics: SelfMetrics;
  readonly earlier: ReadonlyMap<string, GraphNode>;
}

/** A consumer and the components directly behind it. */
interface Next {
  readonly consumer: Consumer;
  readonly nodes: readonly GraphNode[];
}

/** A component that the graph needs, before it is created or taken over. */
interface Wanted<F extends Factory> {
  readonly kind: F['kind'];
  readonly configured: Configured<F>;
  readonly users: readonly PipelineConfig[];
  /** Distinguishes the instances of a processor. */
  readonly pipeline?: string;
}

/** The parts of a new node that depend on its kind. */
type Created = Pick<GraphNode, 'component' | 'inlet' | 'isExclusive' | 'shared'>;

class GraphBuilder implements Graph {
  readonly stages: GraphNode[][] = [];
  readonly nodes = new Map<string, GraphNode>();
  readonly feeds = new Map<GraphNode, readonly GraphNode[]>();
  readonly #config: CollectorConfig;
  readonly #settings: BuilderSettings;
  readonly #created: ComponentSettings[] = [];
  readonly #reconnections: (() => Promise<void>)[] = [];
  /** The beginning of each pipeline; undefined while it is being built. */
  readonly #beginnings = new Map<PipelineConfig, Next | undefined>();

  constructor(config: CollectorConfig, settings: BuilderSettings) {
    this.#config = config;
    this.#settings = settings;
  }

  get #pipelines(): readonly PipelineConfig[] {
    return this.#config.service.pipelines;
  }

  async connect(): Promise<void> {
    await Promise.all(this.#reconnections.map((reconnect) => reconnect()));
  }

  /** Forgets what the created components would show on the page of metrics. */
  discard(): void {
    for (const { metrics, ledger } of this.#created) {
      metrics.stopObserving();
      ledger.release();
    }
  }

  /** The extensions that others refer to, such as a storage, are first. */
  buildExtensions(): void {
    const { extensions } = this.#config.service;
    const used = new Set(extensions.flatMap((id) => extensionsIn(configured(this.#config.extensions, id).config)));
    for (const id of [...extensions.filter((one) => used.has(one)), ...extensions.filter((one) => !used.has(one))]) {
      const wanted = { kind: 'extension', configured: configured(this.#config.extensions, id), users: [] } as const;
      this.#add([
        this.#node(wanted, (settings) => {
          const { factory, config } = wanted.configured;
          // An authenticator owns neither an address nor a file.
          const isExclusive = factory.role !== 'authenticator';
          return { component: factory.create(settings, config), inlet: undefined, isExclusive };
        }),
      ]);
    }
  }

  buildExporters(): void {
    this.#add(
      [...this.#config.exporters.values()].flatMap((exporter) => {
        const users = this.#pipelines.filter(({ exporters }) => exporters.includes(exporter.id));
        return users.length > 0 ? [this.#exporter(exporter, users)] : [];
      }),
    );
  }

  #exporter(exporter: Configured<ExporterFactory>, users: readonly PipelineConfig[]): GraphNode {
    return this.#node({ kind: 'exporter', configured: exporter, users }, (settings) => {
      const { factory, config } = exporter;
      const created = factory.create(settings, config);
      const delivery = factory.delivery(config);
      const component = delivery ? new ExporterDelivery(created, delivery, settings) : created;
      return { component, inlet: component, isExclusive: factory.isExclusive?.(config) ?? false };
    });
  }

  buildPipelines(): void {
    for (const pipeline of this.#pipelines) this.#beginning(pipeline);
  }

  #beginning(pipeline: PipelineConfig): Next {
    if (this.#beginnings.has(pipeline)) {
      const beginning = this.#beginnings.get(pipeline);
      if (beginning === undefined) throw new Error(`pipeline ${pipeline.id} feeds itself through connectors`);
      return beginning;
    }
    this.#beginnings.set(pipeline, undefined);
    const ends = pipeline.exporters.map((id) => this.nodes.get(keyOf('exporter', id)) ?? this.#connector(id));
    const account = this.#settings.ledger.account(`pipelines::${pipeline.id}`, pipeline.signal);
    const tapped = ({ consumer, nodes }: Next, edge: number): Next => {
      return { consumer: this.#settings.taps.through(pipeline.id, edge, consumer), nodes };
    };
    const { processors } = pipeline;
    const last: Next = { consumer: countEnd(fanOut(ends.map(inletOf)), account), nodes: ends };
    const first = processors.reduceRight(
      (next, id, edge) => tapped(this.#processor(id, pipeline, next), edge),
      tapped(last, processors.length),
    );
    const beginning = { ...first, consumer: countBeginning(first.consumer, account) };
    this.#beginnings.set(pipeline, beginning);
    return beginning;
  }

  #processor(id: string, pipeline: PipelineConfig, next: Next): Next {
    const found = configured(this.#config.processors, id);
    const wanted = { kind: 'processor', configured: found, users: [pipeline], pipeline: pipeline.id } as const;
    const node = this.#node(wanted, (settings, outlet) => {
      const counted = countItems(outlet, sidecarMetrics.otelcol_processor_outgoing_items, settings);
      const shared = this.#sharedWith(found) ?? found.factory.share?.(settings, found.config);
      const component = found.factory.create(settings, found.config, counted, shared);
      const inlet = countItems(component, sidecarMetrics.otelcol_processor_incoming_items, settings);
      return { component, inlet, isExclusive: false, shared };
    });
    this.#connect(node, next);
    this.#add([node]);
    return { consumer: inletOf(node), nodes: [node] };
  }

  /** The part that the instances of the processor have in common. Undefined before the first instance. */
  #sharedWith(found: Configured<ProcessorFactory>): unknown {
    const running = [...this.#settings.earlier.values()].filter((node) => this.#isUnchanged(node, found, node.signals));
    const instances = [...this.nodes.values(), ...running];
    return instances.find(({ kind, id }) => kind === 'processor' && id === found.id)?.shared;
  }

  #connector(id: string): GraphNode {
    const built = this.nodes.get(keyOf('connector', id));
    if (built !== undefined) return built;
    const found = configured(this.#config.connectors, id);
    const users = this.#pipelines.filter(({ exporters }) => exporters.includes(id));
    const next = this.#pipelinesBehind(id);
    const node = this.#node({ kind: 'connector', configured: found, users }, (settings, outlet) => {
      const component = found.factory.create(settings, found.config, outlet);
      return { component, inlet: component, isExclusive: false };
    });
    this.#connect(node, next);
    this.#add([node]);
    return node;
  }

  buildReceivers(): void {
    this.#add(
      [...this.#config.receivers.values()].flatMap((receiver) => {
        const users = this.#pipelines.filter(({ receivers }) => receivers.includes(receiver.id));
        if (users.length === 0) return [];
        const next = this.#pipelinesBehind(receiver.id);
        const node = this.#node({ kind: 'receiver', configured: receiver, users }, (settings, outlet) => {
          const { factory, config } = receiver;
          const nextFor = (transport: Transport): Consumer => countAccepted(outlet, transport, settings);
          return { component: factory.create(settings, config, nextFor), inlet: undefined, isExclusive: true };
        });
        this.#connect(node, next);
        return [node];
      }),
    );
  }

  /** The pipelines that a receiver or connector feeds. */
  #pipelinesBehind(id: string): Next {
    const fed = this.#pipelines.filter(({ receivers }) => receivers.includes(id));
    const beginnings = new Map<PipelineConfig, Next>(fed.map((pipeline) => [pipeline, this.#beginning(pipeline)]));
    const consumers = new Map<Signal, Consumer>();
    for (const [signal, pipelines] of Map.groupBy(beginnings, ([pipeline]) => pipeline.signal)) {
      consumers.set(signal, fanOut(pipelines.map(([, { consumer }]) => consumer)));
    }
    return { consumer: routeBySignal(consumers), nodes: [...beginnings.values()].flatMap(({ nodes }) => nodes) };
  }

  /** Takes a running component over, or creates a new one. */
  #node<F extends Factory>(
    wanted: Wanted<F>,
    create: (settings: ComponentSettings, outlet: Outlet) => Created,
  ): GraphNode {
    const { kind, configured: found, users, pipeline } = wanted;
    const key = keyOf(kind, found.id, pipeline);
    const signals = new Set(users.map(({ signal }) => signal));
    const running = this.#settings.earlier.get(key);
    if (running !== undefined && this.#isUnchanged(running, found, signals)) {
      this.#reconnections.push(async () => setSignals(running, signals));
      return running;
    }
    const { version, selfMetrics } = this.#settings;
    const settings: ComponentSettings = {
      id: found.id,
      signals,
      logger: this.#settings.logger.child({ kind, id: found.id }),
      metrics: selfMetrics.metricsOf(kind, found.id),
      ledger: new ComponentLedger((signal) =>
        this.#settings.ledger.account(
          pipeline === undefined ? `${kind}s::${found.id}` : `pipelines::${pipeline}`,
          signal,
        ),
      ),
      version,
      emptyValues: found.emptyValues,
    };
    this.#created.push(settings);
    const outlet = new Outlet();
    return {
      key,
      name: `${kind}s::${found.id}`,
      kind,
      id: found.id,
      configured: found,
      settings,
      signals,
      logger: settings.logger,
      outlet,
      ...create(settings, outlet),
    };
  }

  #isUnchanged(
    running: GraphNode,
    { factory, config, written, completion, files, modules = [] }: Configured<Factory>,
    signals: ReadonlySet<Signal>,
  ): boolean {
    return (
      running.configured.factory === factory &&
      isDeepStrictEqual(running.configured.written, written) &&
      isDeepStrictEqual(running.configured.completion, completion) &&
      isDeepStrictEqual(running.configured.files, files) &&
      modules.every((module, index) => module === running.configured.modules?.[index]) &&
      (isDeepStrictEqual(running.signals, signals) ||
        (factory.kind === 'receiver' && factory.followsSignals === true)) &&
      extensionsIn(config).every((id) => {
        const key = keyOf('extension', id);
        return this.nodes.get(key) === this.#settings.earlier.get(key);
      })
    );
  }

  #connect(node: GraphNode, { consumer, nodes }: Next): void {
    this.feeds.set(node, nodes);
    const isTakenOver = this.#settings.earlier.get(node.key) === node;
    if (isTakenOver) this.#reconnections.push(async () => await node.outlet.connect(consumer));
    else void node.outlet.connect(consumer);
  }

  #add(stage: GraphNode[]): void {
    for (const node of stage) this.nodes.set(node.key, node);
    this.stages.push(stage);
  }
}

function configured<C>(components: ReadonlyMap<string, C>, id: string): C {
  const found = components.get(id);
  if (found === undefined) throw new Error(`${id} is used but not configured`);
  return found;
}

function setSignals({ signals }: GraphNode, next: ReadonlySet<Signal>): void {
  signals.clear();
  for (const signal of next) signals.add(signal);
}

function inletOf({ name, inlet }: GraphNode): Consumer {
  if (inlet === undefined) throw new Error(`${name} receives nothing`);
  return inlet;
}
