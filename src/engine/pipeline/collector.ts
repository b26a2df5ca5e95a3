import type { Logger } from 'pino';
import type { Component, ExtensionRole, ExtensionRoles, Host, HostStatus } from '../component.ts';
import type { CollectorConfig } from '../collector-config.ts';
import { SelfMetrics } from '../telemetry/self-metrics.ts';
import { buildGraph, type RunningExtension } from './graph.ts';
import { startStages, shutdownStages, type Stage } from './stages.ts';

export interface CollectorSettings {
  /** siphon's own version. */
  readonly version: string;
  /** The parent of every component's logger. */
  readonly logger: Logger;
  /** The number of uncaught errors so far, for the self-metrics. The command counts them, because it owns the process. */
  readonly uncaughtErrors?: (() => number) | undefined;
}

/** After a failed start: the time for the started components to stop. */
const FAILED_START_TIMEOUT_MS = 5000;

/**
 * The pipelines of a configuration, from start to shutdown. It does not read the environment, handle signals or exit.
 */
export class Collector implements Host {
  readonly #config: CollectorConfig;
  readonly #settings: CollectorSettings;
  #extensions: ReadonlyMap<string, RunningExtension> = new Map();
  #status: HostStatus = 'starting';
  #stages: readonly Stage[] = [];
  #selfMetrics: SelfMetrics | undefined;
  #starting: Promise<void> | undefined;
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
    this.#starting = this.#start();
    return this.#starting;
  }

  /** Accepts nothing more, sends what is in flight, and gives up what is left when the deadline aborts. */
  shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping ??= this.#shutdown(deadline);
    return this.#stopping;
  }

  extension<Role extends ExtensionRole>({ id, role }: { id: string; role: Role }): ExtensionRoles[Role] {
    const extension = this.#extensions.get(id);
    if (extension === undefined) throw new Error(`${id} is not running: add it to service::extensions`);
    if (extension.role !== role) throw new Error(`${id} cannot be used as ${role}`);
    // The type of the factory guarantees what an extension in this role implements.
    return extension.component as Component & ExtensionRoles[Role];
  }

  status(): HostStatus {
    return this.#status;
  }

  async #start(): Promise<void> {
    try {
      this.#selfMetrics = await SelfMetrics.create(this.#config.service.telemetry.metrics, this.#settings);
      const graph = buildGraph(this.#config, this.#settings, this.#selfMetrics);
      this.#stages = graph.stages;
      this.#extensions = graph.extensions;
      await this.#selfMetrics.start();
      await startStages(this.#stages, this);
    } catch (error) {
      await this.#release(AbortSignal.timeout(FAILED_START_TIMEOUT_MS));
      throw error;
    }
    if (this.#status !== 'starting') return;
    this.#status = 'ok';
    this.#settings.logger.info('Everything is ready');
  }

  async #shutdown(deadline: AbortSignal): Promise<void> {
    this.#status = 'stopping';
    this.#settings.logger.info('Shutting down');
    await this.#starting?.catch(() => undefined);
    await this.#release(deadline);
    this.#settings.logger.info('Shutdown is complete');
  }

  async #release(deadline: AbortSignal): Promise<void> {
    this.#status = 'stopping';
    await shutdownStages(this.#stages, deadline);
    await this.#selfMetrics?.shutdown(deadline);
  }
}
