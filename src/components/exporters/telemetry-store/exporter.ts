import type {
  Component,
  ComponentSettings,
  Consumer,
  Host,
  PartialSuccess,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { describeError } from '../../../engine/describe-error.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { inSlices } from '../../../engine/time-slice.ts';
import { sidecarMetrics, traceClasses } from '../../../metrics/self.ts';
import { Privacy } from '../../../privacy/privacy.ts';
import { idleKeys, maxBytes, type TelemetryStoreConfig } from './config.ts';
import { ExemplarIntake } from './intake/exemplar-intake.ts';
import { IntakeCounts } from './intake/intake-counts.ts';
import { LogIntake } from './intake/log-intake.ts';
import { PairIntake } from './intake/pair-intake.ts';
import { SpanIntake } from './intake/span-intake.ts';
import { ExemplarMemory } from './memory/exemplar-memory.ts';
import { TelemetryMemory } from './memory/telemetry-memory.ts';
import { restoreTelemetry, saveTelemetry } from './saved/saved-telemetry.ts';
import { QueryServer } from './server/query-server.ts';
import { StoreApi } from './server/store-api.ts';
import type { Stored } from './server/stored.ts';
import type { StorageSpace } from '../../../engine/storage.ts';

/** Keeps recent spans and log records, and knows which traces exemplars refer to. */
export class TelemetryStoreExporter implements Component, Consumer {
  readonly #settings: ComponentSettings;
  readonly #config: TelemetryStoreConfig;
  readonly #memory: TelemetryMemory;
  readonly #stored: Stored;
  readonly #pairs: PairIntake;
  readonly #spans: SpanIntake;
  readonly #logs: LogIntake;
  readonly #exemplars: ExemplarIntake;
  readonly #api: StoreApi;
  readonly #server: QueryServer;
  #offered: Disposable | undefined;
  /** Undefined without `storage`, and before the start. */
  #openSpace: (() => Promise<StorageSpace>) | undefined;
  #restored: Promise<void> | undefined;
  readonly #dropped;
  readonly #cut;

  constructor(settings: ComponentSettings, config: TelemetryStoreConfig) {
    const { metrics } = settings;
    this.#settings = settings;
    this.#config = config;
    this.#dropped = metrics.counter(sidecarMetrics.siphon_store_dropped_items);
    this.#cut = metrics.counter(sidecarMetrics.siphon_store_cut_parts);
    const evicted = metrics.counter(sidecarMetrics.siphon_store_evicted_items);
    const exemplars = new ExemplarMemory();
    this.#memory = new TelemetryMemory(maxBytes(config), ({ spans, logs }, highest) => {
      const trace_class = traceClasses[highest] ?? 'ordinary';
      if (spans > 0) evicted.add(spans, { otel_signal: 'traces', trace_class });
      if (logs > 0) evicted.add(logs, { otel_signal: 'logs', trace_class });
    });
    this.#pairs = new PairIntake(new Privacy({ denied: config.deny_attributes, personal: config.send_default_pii }));
    this.#spans = new SpanIntake(this.#memory, this.#pairs, config.slow_threshold);
    this.#logs = new LogIntake(this.#memory, this.#pairs);
    this.#exemplars = new ExemplarIntake(exemplars, this.#memory.classes);
    this.#stored = { memory: this.#memory, exemplars };
    this.#api = new StoreApi(this.#stored, settings.logger);
    this.#server = new QueryServer(config, settings.logger, this.#api);
    metrics.observe(sidecarMetrics.siphon_store_items, (observe) => {
      observe(this.#memory.spanCount, { otel_signal: 'traces' });
      observe(this.#memory.logCount, { otel_signal: 'logs' });
    });
    metrics.observe(sidecarMetrics.siphon_store_size_bytes, (observe) => observe(this.#memory.heldBytes));
  }

  async start(host: Host): Promise<void> {
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    await this.#server.start(host);
    this.#offered = host.queryApis.offer(this.#api);
    const { storage } = this.#config;
    if (storage === undefined) return;
    const open = async (): Promise<StorageSpace> =>
      await host.extension(storage).space({ kind: 'exporter', id: this.#settings.id });
    this.#openSpace = open;
    this.#restored = this.#restore(open);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#offered?.[Symbol.dispose]();
    await this.#server.stop(deadline);
    await this.#restored;
    const open = this.#openSpace;
    this.#openSpace = undefined;
    if (open !== undefined) await this.#save(open, deadline);
  }

  /** In the background. Meanwhile, answers contain what has arrived since the start. */
  async #restore(open: () => Promise<StorageSpace>): Promise<void> {
    const { logger } = this.#settings;
    try {
      const { parts, damaged, cause } = await restoreTelemetry(await open(), this.#stored);
      const { spanCount: spans, logCount: records } = this.#memory;
      if (damaged === 0) logger.info({ spans, records }, 'The telemetry from before the restart is available');
      else
        logger.warn(
          { spans, records, missing: `${damaged} of ${parts} parts`, cause: describeError(cause) },
          'The telemetry from before the restart is available, without the parts that cannot be read',
        );
    } catch (error) {
      const cause = describeError(error);
      logger.warn({ cause }, 'The telemetry from before the restart cannot be read: the store begins without it');
    }
    await this.#memory.makeRoom();
  }

  async #save(open: () => Promise<StorageSpace>, deadline: AbortSignal): Promise<void> {
    const { logger } = this.#settings;
    try {
      if (await saveTelemetry(await open(), this.#stored, deadline)) return;
      logger.warn('There was no time to save the telemetry of the store: it will begin without it');
    } catch (error) {
      logger.error(
        { cause: describeError(error) },
        'The telemetry of the store cannot be saved: it will begin without it',
      );
    }
  }

  /** Requests are read in steps, so that others get their turn. */
  async consume({ signal, chunks }: TelemetryBatch): Promise<PartialSuccess | void> {
    const counts = new IntakeCounts();
    for (const chunk of chunks) await inSlices(this.#take(signal, chunk, counts));
    await this.#memory.makeRoom();
    return this.#count(signal, counts);
  }

  #take(signal: TelemetryBatch['signal'], chunk: Uint8Array, counts: IntakeCounts): Generator<undefined> {
    if (signal === 'metrics') return this.#exemplars.take(chunk);
    return (signal === 'traces' ? this.#spans : this.#logs).take(chunk, counts);
  }

  #count(signal: TelemetryBatch['signal'], counts: IntakeCounts): PartialSuccess | void {
    const cutParts = counts.cutParts + this.#pairs.takeCutValues();
    if (cutParts > 0) this.#cut.add(cutParts, {});
    let rejectedItems = 0;
    for (const [reason, count] of counts.dropped) {
      this.#dropped.add(count, { otel_signal: 'traces', reason });
      this.#settings.ledger.account(signal).reject(count, reason);
      rejectedItems += count;
    }
    if (rejectedItems > 0) return { rejectedItems, message: 'the store keeps only spans with valid ids' };
  }
}
