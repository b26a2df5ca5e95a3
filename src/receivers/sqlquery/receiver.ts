import type { Component, ComponentSettings, Consumer, Host } from '../../collector/component.ts';
import { MemoryStorage } from '../../collector/memory-storage.ts';
import { storageOf, type Storage } from '../../collector/storage.ts';
import { sleep } from '../../postgres/polling/schedule.ts';
import { SharedIncident } from '../../postgres/polling/shared-incident.ts';
import { unlessLate } from '../../postgres/polling/unless-late.ts';
import type { ReadOnlyPool } from '../../postgres/read-only-pool.ts';
import type { QueryConfig, SqlqueryConfig } from './config.ts';
import { LogsReading } from './logs-reading.ts';
import { MetricsReading } from './metrics-reading.ts';
import { openPool, scheduleOf } from './pool-settings.ts';
import { plannedReadings, type PlannedReading } from './planned-readings.ts';
import { QueryPoller, type PollContext } from './query-poller.ts';
import { ReceiverMetrics } from './receiver-metrics.ts';
import { Tracking } from './tracking.ts';

/** Runs the user's own queries on a PostgreSQL database, read-only, and makes metrics and logs of their rows. */
export class SqlqueryReceiver implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: SqlqueryConfig;
  readonly #consumer: Consumer;
  readonly #stopping = new AbortController();
  #polling: Promise<unknown> = Promise.resolve();
  #pool: ReadOnlyPool | undefined;

  constructor(settings: ComponentSettings, config: SqlqueryConfig, consumer: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#consumer = consumer;
  }

  async start(host: Host): Promise<void> {
    const storage = this.#config.storage ? storageOf(host, this.#config.storage) : new MemoryStorage();
    const { planned, unused } = plannedReadings(this.#config.queries, this.#settings.signals);
    if (unused.length > 0) {
      this.#settings.logger.warn(
        { unused },
        'Queries have parts that no pipeline asks for: they are not run for these',
      );
    }
    const context = this.#openContext(planned.length);
    const pollers = planned.map((reading) => this.#poller(reading, storage, context));
    this.#polling = this.#pollUntilStopped(pollers);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await unlessLate(Promise.allSettled([this.#pool?.close(), this.#polling]), deadline);
  }

  async #pollUntilStopped(pollers: readonly QueryPoller[]): Promise<void> {
    await sleep(this.#config.initial_delay, this.#stopping.signal);
    await Promise.all(pollers.map((poller) => poller.run(this.#stopping.signal)));
  }

  #openContext(readings: number): PollContext {
    const { meter, logger, version } = this.#settings;
    const metrics = new ReceiverMetrics(meter);
    this.#pool = openPool(this.#config, { readings, onConnect: (durationMs) => metrics.connected(durationMs) });
    return {
      pool: this.#pool,
      consumer: this.#consumer,
      metrics,
      logger,
      databaseIncident: new SharedIncident(logger, {
        failing: 'Database cannot be polled',
        recovered: 'Database can be polled again',
      }),
      version,
      logsQueries: this.#config.telemetry.logs.query,
    };
  }

  #poller({ id, query, signal }: PlannedReading, storage: Storage, context: PollContext): QueryPoller {
    const schedule = scheduleOf(query, this.#config);
    const reading =
      signal === 'metrics'
        ? new MetricsReading(id, query, { intervalMs: schedule.intervalMs, startUnixMs: Date.now(), context })
        : new LogsReading(id, query, { tracking: this.#tracking(query, storage), context });
    return new QueryPoller(id, reading, schedule, context);
  }

  #tracking(query: QueryConfig, storage: Storage): Tracking {
    return new Tracking(() => storage.space({ kind: 'receiver', id: this.#settings.id }), query);
  }
}
