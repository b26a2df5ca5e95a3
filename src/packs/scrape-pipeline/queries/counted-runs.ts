import { scrapePipelineMetrics } from '../database-metrics.ts';
import { runStatuses } from '../labels.ts';
import { boundByColumn, type CounterQuery } from '../../../components/receivers/db-poller/query.ts';
import { isHidden, knownWith, references, type RoasterLabel } from './roaster-label.ts';

const DAY_MS = 86_400_000;

/** A run is inserted when it starts, and updated when it ends and possibly later. */
export function countedRuns(roaster: RoasterLabel): CounterQuery {
  return {
    needs: {
      scrape_runs: ['id', 'source_id', 'started_at', 'finished_at', 'status'],
      product_sources: ['id', 'roaster_id'],
      roasters: roaster.columns,
    },
    table: 'scrape_runs',
    key: ['id'],
    columns: ['source_id', 'started_at', 'finished_at', 'status'],
    batchRows: 10_000,
    bound: boundByColumn('started_at', DAY_MS),
    events: { started: 'true', finished: 'entry.finished_at is not null and entry.status is not null' },
    everyRow: 'started',
    details: (schema) => ({
      select: `${roaster.select}, entry.status,
               extract(epoch from entry.finished_at - entry.started_at)::float8 as duration_s`,
      joins: `left join ${schema.table('product_sources')} source on source.id = entry.source_id
              left join ${schema.table('roasters')} roaster on roaster.id = source.roaster_id`,
      hidden: isHidden(schema, [
        { from: 'entry.source_id', to: 'source.id', table: 'product_sources' },
        references.source,
      ]),
    }),
    known: (schema) => knownWith(roaster.known(schema), 'status', runStatuses),
    metrics: [
      { metric: scrapePipelineMetrics.scrape_runs_started_total, event: 'started', fromZero: true },
      { metric: scrapePipelineMetrics.scrape_runs_finished_total, event: 'finished', fromZero: true },
      {
        metric: scrapePipelineMetrics.scrape_run_duration_seconds,
        event: 'finished',
        value: 'duration_s',
        fromZero: true,
      },
    ],
    meaning: roaster.meaning,
  };
}
