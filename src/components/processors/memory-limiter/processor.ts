import type { Component, ComponentSettings, Consumer, TelemetryBatch } from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { Incident } from '../../../engine/incident.ts';
import { ItemCounter } from '../../../engine/telemetry/item-counts.ts';
import type { MemoryLimiterConfig } from './config.ts';
import { processMemory, type ProcessMemory } from './process-memory.ts';
import { softLimitBytes } from './soft-limit.ts';

/** The stock `min_gc_interval_when_soft_limited`. */
const MIN_COLLECTION_INTERVAL_MS = 10_000;

/** Refuses data while the process uses too much memory, so that senders retry later. */
export class MemoryLimiterProcessor implements Component, Consumer {
  readonly #next: Consumer;
  readonly #checkIntervalMs: number;
  readonly #softLimitBytes: number;
  readonly #accepted: ItemCounter;
  readonly #refused: ItemCounter;
  readonly #incident: Incident;
  readonly #memory: ProcessMemory;
  #timer: NodeJS.Timeout | undefined;
  #overLimit = false;
  #collectedAtMs = -Infinity;

  constructor(
    settings: ComponentSettings,
    config: MemoryLimiterConfig,
    next: Consumer,
    memory: ProcessMemory = processMemory,
  ) {
    this.#next = next;
    this.#checkIntervalMs = config.check_interval;
    this.#softLimitBytes = softLimitBytes(config);
    this.#accepted = new ItemCounter('otelcol_processor_memory_limiter_accepted', settings);
    this.#refused = new ItemCounter('otelcol_processor_memory_limiter_refused', settings);
    this.#incident = new Incident(settings.logger, {
      failing: 'Memory is above the soft limit: data is refused',
      recovered: 'Memory is back below the soft limit: data is taken',
    });
    this.#memory = memory;
  }

  async start(): Promise<void> {
    this.#check();
    this.#timer = setInterval(() => this.#check(), this.#checkIntervalMs);
  }

  /** @throws RetryableError `memory_limit`. */
  async consume(batch: TelemetryBatch): Promise<void> {
    if (this.#overLimit) {
      this.#refused.add(batch);
      throw new RetryableError('memory_limit', 'data is refused because memory is above its limit', {
        retryAfterMs: this.#checkIntervalMs,
      });
    }
    this.#accepted.add(batch);
    await this.#next.consume(batch);
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
  }

  #check(): void {
    if (this.#memory.usedBytes() > this.#softLimitBytes) this.#collectGarbage();
    const usedBytes = this.#memory.usedBytes();
    this.#overLimit = usedBytes > this.#softLimitBytes;
    if (this.#overLimit)
      this.#incident.failed(new Error(`${usedBytes} bytes are used, ${this.#softLimitBytes} are allowed`));
    else this.#incident.succeeded();
  }

  /** Refusing allocates nothing, so V8 would not collect garbage. */
  #collectGarbage(): void {
    if (performance.now() - this.#collectedAtMs < MIN_COLLECTION_INTERVAL_MS) return;
    this.#memory.collectGarbage();
    this.#collectedAtMs = performance.now();
  }
}
