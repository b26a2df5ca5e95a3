import type { Component, ComponentSettings, Consumer, Host } from '../../../engine/component.ts';
import { MemoryStorage } from '../../../engine/memory-storage.ts';
import { PolledDatabase } from '../../../postgres/polling/polled-database.ts';
import { LONGEST_RETRACTION_MS, unlessLate } from '../../../postgres/polling/unless-late.ts';
import type { DbPollerConfig } from './config.ts';
import { Horizon } from './counters/horizon.ts';
import { LazySpace } from './counters/lazy-space.ts';
import { configuredPacks, perDatabasePacks, plannedQueries, poolSettings, type ConfiguredPack } from './plan.ts';
import { FurtherDatabases } from './further-databases.ts';
import { lockWaitsPoller } from './lock-waits/lock-waits-poller.ts';
import { instanceName } from './run/instance-name.ts';
import { LeaderElection, type Lead } from './run/leader-election.ts';
import { PollerMetrics } from './run/poller-metrics.ts';
import { QueryPoller } from './run/query-poller.ts';
import { queryPollers, type Shared } from './query-pollers.ts';
import type { RunContext } from './run/query-run.ts';
import { wakeRepeatedly } from './run/wake.ts';

/** Polls a PostgreSQL database, read-only, and emits the answers as gauges and counters. */
export class DbPoller implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: DbPollerConfig;
  readonly #consumer: Consumer;
  #database: PolledDatabase | undefined;

  constructor(settings: ComponentSettings, config: DbPollerConfig, consumer: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#consumer = consumer;
  }

  async start(host: Host): Promise<void> {
    const { datasource, storage, initial_delay } = this.#config;
    const { logger, emptyValues } = this.#settings;
    if (datasource.isEmpty) {
      logger.warn({ cause: emptyValues?.get('datasource')?.cause }, 'Poller is off: datasource is empty');
      return;
    }
    const owner = { kind: 'receiver', id: this.#settings.id };
    const space = new LazySpace(async () =>
      storage ? await host.extension(storage).space(owner) : await new MemoryStorage().space(owner),
    );
    const metrics = new PollerMetrics(this.#settings.metrics);
    const database = await PolledDatabase.of(poolSettings(this.#config), { metrics, logger });
    this.#database = database;
    database.start(initial_delay, async (stopping) => {
      await this.#poll(
        { id: this.#settings.id, config: this.#config, context: this.#context(database, metrics), space },
        stopping,
      );
    });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#database?.close(deadline);
  }

  #context({ name, pool, incident, logger }: PolledDatabase, metrics: PollerMetrics): RunContext {
    return {
      pool,
      consumer: this.#consumer,
      metrics,
      logger,
      databaseIncident: incident,
      resource: {
        'service.name': 'siphon',
        'service.instance.id': instanceName(this.#settings.id, name),
        ...this.#config.resource_attributes,
      },
      version: this.#settings.version,
    };
  }

  async #poll(shared: Shared, stopping: AbortSignal): Promise<void> {
    const { context } = shared;
    const packs = await this.#packs(context);
    if (packs === undefined) return;
    const planned = plannedQueries(this.#config, packs);
    const pollers = [
      ...queryPollers(planned, packs, shared),
      ...(planned.some(({ kind }) => kind !== 'gauges') ? [this.#horizonPoller(context)] : []),
      ...(this.#seesLockWaits ? [lockWaitsPoller(this.#config, context)] : []),
    ];
    const { wake_interval: wakeMs } = this.#config;
    const further = new FurtherDatabases(perDatabasePacks(packs), shared);
    const lead: Lead = async (leading) => {
      const following = further.run(leading);
      if (wakeMs === undefined) await Promise.all(pollers.map((poller) => poller.run(leading)));
      else await wakeRepeatedly(pollers, context.pool, { intervalMs: wakeMs, signal: leading });
      const retracted = Promise.all([following, ...pollers.map((poller) => poller.standBy())]);
      await (stopping.aborted ? unlessLate(retracted, AbortSignal.timeout(LONGEST_RETRACTION_MS)) : retracted);
    };
    if (!this.#config.leader_election.enabled) {
      context.metrics.leads(true);
      return await lead(stopping);
    }
    const onStandby = (): void => {
      for (const poller of pollers) poller.prepare(stopping);
    };
    await this.#election(context, onStandby).run(stopping, lead);
  }

  /** Undefined after a pack failed to create its queries. */
  async #packs({ logger }: RunContext): Promise<ConfiguredPack[] | undefined> {
    try {
      return await configuredPacks(this.#config);
    } catch (err) {
      logger.error({ err }, 'Poller is off: a pack failed to create its queries');
      return undefined;
    }
  }

  #election({ metrics, logger, databaseIncident }: RunContext, onStandby: () => void): LeaderElection {
    const { leader_election, collection_interval, connect_timeout, datasource } = this.#config;
    return new LeaderElection({
      datasource: leader_election.datasource ?? datasource,
      name: leader_election.name ?? this.#settings.id,
      intervalMs: collection_interval,
      connectTimeoutMs: connect_timeout,
      metrics,
      logger,
      databaseIncident,
      onStandby,
    });
  }

  /** A database that sleeps is not kept awake by samples. */
  get #seesLockWaits(): boolean {
    const { lock_waits: lockWaits, wake_interval: wakeMs } = this.#config;
    return lockWaits.enabled && wakeMs === undefined && this.#settings.signals.has('logs');
  }

  #horizonPoller(context: RunContext): QueryPoller {
    const { collection_interval, wake_interval: intervalMs = collection_interval, timeout } = this.#config;
    return new QueryPoller('horizon', new Horizon(context, timeout), { intervalMs, probe: undefined, context });
  }
}
