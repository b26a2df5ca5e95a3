import type { ComponentSettings } from '../../../engine/component.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { SentryDropReason } from '../../../metrics/reasons.ts';
import { ItemCounter } from '../../../engine/telemetry/item-counts.ts';

export type Category = 'transaction' | 'span' | 'error' | 'internal';

export interface DiscardedEvents {
  readonly reason: string;
  readonly category: Category;
  readonly quantity: number;
}

/** The words that Sentry knows for reasons of ours. Those without one are not for Sentry. https://develop.sentry.dev/sdk/telemetry/client-reports/ */
const reportReasons: Readonly<Partial<Record<SentryDropReason, string>>> = {
  queue_full: 'queue_overflow',
  ratelimit_backoff: 'ratelimit_backoff',
  network_error: 'network_error',
  send_error: 'send_error',
  too_large: 'send_error',
  too_many_spans: 'buffer_overflow',
  shutdown: 'queue_overflow',
  invalid_ids: 'event_processor',
};

/** Nothing that anybody waits for is lost for these: the user has switched Sentry off, or Sentry has it already. */
const harmlessReasons: ReadonlySet<SentryDropReason> = new Set(['disabled', 'duplicate']);

/** Counts what is sent, and what is not by reason, for the collector's own metrics; and the latter for Sentry too. */
export class Outcomes {
  readonly #sent;
  readonly #dropped;
  readonly #sentSpans: ItemCounter;
  readonly #failedSpans: ItemCounter;
  /** By `category reason`, since the last report. */
  readonly #unreported = new Map<string, DiscardedEvents>();

  constructor(settings: ComponentSettings) {
    this.#sentSpans = new ItemCounter('otelcol_exporter_sent', settings);
    this.#failedSpans = new ItemCounter('otelcol_exporter_send_failed', settings);
    this.#sent = settings.metrics.counter(sidecarMetrics.siphon_sentry_sent_items);
    this.#dropped = settings.metrics.counter(sidecarMetrics.siphon_sentry_dropped_items);
  }

  /** @param itemCount of spans, if it was a transaction. */
  sent(category: Category, itemCount: number): void {
    if (category === 'internal') return;
    this.#sent.add(1, { category });
    if (category !== 'transaction') return;
    this.#sent.add(itemCount, { category: 'span' });
    this.#sentSpans.add({ signal: 'traces', itemCount });
  }

  dropped(category: Category, reason: SentryDropReason, quantity = 1): void {
    if (quantity === 0 || category === 'internal') return;
    this.#dropped.add(quantity, { category, reason });
    if (category === 'span' && !harmlessReasons.has(reason)) {
      this.#failedSpans.add({ signal: 'traces', itemCount: quantity });
    }
    const reported = reportReasons[reason];
    if (reported === undefined) return;
    const key = `${category} ${reported}`;
    const before = this.#unreported.get(key)?.quantity ?? 0;
    this.#unreported.set(key, { category, reason: reported, quantity: before + quantity });
  }

  /** What was added since it was asked last. */
  takeUnreported(): readonly DiscardedEvents[] {
    const events = [...this.#unreported.values()];
    this.#unreported.clear();
    return events;
  }
}
