import type { Logger } from 'pino';
import type { ComponentSettings } from '../../../engine/component.ts';
import type { scrapePageDropReasons } from '../../../metrics/reasons.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';

/** Why a data point is not on the page. */
export type DropReason = (typeof scrapePageDropReasons)[number];

/** What becomes of an attribute that cannot be a label as it is. */
export type LabelChange = 'renamed' | 'dropped';

/** Names are from outside: the log names this many, the counter counts the rest. */
const MAX_NAMED = 1000;

/** Counts what is lost, and names each metric once for each reason. */
export class Drops {
  readonly #logger: Logger;
  readonly #points;
  readonly #labels;
  readonly #named = new Set<string>();
  readonly #counts = new Map<DropReason, number>();

  constructor({ logger, metrics }: Pick<ComponentSettings, 'logger' | 'metrics'>) {
    this.#logger = logger;
    this.#points = metrics.counter(sidecarMetrics.siphon_prometheus_dropped_points);
    this.#labels = metrics.counter(sidecarMetrics.siphon_prometheus_changed_labels);
  }

  /** A point of this metric; counted with the next `flush`. */
  point(reason: DropReason, metric: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (this.#named.size >= MAX_NAMED || this.#named.has(`${reason} ${metric}`)) return;
    this.#named.add(`${reason} ${metric}`);
    this.#logger.warn({ reason, metric }, 'Data points are not shown; more of the same are only counted');
  }

  label(change: LabelChange): void {
    this.#labels.add(1, { change });
  }

  flush(): void {
    for (const [reason, count] of this.#counts) this.#points.add(count, { reason });
    this.#counts.clear();
  }
}
