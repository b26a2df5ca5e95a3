import { scrapePipelineMetrics } from '../database-metrics.ts';
import type { httpStatuses } from '../labels.ts';
import type { Bound, CounterQuery } from '../../../components/receivers/db-poller/query.ts';
import { isHidden, knownWith, references, type RoasterLabel } from './roaster-label.ts';

const DAY_MS = 86_400_000;

/** The series of other statuses begin with their first artifact: fifteen for each roaster would be too many. */
const USUAL: readonly (typeof httpStatuses)[number][] = ['200', '304', 'none'];

/**
 * An artifact has the start time of its run, which does not change. The end of the run must not matter here, because it
 * changes. An artifact without a run is recent.
 */
const boundByRun: Bound = {
  marginMs: DAY_MS,
  recent: ({ table }, bound) => `
    (entry.run_id is null
     or entry.run_id = any (array(select run.id from ${table('scrape_runs')} run where run.started_at >= ${bound})))`,
  older: ({ table }, bound) => `
    (entry.run_id is not null
     and not exists (select from ${table('scrape_runs')} run where run.id = entry.run_id and run.started_at >= ${bound}))`,
};

export function countedArtifacts(roaster: RoasterLabel): CounterQuery {
  return {
    needs: {
      scrape_artifacts: ['id', 'run_id', 'http_status', 'body_len'],
      scrape_runs: ['id', 'source_id', 'started_at'],
      product_sources: ['id', 'roaster_id'],
      roasters: roaster.columns,
    },
    table: 'scrape_artifacts',
    key: ['id'],
    columns: ['run_id', 'http_status', 'body_len'],
    batchRows: 10_000,
    bound: boundByRun,
    details: (schema) => ({
      select: `${roaster.select}, coalesce(entry.http_status::text, 'none') as http_status, entry.body_len::float8 as body_len`,
      joins: `left join ${schema.table('scrape_runs')} run on run.id = entry.run_id
              left join ${schema.table('product_sources')} source on source.id = run.source_id
              left join ${schema.table('roasters')} roaster on roaster.id = source.roaster_id`,
      hidden: isHidden(schema, [
        { from: 'entry.run_id', to: 'run.id', table: 'scrape_runs' },
        { from: 'run.source_id', to: 'source.id', table: 'product_sources' },
        references.source,
      ]),
    }),
    known: (schema) => knownWith(roaster.known(schema), 'http_status', USUAL),
    metrics: [
      { metric: scrapePipelineMetrics.scrape_artifacts_recorded_total, fromZero: true },
      { metric: scrapePipelineMetrics.scrape_artifact_body_bytes, value: 'body_len', fromZero: true },
    ],
    meaning: roaster.meaning,
  };
}
