import type { Logger } from 'pino';
import type {
  Component,
  ComponentSettings,
  Consumer,
  Host,
  PartialSuccess,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { Incident } from '../../../engine/incident.ts';
import { ItemCounter } from '../../../engine/telemetry/item-counts.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { idleKeys, type MemoryLimiterConfig } from './config.ts';
import { processMemory, type ProcessMemory } from '../../../engine/process-memory.ts';
import { memoryLimits, type MemoryLimits } from './memory-limits.ts';

/** The stock `min_gc_interval_when_soft_limited`. Above the hard limit, every check collects, as in the stock Collector. */
const MIN_COLLECTION_INTERVAL_MS = 10_000;

/** Refuses data while the process uses too much memory, so that senders retry later. */
export class MemoryLimiterProcessor implements Component, Consumer {
  readonly #next: Consumer;
  readonly #logger: Logger;
  readonly #idleKeys: Readonly<Record<string, boolean>>;
  readonly #checkIntervalMs: number;
  readonly #limits: MemoryLimits;
  readonly #accepted: ItemCounter;
  readonly #refused: ItemCounter;
  readonly #incident: Incident;
  readonly #memory: ProcessMemory;
  #timer: NodeJS.Timeout | undefined;
  #usedBytes = 0;
  #host: Host | undefined;
  #refusingSinceMs: number | undefined;
  #collectedAtMs = -Infinity;

  constructor(
    settings: ComponentSettings,
    config: MemoryLimiterConfig,
    next: Consumer,
    memory: ProcessMemory = processMemory,
  ) {
    this.#next = next;
    this.#logger = settings.logger;
    this.#idleKeys = idleKeys(config);
    this.#checkIntervalMs = config.check_interval;
    this.#limits = memoryLimits(config);
    this.#accepted = new ItemCounter('otelcol_processor_memory_limiter_accepted', settings);
    this.#refused = new ItemCounter('otelcol_processor_memory_limiter_refused', settings);
    this.#incident = new Incident(settings.logger, {
      failing: 'Memory is above the soft limit: data is refused',
      recovered: 'Memory is back below the soft limit: data is taken',
    });
    this.#memory = memory;
  }

  async start(host?: Host): Promise<void> {
    this.#host = host;
    reportIdleKeys(this.#logger, this.#idleKeys);
    if (this.#limits.isReduced) {
      const { hardBytes, softBytes } = this.#limits;
      this.#logger.info({ hardBytes, softBytes }, 'limit_mib is above the memory of the container and was reduced');
    }
    this.#check();
    this.#timer = setInterval(() => this.#check(), this.#checkIntervalMs);
  }

  /** @throws RetryableError `memory_limit`. */
  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    if (this.#usedBytes > (batch.isOwn === true ? this.#limits.hardBytes : this.#limits.softBytes)) {
      this.#refused.add(batch);
      throw new RetryableError('memory_limit', 'data is refused because memory is above its limit', {
        retryAfterMs: this.#checkIntervalMs,
      });
    }
    this.#accepted.add(batch);
    return await this.#next.consume(batch);
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#host?.reportRefusing(this, undefined);
  }

  #check(): void {
    const { softBytes, hardBytes } = this.#limits;
    const usedBytes = this.#memory.usedBytes();
    if (usedBytes > hardBytes || (usedBytes > softBytes && !this.#hasCollected)) this.#collectGarbage();
    this.#usedBytes = this.#memory.usedBytes();
    if (this.#usedBytes > softBytes) {
      this.#refusingSinceMs ??= performance.now();
      const message = `${this.#usedBytes} bytes are used, ${softBytes} are allowed`;
      this.#incident.failed(new RetryableError('memory_limit', message));
    } else {
      this.#refusingSinceMs = undefined;
      this.#incident.succeeded();
    }
    this.#host?.reportRefusing(this, this.#refusingSinceMs);
  }

  get #hasCollected(): boolean {
    return performance.now() - this.#collectedAtMs < MIN_COLLECTION_INTERVAL_MS;
  }

  /** Refusing allocates nothing, so V8 would not collect garbage. */
  #collectGarbage(): void {
    this.#memory.collectGarbage();
    this.#collectedAtMs = performance.now();
  }
}
