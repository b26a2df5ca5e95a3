import type { ComponentMetrics } from '../../../engine/component.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { QueryMetrics } from '../../../postgres/polling/query-metrics.ts';
import type { DropReason } from './row-metric.ts';

/** The metrics of the receiver about itself. */
export class ReceiverMetrics extends QueryMetrics {
  readonly #dropped;

  constructor(metrics: ComponentMetrics) {
    super(metrics, 'siphon_sqlquery');
    this.#dropped = {
      points: metrics.counter(sidecarMetrics.siphon_sqlquery_dropped_points),
      records: metrics.counter(sidecarMetrics.siphon_sqlquery_dropped_log_records),
    };
  }

  declareDrops(query: string, what: 'points' | 'records'): void {
    this.#dropped[what].startAtZero({ query });
  }

  dropped(query: string, what: 'points' | 'records', reason: DropReason): void {
    this.#dropped[what].add(1, { query, reason });
  }
}
