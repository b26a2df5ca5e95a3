import type { Component, ComponentSettings, Consumer, Host } from '../../collector/component.ts';
import { MemoryStorage } from '../../collector/memory-storage.ts';
import { storageOf, type StorageSpace } from '../../collector/storage.ts';
import { sleep } from '../../postgres/polling/schedule.ts';
import { SharedIncident } from '../../postgres/polling/shared-incident.ts';
import { unlessLate } from '../../postgres/polling/unless-late.ts';
import { ReadOnlyPool } from '../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from './config.ts';
import { OwnRowsPolling } from './queries/own-rows-polling.ts';
import { ExactPolling, type ExactPollingSettings } from './exact/exact-polling.ts';
import { Horizon } from './exact/horizon.ts';
import { LazySpace } from './exact/lazy-space.ts';
import { LeaderElection, type Lead } from './leader-election.ts';
import type { Pack } from './packs/pack.ts';
import { configuredPacks } from './packs/configured-packs.ts';
import { plannedQueries, type PlannedQuery } from './planned-queries.ts';
import type { PollContext } from './polling/poll-context.ts';
import type { PolledQuery } from './polling/polled-query.ts';
import { PollerMetrics } from './polling/poller-metrics.ts';
import { QueryPoller } from './polling/query-poller.ts';
import { SchemaProbe } from './schema/schema-probe.ts';
import { SchemaReport } from './schema/schema-report.ts';
import { StateQuery } from './state/state-query.ts';

/** What all queries use. */
interface Shared {
  readonly context: PollContext;
  readonly space: StorageSpace;
}

/** Asks a PostgreSQL database, read-only, and emits the answers as gauges and counters. */
export class DbPoller implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: DbPollerConfig;
  readonly #consumer: Consumer;
  readonly #stopping = new AbortController();
  #polling: Promise<unknown> = Promise.resolve();
  #pool: ReadOnlyPool | undefined;

  constructor(settings: ComponentSettings, config: DbPollerConfig, consumer: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#consumer = consumer;
  }

  start(host: Host): Promise<void> {
    const { datasource, storage } = this.#config;
    if (datasource.isEmpty) {
      this.#settings.logger.info('Poller is off: its datasource is empty');
    } else {
      const kept = storage ? storageOf(host, storage) : new MemoryStorage();
      const space = new LazySpace(async () => await kept.space({ kind: 'receiver', id: this.#settings.id }));
      this.#polling = this.#pollUntilStopped(this.#openContext(), space);
    }
    return Promise.resolve();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await unlessLate(Promise.allSettled([this.#pool?.close(), this.#polling]), deadline);
  }

  #openContext(): PollContext {
    const { meter, id, logger, version } = this.#settings;
    const metrics = new PollerMetrics(meter);
    this.#pool = new ReadOnlyPool({
      datasource: this.#config.datasource,
      maxConnections: this.#config.max_connections,
      connectTimeoutMs: this.#config.connect_timeout,
      lockTimeoutMs: this.#config.lock_timeout,
      onConnect: (durationMs) => metrics.connected(durationMs),
    });
    metrics.observe(this.#pool);
    return {
      pool: this.#pool,
      consumer: this.#consumer,
      metrics,
      logger,
      databaseIncident: new SharedIncident(logger, {
        failing: 'Database cannot be polled',
        recovered: 'Database can be polled again',
      }),
      resource: { 'service.name': 'siphon', 'service.instance.id': id, ...this.#config.resource_attributes },
      version,
    };
  }

  async #pollUntilStopped(context: PollContext, space: StorageSpace): Promise<void> {
    const packs = await configuredPacks(this.#config);
    await sleep(this.#config.initial_delay, this.#stopping.signal);
    const planned = plannedQueries(this.#config, packs);
    const probes = new Map(packs.flatMap((pack) => this.#probe(pack, context)));
    const pollers = [
      ...planned.map((query) => this.#poller(query, probes, { context, space })),
      ...(planned.some(({ kind }) => kind !== 'state') ? [this.#horizonPoller(context)] : []),
    ];
    const onStandby = (): void => {
      for (const poller of pollers) poller.prepare(this.#stopping.signal);
    };
    await this.#whileLeading(context, onStandby, async (leading) => {
      await Promise.all(pollers.map((poller) => poller.run(leading)));
      if (!this.#stopping.signal.aborted) await Promise.all(pollers.map((poller) => poller.standBy()));
    });
  }

  /** Polls for good where nobody is elected, else whenever this poller is. */
  async #whileLeading(
    { metrics, logger, databaseIncident }: PollContext,
    onStandby: () => void,
    lead: Lead,
  ): Promise<void> {
    const { leader_election, collection_interval, connect_timeout, datasource } = this.#config;
    if (!leader_election.enabled) {
      metrics.leads(true);
      return await lead(this.#stopping.signal);
    }
    const election = new LeaderElection({
      datasource: leader_election.datasource ?? datasource,
      name: leader_election.name ?? this.#settings.id,
      intervalMs: collection_interval,
      connectTimeoutMs: connect_timeout,
      metrics,
      logger,
      databaseIncident,
      onStandby,
    });
    await election.run(this.#stopping.signal, lead);
  }

  #poller(planned: PlannedQuery, probes: ReadonlyMap<Pack, SchemaProbe>, shared: Shared): QueryPoller {
    const { id, pack, intervalMs } = planned;
    const probe = pack && probes.get(pack);
    return new QueryPoller(id, this.#polledQuery(planned, shared), { intervalMs, probe, context: shared.context });
  }

  #polledQuery(planned: PlannedQuery, { context, space }: Shared): PolledQuery {
    const { id, timeoutMs } = planned;
    if (planned.kind === 'state') return new StateQuery(id, planned.query, planned, context);
    const settings = { timeoutMs, space, ...this.#reconciling };
    return planned.kind === 'rows'
      ? new ExactPolling(id, planned.query, settings, context)
      : new OwnRowsPolling(planned.config, settings, context);
  }

  get #reconciling(): Pick<ExactPollingSettings, 'reconcileMs' | 'reconcileTimeoutMs'> {
    const { reconcile_interval: reconcileMs, reconcile_timeout: reconcileTimeoutMs } = this.#config;
    return { reconcileMs, reconcileTimeoutMs };
  }

  #horizonPoller(context: PollContext): QueryPoller {
    const { collection_interval: intervalMs, timeout } = this.#config;
    return new QueryPoller('horizon', new Horizon(context, timeout), { intervalMs, probe: undefined, context });
  }

  /** None for a pack that reads PostgreSQL's own catalogues. */
  #probe(pack: Pack, { pool, metrics }: PollContext): [Pack, SchemaProbe][] {
    const { name, schema } = pack;
    if (schema === undefined) return [];
    const limits = { timeoutMs: this.#config.timeout, retryMs: this.#config.collection_interval };
    const report = new SchemaReport(this.#settings.logger.child({ pack: name, schema }));
    const probe = new SchemaProbe(pool, { ...pack, schema }, limits, (missing) => {
      for (const [query, { needed }] of missing) metrics.enabled(`${name}.${query}`, needed.length === 0);
      report.found(missing);
    });
    return [[pack, probe]];
  }
}
