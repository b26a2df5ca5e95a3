import type { Component, ComponentSettings, Consumer, Host } from '../../collector/component.ts';
import { MemoryStorage } from '../../collector/memory-storage.ts';
import { storageOf, type StorageSpace } from '../../collector/storage.ts';
import { sleep } from '../../postgres/polling/schedule.ts';
import { SharedIncident } from '../../postgres/polling/shared-incident.ts';
import { unlessLate } from '../../postgres/polling/unless-late.ts';
import { ReadOnlyPool } from '../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from './config.ts';
import type { OwnQueryConfig } from './queries/config.ts';
import { ownGauge } from './queries/own-gauge.ts';
import { OwnRowsPolling } from './queries/own-rows-polling.ts';
import { ExactPolling, type ExactPollingSettings } from './exact/exact-polling.ts';
import { Horizon } from './exact/horizon.ts';
import { LazySpace } from './exact/lazy-space.ts';
import { LeaderElection, type Lead } from './leader-election.ts';
import type { Pack } from './pack.ts';
import { configuredPacks } from './packs/configured-packs.ts';
import type { PollContext } from './poll-context.ts';
import type { PolledQuery } from './polled-query.ts';
import { PollerMetrics } from './poller-metrics.ts';
import { QueryPoller } from './query-poller.ts';
import { SchemaProbe } from './schema-probe.ts';
import { SchemaReport } from './schema-report.ts';
import { StateQuery } from './state-query.ts';

/** Of the receiver's: how rarely slow queries are polled. */
const SLOW_INTERVALS = 4;

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
    const pollers = [
      ...packs.flatMap((pack) => this.#pollersOf(pack, context, space)),
      ...this.#config.queries.map((query) => this.#ownPoller(query, context, space)),
      ...(this.#countsRows(packs) ? [this.#horizonPoller(context)] : []),
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

  #pollersOf(pack: Pack, context: PollContext, space: StorageSpace): QueryPoller[] {
    const probe = this.#probe(pack, context);
    const poller = (name: string, isSlow: boolean, query: (id: string, timeoutMs: number) => PolledQuery) => {
      const override = pack.overrides[name];
      const id = `${pack.name}.${name}`;
      const usualMs = this.#config.collection_interval * (isSlow ? SLOW_INTERVALS : 1);
      const intervalMs = override?.collection_interval ?? usualMs;
      const polled = query(id, override?.timeout ?? this.#config.timeout);
      return new QueryPoller(id, polled, { intervalMs, probe, context });
    };
    return [
      ...Object.entries(pack.queries).map(([name, query]) =>
        poller(name, query.isSlow ?? false, (id, timeoutMs) => new StateQuery(id, query, { timeoutMs }, context)),
      ),
      ...Object.entries(pack.exactQueries ?? {}).map(([name, query]) =>
        poller(name, query.isSlow ?? false, (id, timeoutMs) => {
          return new ExactPolling(id, query, { timeoutMs, space, ...this.#reconciling }, context);
        }),
      ),
    ];
  }

  #ownPoller(config: OwnQueryConfig, context: PollContext, space: StorageSpace): QueryPoller {
    const intervalMs = config.collection_interval ?? this.#config.collection_interval;
    const timeoutMs = config.timeout ?? this.#config.timeout;
    return new QueryPoller(config.name, this.#ownQuery(config, timeoutMs, { context, space }), {
      intervalMs,
      probe: undefined,
      context,
    });
  }

  #ownQuery(
    config: OwnQueryConfig,
    timeoutMs: number,
    { context, space }: { readonly context: PollContext; readonly space: StorageSpace },
  ): PolledQuery {
    if (config.kind !== 'gauge') return new OwnRowsPolling(config, { timeoutMs, space, ...this.#reconciling }, context);
    const { query, described } = ownGauge(config);
    return new StateQuery(config.name, query, { timeoutMs, described }, context);
  }

  get #reconciling(): Pick<ExactPollingSettings, 'reconcileMs' | 'reconcileTimeoutMs'> {
    const { reconcile_interval: reconcileMs, reconcile_timeout: reconcileTimeoutMs } = this.#config;
    return { reconcileMs, reconcileTimeoutMs };
  }

  #countsRows(packs: readonly Pack[]): boolean {
    return packs.some(({ exactQueries }) => exactQueries) || this.#config.queries.some(({ kind }) => kind !== 'gauge');
  }

  #horizonPoller(context: PollContext): QueryPoller {
    const { collection_interval: intervalMs, timeout } = this.#config;
    return new QueryPoller('horizon', new Horizon(context, timeout), { intervalMs, probe: undefined, context });
  }

  #probe(pack: Pack, { pool, metrics }: PollContext): SchemaProbe | undefined {
    const { name, schema } = pack;
    if (schema === undefined) return undefined;
    const limits = { timeoutMs: this.#config.timeout, retryMs: this.#config.collection_interval };
    const report = new SchemaReport(this.#settings.logger.child({ pack: name, schema }));
    return new SchemaProbe(pool, { ...pack, schema }, limits, (missing) => {
      for (const [query, { needed }] of missing) metrics.enabled(`${name}.${query}`, needed.length === 0);
      report.found(missing);
    });
  }
}
