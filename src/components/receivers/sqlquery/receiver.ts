import type { Component, ComponentSettings, Consumer, Host } from '../../../engine/component.ts';
import { MemoryStorage } from '../../../engine/memory-storage.ts';
import type { Storage } from '../../../engine/storage.ts';
import { PolledDatabase } from '../../../postgres/polling/polled-database.ts';
import { LONGEST_RETRACTION_MS, unlessLate } from '../../../postgres/polling/unless-late.ts';
import type { QueryConfig, SqlqueryConfig } from './config.ts';
import { LogsReading } from './logs-reading.ts';
import { MetricsReading } from './metrics-reading.ts';
import { poolSettings, scheduleOf } from './pool-settings.ts';
import { plannedReadings, type PlannedReading } from './planned-readings.ts';
import { ReadingPoller, type ReadingContext } from './reading-poller.ts';
import { ReceiverMetrics } from './receiver-metrics.ts';
import { Tracking } from './tracking.ts';

/** Runs the user's queries on a PostgreSQL database, read-only, and converts their rows to metrics and logs. */
export class SqlqueryReceiver implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: SqlqueryConfig;
  readonly #consumer: Consumer;
  #database: PolledDatabase | undefined;

  constructor(settings: ComponentSettings, config: SqlqueryConfig, consumer: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#consumer = consumer;
  }

  async start(host: Host): Promise<void> {
    const storage = this.#config.storage ? host.extension(this.#config.storage) : new MemoryStorage();
    const { planned, unused } = plannedReadings(this.#config.queries, this.#settings.signals);
    if (unused.length > 0) {
      this.#settings.logger.warn(
        { unused },
        'Queries have metrics or logs without a pipeline for them: they are not run for these signals',
      );
    }
    const { logger } = this.#settings;
    const metrics = new ReceiverMetrics(this.#settings.metrics);
    const database = await PolledDatabase.of(poolSettings(this.#config, planned.length), { metrics, logger });
    this.#database = database;
    const context = this.#context(database, metrics);
    const pollers = planned.map((reading) => this.#poller(reading, storage, context));
    database.start(this.#config.initial_delay, async (stopping) => {
      await Promise.all(pollers.map((poller) => poller.run(stopping)));
      const retracted = Promise.all(pollers.map((poller) => poller.retract()));
      await unlessLate(retracted, AbortSignal.timeout(LONGEST_RETRACTION_MS));
    });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#database?.close(deadline);
  }

  #context({ pool, incident, logger }: PolledDatabase, metrics: ReceiverMetrics): ReadingContext {
    return {
      pool,
      consumer: this.#consumer,
      metrics,
      logger,
      databaseIncident: incident,
      version: this.#settings.version,
      logsQueries: this.#config.telemetry.logs.query,
    };
  }

  #poller({ id, query, signal }: PlannedReading, storage: Storage, context: ReadingContext): ReadingPoller {
    const schedule = scheduleOf(query, this.#config);
    const reading =
      signal === 'metrics'
        ? new MetricsReading(id, query, { intervalMs: schedule.intervalMs, startUnixMs: Date.now(), context })
        : new LogsReading(id, query, { tracking: this.#tracking(query, storage), context });
    return new ReadingPoller(id, reading, schedule, context);
  }

  #tracking(query: QueryConfig, storage: Storage): Tracking {
    return new Tracking(() => storage.space({ kind: 'receiver', id: this.#settings.id }), query);
  }
}
