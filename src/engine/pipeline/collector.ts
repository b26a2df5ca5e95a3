import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type {
  Component,
  ExtensionRole,
  ExtensionRoles,
  Host,
  HostStatus,
  RunningService,
  Watcher,
} from '../component.ts';
import type { CollectorConfig } from '../collector-config.ts';
import { Handover } from '../handover.ts';
import { Ledger, lossesBetween } from '../telemetry/ledger.ts';
import type { SampleSource } from '../metric-history.ts';
import { QueryApis } from '../query-apis.ts';
import { SelfMetrics } from '../telemetry/self-metrics.ts';
import { buildGraph, type Graph } from './graph.ts';
import { keyOf, type GraphNode } from './graph-node.ts';
import { ReloadCounts } from './reload-counts.ts';
import { replaceGraph, ReplacementError } from './replace-graph.ts';
import { startStages, shutdownStages } from './stages.ts';
import { Taps } from './taps.ts';
import type { ProcessObservations } from '../telemetry/observe-process.ts';

export interface CollectorSettings {
  /** siphon's own version. */
  readonly version: string;
  /** The parent of every component's logger. */
  readonly logger: Logger;
  /** For the self-metrics. The command observes it, because it owns the process. */
  readonly observed?: ProcessObservations | undefined;
  /** How long a reload lets replaced components send what they hold. */
  readonly drainTimeoutMs?: number | undefined;
}

/** After a failed start: the time for the started components to stop. */
const FAILED_START_TIMEOUT_MS = 5000;
const DRAIN_TIMEOUT_MS = 10_000;
/** Senders repeat for about this long. Later, telemetry is lost. */
const MAX_REFUSING_MS = 120_000;

/**
 * The pipelines of a configuration, from start to shutdown. It does not read the environment, handle signals or exit.
 */
export class Collector implements Host {
  readonly handover = new Handover();
  readonly queryApis = new QueryApis();
  readonly #taps = new Taps();
  readonly #settings: CollectorSettings;
  readonly #stop = new AbortController();
  #config: CollectorConfig;
  /** Where running components find extensions; during a reload, those of the new configuration. */
  #extensions: Graph['nodes'] = new Map();
  #graph: Graph | undefined;
  #status: Exclude<HostStatus, 'refusing'> = 'starting';
  /** Components that refuse telemetry, and since when. */
  readonly #degraded = new Map<Component, string>();
  readonly #refusing = new Map<Component, number>();
  #selfMetrics: SelfMetrics | undefined;
  #ledger: Ledger | undefined;
  #reloads: ReloadCounts | undefined;
  /** The start, or the reload that runs. */
  #changing: Promise<unknown> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: CollectorConfig, settings: CollectorSettings) {
    this.#config = config;
    this.#settings = settings;
  }

  /**
   * Resolves when all components are ready, or as soon as `shutdown` is called. Must be called only once.
   *
   * @throws Error with the name of the component that failed, after all others have been shut down.
   */
  start(): Promise<void> {
    const starting = this.#start();
    this.#changing = starting.catch(() => undefined);
    return starting;
  }

  /**
   * Exchanges the configuration. Components whose settings do not change continue to run, with all that they hold.
   * After any failure the old configuration stays in use. Never rejects: a failure is logged and counted.
   *
   * @param load reads and checks the new configuration.
   */
  async reload(load: () => Promise<CollectorConfig>): Promise<void> {
    // One after another, and after the start.
    const before = this.#changing;
    const reloading = (async () => {
      await before;
      if (this.#status === 'ok') await this.#reload(load);
    })();
    this.#changing = reloading;
    await reloading;
  }

  /** Accepts nothing more, sends what is in flight, and gives up what is left when the deadline aborts. */
  shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping ??= this.#shutdown(deadline);
    return this.#stopping;
  }

  extension<Role extends ExtensionRole>({ id, role }: { id: string; role: Role }): ExtensionRoles[Role] {
    const extension = this.#extensions.get(keyOf('extension', id));
    if (extension === undefined) throw new Error(`${id} is not running: add it to service::extensions`);
    if (roleOf(extension) !== role) throw new Error(`${id} cannot be used as ${role}`);
    // The type of the factory guarantees what an extension in this role implements.
    return extension.component as Component & ExtensionRoles[Role];
  }

  status(): HostStatus {
    if (this.#status !== 'ok') return this.#status;
    const latestMs = performance.now() - MAX_REFUSING_MS;
    return [...this.#refusing.values()].some((sinceMs) => sinceMs < latestMs) ? 'refusing' : 'ok';
  }

  reportDegraded(component: Component, reason: string | undefined): void {
    if (reason === undefined) this.#degraded.delete(component);
    else this.#degraded.set(component, reason);
  }

  degraded(): readonly string[] {
    return [...this.#degraded.values()];
  }

  get ownSamples(): SampleSource | undefined {
    return this.#selfMetrics?.samples;
  }

  running(): RunningService {
    return this.#config.service;
  }

  watch(pipeline: string, edge: number, watch: Watcher): Disposable | undefined {
    return this.#taps.watch(pipeline, edge, watch);
  }

  configuration(): unknown {
    return this.#config.redacted?.();
  }

  reportRefusing(component: Component, sinceMs: number | undefined): void {
    if (sinceMs === undefined) this.#refusing.delete(component);
    else this.#refusing.set(component, sinceMs);
  }

  async #start(): Promise<void> {
    try {
      const selfMetrics = await SelfMetrics.create(this.#config.service.telemetry, this.#settings);
      this.#selfMetrics = selfMetrics;
      this.#use(this.#build(this.#config, selfMetrics));
      await selfMetrics.start();
      await startStages(this.#graph?.stages ?? [], this);
      this.#reloads = new ReloadCounts(selfMetrics.process);
    } catch (error) {
      await this.#release(AbortSignal.timeout(FAILED_START_TIMEOUT_MS));
      throw error;
    }
    if (this.#status !== 'starting') return;
    this.#status = 'ok';
    this.#settings.logger.info('Everything is ready');
  }

  async #reload(load: () => Promise<CollectorConfig>): Promise<void> {
    const { logger } = this.#settings;
    try {
      const config = await load();
      const changes = await this.#replace(config);
      this.#config = config;
      this.#reloads?.succeeded();
      logger.info(changes, 'Configuration is reloaded');
    } catch (err) {
      this.#reloads?.failed();
      logger.error({ err }, 'Configuration is not reloaded; the old one stays in use');
    }
  }

  /** @throws Error after which the old configuration is in use. */
  async #replace(config: CollectorConfig): Promise<GraphChanges> {
    const [from, selfMetrics] = [this.#graph, this.#selfMetrics];
    if (from === undefined || selfMetrics === undefined) throw new Error('the collector is not running');
    if (!isDeepStrictEqual(config.service.telemetry, this.#config.service.telemetry)) {
      this.#settings.logger.warn('Changes of service::telemetry need a restart');
    }
    const to = this.#build(config, selfMetrics, from.nodes);
    const timeout = AbortSignal.timeout(this.#settings.drainTimeoutMs ?? DRAIN_TIMEOUT_MS);
    const deadline = AbortSignal.any([timeout, this.#stop.signal]);
    this.#extensions = to.nodes;
    this.handover.begin(deadline);
    try {
      await replaceGraph(from, to, this, deadline);
    } catch (error) {
      if (!(error instanceof ReplacementError)) throw error;
      await this.#restore(error.surviving, selfMetrics);
      throw error;
    } finally {
      await this.handover.end();
    }
    this.#use(to);
    selfMetrics.showOnly(instances(to));
    return changesBetween(from, to);
  }

  /** Starts again what a failed reload has stopped. */
  async #restore(surviving: ReadonlyMap<string, GraphNode>, selfMetrics: SelfMetrics): Promise<void> {
    this.handover.beginRestore();
    const restored = this.#build(this.#config, selfMetrics, surviving);
    this.#use(restored);
    for (const [key, node] of restored.nodes) {
      if (surviving.get(key) === node) continue;
      await startStages([[node]], this).catch((err: unknown) => {
        node.logger.error({ err }, 'Component could not be started again after a failed reload');
      });
    }
    await restored.connect();
  }

  #build(config: CollectorConfig, selfMetrics: SelfMetrics, earlier?: Graph['nodes']): Graph {
    const ledger = (this.#ledger ??= new Ledger(selfMetrics.process));
    return buildGraph(config, { ...this.#settings, ledger, taps: this.#taps }, selfMetrics, earlier);
  }

  #use(graph: Graph): void {
    this.#graph = graph;
    this.#extensions = graph.nodes;
    const components = new Set([...graph.nodes.values()].map(({ component }) => component));
    for (const reports of [this.#refusing, this.#degraded]) {
      // A component that has ended cannot withdraw its report.
      for (const component of reports.keys()) if (!components.has(component)) reports.delete(component);
    }
  }

  async #shutdown(deadline: AbortSignal): Promise<void> {
    this.#status = 'stopping';
    this.#stop.abort();
    this.#settings.logger.info('Shutting down');
    await this.#changing;
    const before = this.#ledger?.balances() ?? [];
    await this.#release(deadline);
    const after = this.#ledger?.balances() ?? [];
    this.#settings.logger.info({ lost: lossesBetween(before, after), ledger: after }, 'Shutdown is complete');
  }

  async #release(deadline: AbortSignal): Promise<void> {
    this.#status = 'stopping';
    await shutdownStages(this.#graph?.stages ?? [], deadline);
    await this.#selfMetrics?.shutdown(deadline);
  }
}

/** The names of the components that a reload has started and stopped. */
interface GraphChanges {
  readonly started: readonly string[];
  readonly stopped: readonly string[];
}

function changesBetween(from: Graph, to: Graph): GraphChanges {
  return { started: namesOnlyIn(to, from), stopped: namesOnlyIn(from, to) };
}

function namesOnlyIn(one: Graph, other: Graph): string[] {
  return [...one.nodes.values()].filter((node) => other.nodes.get(node.key) !== node).map(({ name }) => name);
}

function instances({ nodes }: Graph): readonly Pick<GraphNode, 'kind' | 'id'>[] {
  return [...nodes.values()];
}

function roleOf({ configured: { factory } }: GraphNode): ExtensionRole | undefined {
  return factory.kind === 'extension' ? factory.role : undefined;
}
