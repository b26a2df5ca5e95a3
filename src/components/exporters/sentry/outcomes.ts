import type { ComponentSettings } from '../../../engine/component.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { SentryDropReason } from '../../../metrics/reasons.ts';
import { ItemCounter } from '../../../engine/telemetry/item-counts.ts';
import type { Account } from '../../../engine/account.ts';

export type Category = 'transaction' | 'span' | 'error' | 'internal';

export interface DiscardedEvents {
  readonly reason: string;
  readonly category: Category;
  readonly quantity: number;
}

/** Sentry's names for our reasons. Reasons without one are not reported to Sentry. https://develop.sentry.dev/sdk/telemetry/client-reports/ */
const reportReasons: Readonly<Partial<Record<SentryDropReason, string>>> = {
  queue_full: 'queue_overflow',
  ratelimit_backoff: 'ratelimit_backoff',
  network_error: 'network_error',
  send_error: 'send_error',
  too_large: 'send_error',
  shutdown: 'queue_overflow',
  invalid_ids: 'event_processor',
  invalid_time: 'event_processor',
};

/** These do not count as lost: the user has switched Sentry off, or Sentry already has the item. */
const harmlessReasons: ReadonlySet<SentryDropReason> = new Set(['disabled', 'duplicate']);

/** Counts sent and dropped items for the self-metrics, and collects the dropped ones for reports to Sentry. */
export class Outcomes {
  readonly #sent;
  readonly #dropped;
  readonly #account: Account;
  readonly #sentSpans: ItemCounter;
  readonly #failedSpans: ItemCounter;
  /** Keys are `category reason`. Emptied by each report. */
  readonly #unreported = new Map<string, DiscardedEvents>();

  constructor(settings: ComponentSettings) {
    this.#account = settings.ledger.account('traces');
    this.#sentSpans = new ItemCounter('otelcol_exporter_sent', settings);
    this.#failedSpans = new ItemCounter('otelcol_exporter_send_failed', settings);
    this.#sent = settings.metrics.counter(sidecarMetrics.siphon_sentry_sent_items);
    this.#dropped = settings.metrics.counter(sidecarMetrics.siphon_sentry_dropped_items);
  }

  /** @param itemCount the number of spans of an envelope with spans. */
  sent(category: Category, itemCount: number): void {
    if (category === 'internal') return;
    if (category !== 'span') this.#sent.add(1, { category });
    if (category === 'error') return;
    this.#sent.add(itemCount, { category: 'span' });
    this.#sentSpans.add({ signal: 'traces', itemCount });
    this.#account.deliver(itemCount);
  }

  dropped(category: Category, reason: SentryDropReason, quantity = 1): void {
    if (quantity === 0 || category === 'internal') return;
    this.#dropped.add(quantity, { category, reason });
    if (category === 'span') this.#account.drop(quantity, reason);
    if (category === 'span' && !harmlessReasons.has(reason)) {
      this.#failedSpans.add({ signal: 'traces', itemCount: quantity });
    }
    const reported = reportReasons[reason];
    if (reported === undefined) return;
    const key = `${category} ${reported}`;
    const before = this.#unreported.get(key)?.quantity ?? 0;
    this.#unreported.set(key, { category, reason: reported, quantity: before + quantity });
  }

  /** The dropped items since the last call. */
  takeUnreported(): readonly DiscardedEvents[] {
    const events = [...this.#unreported.values()];
    this.#unreported.clear();
    return events;
  }
}
