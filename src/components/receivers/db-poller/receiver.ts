import type { Component, ComponentSettings, Consumer, Host } from '../../../engine/component.ts';
import { MemoryStorage } from '../../../engine/memory-storage.ts';
import type { StorageSpace } from '../../../engine/storage.ts';
import { databaseName } from '../../../postgres/datasource/database-name.ts';
import { PolledDatabase } from '../../../postgres/polling/polled-database.ts';
import { LONGEST_RETRACTION_MS, unlessLate } from '../../../postgres/polling/unless-late.ts';
import type { DbPollerConfig } from './config.ts';
import { UserCounterRun } from './user-queries/counter-run.ts';
import { CounterRun, type CounterRunSettings } from './counters/counter-run.ts';
import { Horizon } from './counters/horizon.ts';
import { LazySpace } from './counters/lazy-space.ts';
import { LeaderElection, type Lead } from './run/leader-election.ts';
import {
  configuredPacks,
  maxKeys,
  plannedQueries,
  poolSettings,
  type ConfiguredPack,
  type PlannedQuery,
} from './plan.ts';
import { instanceName } from './run/instance-name.ts';
import type { QueryRun, RunContext } from './run/query-run.ts';
import { PollerMetrics } from './run/poller-metrics.ts';
import { QueryPoller } from './run/query-poller.ts';
import { OptionalRun } from './run/optional-run.ts';
import { SchemaProbe, SchemaReport, tablesOf } from './run/schema.ts';
import { wakeRepeatedly } from './run/wake.ts';
import { GaugeRun } from './gauges/gauge-run.ts';

/** The parts that all queries share. */
interface Shared {
  readonly context: RunContext;
  readonly space: StorageSpace;
}

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

  start(host: Host): Promise<void> {
    const { datasource, storage, initial_delay } = this.#config;
    const { logger, emptyValues } = this.#settings;
    if (datasource.isEmpty) {
      logger.warn({ cause: emptyValues?.get('datasource') }, 'Poller is off: datasource is empty');
      return Promise.resolve();
    }
    const owner = { kind: 'receiver', id: this.#settings.id };
    const space = new LazySpace(async () =>
      storage ? await host.extension(storage).space(owner) : await new MemoryStorage().space(owner),
    );
    const metrics = new PollerMetrics(this.#settings.metrics);
    this.#database = new PolledDatabase(poolSettings(this.#config), { metrics, logger });
    const database = this.#database;
    database.start(initial_delay, async (stopping) => {
      const context = await this.#context(database, metrics);
      await this.#poll({ context, space }, stopping);
    });
    return Promise.resolve();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#database?.close(deadline);
  }

  async #context({ pool, incident }: PolledDatabase, metrics: PollerMetrics): Promise<RunContext> {
    const { logger, version } = this.#settings;
    return {
      pool,
      consumer: this.#consumer,
      metrics,
      logger,
      databaseIncident: incident,
      resource: {
        'service.name': 'siphon',
        'service.instance.id': instanceName(this.#settings.id, await databaseName(this.#config.datasource)),
        ...this.#config.resource_attributes,
      },
      version,
    };
  }

  async #poll({ context, space }: Shared, stopping: AbortSignal): Promise<void> {
    const packs = await this.#packs();
    if (packs === undefined) return;
    const planned = plannedQueries(this.#config, packs);
    const probes = new Map(packs.flatMap((pack) => this.#probe(pack, context)));
    const pollers = [
      ...planned.map((query) => this.#poller(query, probes, { context, space })),
      ...(planned.some(({ kind }) => kind !== 'gauges') ? [this.#horizonPoller(context)] : []),
    ];
    const { wake_interval: wakeMs } = this.#config;
    const lead: Lead = async (leading) => {
      if (wakeMs === undefined) await Promise.all(pollers.map((poller) => poller.run(leading)));
      else await wakeRepeatedly(pollers, context.pool, { intervalMs: wakeMs, signal: leading });
      const retracted = Promise.all(pollers.map((poller) => poller.standBy()));
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
  async #packs(): Promise<ConfiguredPack[] | undefined> {
    try {
      return await configuredPacks(this.#config);
    } catch (err) {
      this.#settings.logger.error({ err }, 'Poller is off: a pack failed to create its queries');
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

  #poller(planned: PlannedQuery, probes: ReadonlyMap<ConfiguredPack, SchemaProbe>, shared: Shared): QueryPoller {
    const { id, pack } = planned;
    const intervalMs = this.#config.wake_interval ?? planned.intervalMs;
    const probe = pack && probes.get(pack);
    const isOfUser = pack === undefined;
    return new QueryPoller(id, this.#queryRun(planned, shared), {
      intervalMs,
      probe,
      isOfUser,
      context: shared.context,
    });
  }

  #queryRun(planned: PlannedQuery, { context, space }: Shared): QueryRun {
    const { id, timeoutMs } = planned;
    if (planned.kind === 'gauges') {
      const run = new GaugeRun(id, planned.query, planned, context);
      return planned.pack !== undefined && planned.pack.schema === undefined
        ? new OptionalRun(run, context.logger.child({ query: id }))
        : run;
    }
    const settings = { timeoutMs, space, maxKeys: maxKeys(this.#config), ...this.#reconciling };
    return planned.kind === 'counters'
      ? new CounterRun(id, planned.query, settings, context)
      : new UserCounterRun(planned.config, settings, context);
  }

  get #reconciling(): Pick<CounterRunSettings, 'reconcileMs' | 'reconcileTimeoutMs'> {
    const { reconcile_interval: reconcileMs, reconcile_timeout: reconcileTimeoutMs } = this.#config;
    return { reconcileMs, reconcileTimeoutMs };
  }

  #horizonPoller(context: RunContext): QueryPoller {
    const { collection_interval, wake_interval: intervalMs = collection_interval, timeout } = this.#config;
    return new QueryPoller('horizon', new Horizon(context, timeout), { intervalMs, probe: undefined, context });
  }

  /** Empty for a pack that reads only what every server has. */
  #probe(pack: ConfiguredPack, { pool, metrics }: RunContext): [ConfiguredPack, SchemaProbe][] {
    const { name, schema } = pack;
    const isCatalog = schema === undefined;
    if (isCatalog && tablesOf(pack).length === 0) return [];
    const limits = { timeoutMs: this.#config.timeout, retryMs: this.#config.collection_interval };
    const report = new SchemaReport(this.#settings.logger.child({ pack: name, schema }), { isExpected: isCatalog });
    let isInUse = false;
    const probe = new SchemaProbe(pool, pack, limits, (missing, { isEmpty }) => {
      isInUse ||= !isCatalog && !isEmpty;
      if (isInUse) for (const [query, columns] of missing) metrics.lacks(`${name}.${query}`, columns);
      report.found(missing);
    });
    return [[pack, probe]];
  }
}
