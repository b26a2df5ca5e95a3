import type { Logger } from 'pino';
import type { ComponentSettings } from '../../../../engine/component.ts';
import type { LabelChange } from '../names/series-labels.ts';
import type { scrapePageDropReasons } from '../../../../metrics/reasons.ts';
import { sidecarMetrics } from '../../../../metrics/self.ts';

/** Why a data point is not on the page. */
export type DropReason = (typeof scrapePageDropReasons)[number];

/** Senders choose the names, so the log names only this many. The counter counts all points. */
const MAX_NAMED = 1000;

/** Counts dropped points and changed labels, and logs each metric once for each reason. */
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

  /** Drops a point of this metric. The next `flush` counts it. */
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
