import { runStatuses } from '../../../../catalogue/labels.ts';
import type { PollQuery } from '../../pack.ts';
import { latestRuns, type RunKind } from './latest-runs.ts';

/** A run may have no source, and then nobody knows its roaster. */
const sourceColumns = { roasters: ['id', 'slug', 'platform'], product_sources: ['id', 'roaster_id'] };

/** Every roaster has a row, so that "none runs" is a 0 that somebody looked up. */
export const runningRuns: PollQuery = {
  needs: { ...sourceColumns, scrape_runs: ['id', 'source_id', 'started_at', 'finished_at'] },
  metrics: { scrape_runs_running: 'sum', scrape_run_oldest_running_seconds: 'max' },
  statement: ({ table }) => ({
    text: `
      select roaster, platform, count(run.id) as scrape_runs_running,
             extract(epoch from now() - min(run.started_at)) as scrape_run_oldest_running_seconds
      from (select r.slug as roaster, r.platform, s.id as source_id
            from ${table('roasters')} r left join ${table('product_sources')} s on s.roaster_id = r.id) source
      full join (select id, source_id, started_at from ${table('scrape_runs')} where finished_at is null) run
        using (source_id)
      group by roaster, platform`,
  }),
};

export const lastRuns: PollQuery = {
  needs: { ...sourceColumns, scrape_runs: ['source_id', 'started_at', 'finished_at', 'status'] },
  metrics: { scrape_last_run_timestamp_seconds: 'max' },
  statement: (schema) => ({
    text: `
      select r.slug as roaster, r.platform, run.kind as status,
             extract(epoch from max(run.finished_at)) as scrape_last_run_timestamp_seconds
      from (${latestRuns(schema, byStatus)}) run
      left join ${schema.table('product_sources')} s on s.id = run.source_id
      left join ${schema.table('roasters')} r on r.id = s.roaster_id
      group by r.slug, r.platform, run.kind`,
  }),
};

const byStatus: readonly RunKind[] = runStatuses.map((name) => ({ name, condition: `status = '${name}'` }));
