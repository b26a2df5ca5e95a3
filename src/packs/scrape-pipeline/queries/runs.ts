import { scrapePipelineMetrics } from '../database-metrics.ts';
import { runStatuses } from '../labels.ts';
import { metricColumns, type GaugeQuery, type TableColumns } from '../../../components/receivers/db-poller/query.ts';
import type { RoasterLabel } from './roaster-label.ts';
import { latestRuns, withStatus } from './latest-runs.ts';

/** A run may lack a source; then its roaster is unknown. */
function sourceColumns({ columns }: RoasterLabel): TableColumns {
  return { roasters: columns, product_sources: ['id', 'roaster_id'] };
}

/** Every roaster has a row, so that 0 running runs are a point. */
export const runningRuns = (label: RoasterLabel): GaugeQuery => ({
  needs: { ...sourceColumns(label), scrape_runs: ['id', 'source_id', 'started_at', 'finished_at'] },
  metrics: metricColumns(scrapePipelineMetrics, {
    scrape_runs_running: 'sum',
    scrape_run_oldest_running_seconds: 'max',
  }),
  statement: ({ table }) => ({
    text: `
      select roaster, platform, count(run.id) as scrape_runs_running,
             extract(epoch from greatest(now(), min(run.started_at)) - min(run.started_at))
               as scrape_run_oldest_running_seconds
      from (select ${label.select}, s.id as source_id
            from ${table('roasters')} roaster left join ${table('product_sources')} s on s.roaster_id = roaster.id) source
      full join (select id, source_id, started_at from ${table('scrape_runs')} where finished_at is null) run
        using (source_id)
      group by roaster, platform`,
  }),
});

export const lastRuns = (label: RoasterLabel): GaugeQuery => ({
  needs: { ...sourceColumns(label), scrape_runs: ['source_id', 'started_at', 'finished_at', 'status'] },
  metrics: metricColumns(scrapePipelineMetrics, { scrape_last_run_timestamp_seconds: 'max' }),
  statement: (schema) => ({
    text: `
      select ${label.select}, run.kind as status,
             extract(epoch from max(run.finished_at)) as scrape_last_run_timestamp_seconds
      from (${latestRuns(schema, withStatus(runStatuses))}) run
      left join ${schema.table('product_sources')} s on s.id = run.source_id
      left join ${schema.table('roasters')} roaster on roaster.id = s.roaster_id
      group by 1, 2, run.kind`,
  }),
});
