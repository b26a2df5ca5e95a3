import type { Component, ComponentSettings, Consumer } from '../../collector/component.ts';
import { sleep } from '../../postgres/polling/schedule.ts';
import { SharedIncident } from '../../postgres/polling/shared-incident.ts';
import { unlessLate } from '../../postgres/polling/unless-late.ts';
import { ReadOnlyPool } from '../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from './config.ts';
import { LeaderElection, type Lead } from './leader-election.ts';
import type { Pack } from './pack.ts';
import { configuredPacks } from './packs/configured-packs.ts';
import { PollerMetrics } from './poller-metrics.ts';
import { QueryPoller, type PollContext } from './query-poller.ts';
import { SchemaProbe } from './schema-probe.ts';
import { SchemaReport } from './schema-report.ts';

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

  start(): Promise<void> {
    if (this.#config.datasource.isEmpty) {
      this.#settings.logger.info('Poller is off: its datasource is empty');
    } else {
      this.#polling = this.#pollUntilStopped(this.#openContext());
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

  async #pollUntilStopped(context: PollContext): Promise<void> {
    const packs = await configuredPacks(this.#config);
    await sleep(this.#config.initial_delay, this.#stopping.signal);
    const pollers = packs.flatMap((pack) => this.#pollersOf(pack, context));
    await this.#whileLeading(context, async (leading) => {
      await Promise.all(pollers.map((poller) => poller.run(leading)));
      if (!this.#stopping.signal.aborted) await Promise.all(pollers.map((poller) => poller.standBy()));
    });
  }

  /** Polls for good where nobody is elected, else whenever this poller is. */
  async #whileLeading({ metrics, logger, databaseIncident }: PollContext, lead: Lead): Promise<void> {
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
    });
    await election.run(this.#stopping.signal, lead);
  }

  #pollersOf(pack: Pack, context: PollContext): QueryPoller[] {
    const probe = this.#probe(pack, context);
    return Object.entries(pack.queries).map(([name, query]) => {
      const override = pack.overrides[name];
      return new QueryPoller(`${pack.name}.${name}`, query, {
        intervalMs:
          override?.collection_interval ?? Math.max(this.#config.collection_interval, query.minIntervalMs ?? 0),
        timeoutMs: override?.timeout ?? this.#config.timeout,
        probe,
        context,
      });
    });
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
