import type { Counter, Meter } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { dropReasons } from '../../../metrics/drop-reasons.ts';

/** Why a data point is not on the page. */
export type DropReason = (typeof dropReasons)[number];

/** What becomes of an attribute that cannot be a label as it is. */
export type LabelChange = 'renamed' | 'dropped';

/** Names are from outside: the log names this many, the counter counts the rest. */
const MAX_NAMED = 1000;

/** Counts what is lost, and names each metric once for each reason. */
export class Drops {
  readonly #logger: Logger;
  readonly #exporter: string;
  readonly #points: Counter;
  readonly #labels: Counter;
  readonly #named = new Set<string>();
  readonly #counts = new Map<DropReason, number>();

  constructor({ id, logger, meter }: { id: string; logger: Logger; meter: Meter }) {
    this.#logger = logger;
    this.#exporter = id;
    this.#points = meter.createCounter('siphon_prometheus_dropped_points', {
      description: 'Data points that are not on the scrape page, by reason',
    });
    // There from the start, so that a rate sees the first one.
    for (const reason of dropReasons) this.#points.add(0, { exporter: id, reason });
    this.#labels = meter.createCounter('siphon_prometheus_changed_labels', {
      description: 'Attributes of new series that were renamed or dropped, because they cannot be labels as they are',
    });
  }

  /** A point of this metric; counted with the next `flush`. */
  point(reason: DropReason, metric: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (this.#named.size >= MAX_NAMED || this.#named.has(`${reason} ${metric}`)) return;
    this.#named.add(`${reason} ${metric}`);
    this.#logger.warn({ reason, metric }, 'Data points are not shown; more of the same are only counted');
  }

  label(change: LabelChange): void {
    this.#labels.add(1, { exporter: this.#exporter, change });
  }

  flush(): void {
    for (const [reason, count] of this.#counts) this.#points.add(count, { exporter: this.#exporter, reason });
    this.#counts.clear();
  }
}
