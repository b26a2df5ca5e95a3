import type { Logger } from 'pino';
import type { Component, ComponentSettings, Consumer, TelemetryBatch } from '../../../engine/component.ts';
import { requestMessages } from '../../../engine/otlp/schema.ts';
import type { DebugConfig } from './config.ts';
import { itemSummaries } from './item-summaries.ts';
import { ContentBudget, messageToObject, type MessageObject } from '../../../engine/otlp/message-to-object.ts';

/** The period of sampling, as in the stock Collector. */
const TICK_MS = 1000;

/** How much of a batch is logged. */
const MAX_CONTENT_BYTES = 128 * 1024;

/** Logs telemetry, one line for each batch. */
export class DebugExporter implements Component, Consumer {
  readonly #logger: Logger;
  readonly #config: DebugConfig;
  #tickStartedAtMs = 0;
  #batchesInTick = 0;

  constructor({ logger }: ComponentSettings, config: DebugConfig) {
    this.#logger = logger;
    this.#config = config;
  }

  async start(): Promise<void> {}

  async consume(batch: TelemetryBatch): Promise<void> {
    if (!this.#isSampled()) return;
    const { signal, itemCount, sizeBytes } = batch;
    this.#logger.info({ signal, items: itemCount, sizeBytes, ...this.#content(batch) }, 'Telemetry');
  }

  async shutdown(): Promise<void> {}

  #content({ signal, chunks }: TelemetryBatch): Record<string, unknown> {
    if (this.#config.verbosity === 'basic') return {};
    const budget = new ContentBudget(MAX_CONTENT_BYTES);
    const requests: MessageObject[] = [];
    for (const chunk of chunks) {
      if (!budget.isSpent) requests.push(messageToObject(requestMessages[signal], chunk, budget));
    }
    const content = this.#config.verbosity === 'detailed' ? { requests } : { names: requests.flatMap(itemSummaries) };
    return budget.isSpent ? { ...content, truncated: true } : content;
  }

  /** The first `sampling_initial` batches of each second, then every `sampling_thereafter`-th. */
  #isSampled(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#tickStartedAtMs >= TICK_MS) {
      this.#tickStartedAtMs = nowMs;
      this.#batchesInTick = 0;
    }
    const beyond = ++this.#batchesInTick - this.#config.sampling_initial;
    return beyond <= 0 || beyond % this.#config.sampling_thereafter === 0;
  }
}
