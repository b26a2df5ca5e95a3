import type { ComponentSettings, Signal } from '../../../engine/component.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { SentryDropReason } from '../../../metrics/reasons.ts';
import { ItemCounter } from '../../../engine/telemetry/item-counts.ts';
import type { Account } from '../../../engine/account.ts';
import type { ExpectedDrops } from './expected-drops.ts';
import { spansIn, type Category, type DiscardedEvents, type Envelope } from './envelope.ts';

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

/** These do not count as lost: the user has switched Sentry off or has no project for the service, Sentry already has the item, or it is not for Sentry. */
const harmlessReasons: ReadonlySet<SentryDropReason> = new Set([
  'disabled',
  'no_project',
  'duplicate',
  'no_exception',
  'idle_connection',
]);

/** Items that are dropped together. */
export interface Drop {
  readonly category: Category;
  readonly reason: SentryDropReason;
  /** 1 by default. */
  readonly quantity?: number;
  /** True for log records, and the errors that they became. */
  readonly isRecord?: boolean | undefined;
}

/** Counts sent and dropped items for the self-metrics, and collects the dropped ones for reports to Sentry. */
export class Outcomes {
  readonly #signals: ReadonlySet<Signal>;
  readonly #sent;
  readonly #dropped;
  readonly #spans: Account;
  readonly #records: Account;
  readonly #sentItems: ItemCounter;
  readonly #failedItems: ItemCounter;
  /** Keys are `category reason`. Emptied by each report. */
  readonly #unreported = new Map<string, DiscardedEvents>();

  constructor(settings: ComponentSettings) {
    this.#signals = settings.signals;
    this.#spans = settings.ledger.account('traces');
    this.#records = settings.ledger.account('logs');
    this.#sentItems = new ItemCounter('otelcol_exporter_sent', settings);
    this.#failedItems = new ItemCounter('otelcol_exporter_send_failed', settings);
    this.#sent = settings.metrics.counter(sidecarMetrics.siphon_sentry_sent_items);
    this.#dropped = settings.metrics.counter(sidecarMetrics.siphon_sentry_dropped_items);
  }

  /** Creates the series of these drops, so that a rate sees the first. */
  expect(drops: ExpectedDrops): void {
    for (const signal of ['traces', 'logs'] as const) {
      if (!this.#signals.has(signal)) continue;
      for (const [category, reasons] of drops[signal]) {
        for (const reason of reasons) this.#dropped.startAtZero({ category, reason });
      }
    }
  }

  sent({ category, itemCount, isRecord }: Envelope): void {
    if (category === 'internal' || category === 'log_item') return;
    if (category !== 'span') this.#sent.add(1, { category });
    if (isRecord === true) this.#sentItems.add({ signal: 'logs', itemCount: 1 });
    if (category === 'error') return;
    this.#sent.add(itemCount, { category: 'span' });
    this.#sentItems.add({ signal: 'traces', itemCount });
    this.#spans.deliver(itemCount);
  }

  /** A record that has become an envelope counts as delivered until the envelope is {@link lost}. */
  converted(): void {
    this.#records.deliver(1);
  }

  lost(envelope: Envelope, reason: SentryDropReason): void {
    const { category, isRecord } = envelope;
    if (isRecord === true) this.#records.deliver(-1);
    if (category !== 'span') this.dropped({ category, reason, isRecord });
    this.dropped({ category: 'span', reason, quantity: spansIn(envelope) });
  }

  dropped({ category, reason, quantity = 1, isRecord = false }: Drop): void {
    if (quantity === 0 || category === 'internal') return;
    this.#dropped.add(quantity, { category, reason });
    if (isRecord) this.#lose('logs', reason, quantity);
    else if (category === 'span') this.#lose('traces', reason, quantity);
    const reported = reportReasons[reason];
    if (reported === undefined) return;
    const key = `${category} ${reported}`;
    const before = this.#unreported.get(key)?.quantity ?? 0;
    this.#unreported.set(key, { category, reason: reported, quantity: before + quantity });
  }

  #lose(signal: 'traces' | 'logs', reason: SentryDropReason, itemCount: number): void {
    (signal === 'logs' ? this.#records : this.#spans).drop(itemCount, reason);
    if (!harmlessReasons.has(reason)) this.#failedItems.add({ signal, itemCount });
  }

  /** The dropped items since the last call. */
  takeUnreported(): readonly DiscardedEvents[] {
    const events = [...this.#unreported.values()];
    this.#unreported.clear();
    return events;
  }
}
