import type { Meter } from '@opentelemetry/api';
import { QueryMetrics } from '../../../postgres/polling/query-metrics.ts';
import { dropReasons, type DropReason } from './row-metric.ts';

/** What the receiver says about itself. */
export class ReceiverMetrics extends QueryMetrics {
  readonly #dropped;

  constructor(meter: Meter) {
    super(meter, 'siphon_sqlquery');
    this.#dropped = {
      points: meter.createCounter('siphon_sqlquery_dropped_points', {
        description: 'Points that rows did not give, by reason',
      }),
      records: meter.createCounter('siphon_sqlquery_dropped_log_records', {
        description: 'Log records that rows did not give, by reason',
      }),
    };
  }

  declareDrops(query: string, what: 'points' | 'records'): void {
    for (const reason of dropReasons) this.#dropped[what].add(0, { query, reason });
  }

  dropped(query: string, what: 'points' | 'records', reason: DropReason): void {
    this.#dropped[what].add(1, { query, reason });
  }
}
