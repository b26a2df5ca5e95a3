import type { TableIndex } from '../../../components/receivers/db-poller/query.ts';

/** The indexes in deploy/postgres/scrape-pipeline.sql. Existing indexes are recognized by their columns, not by name. */
export const scrapePipelineIndexes: readonly TableIndex[] = [
  {
    name: 'siphon_prices_scraped_at',
    table: 'prices',
    columns: ['scraped_at'],
    definition: 'using brin (scraped_at) with (autosummarize = on)',
    queries: ['prices'],
  },
  {
    name: 'siphon_scrape_artifacts_run_id',
    table: 'scrape_artifacts',
    columns: ['run_id'],
    definition: '(run_id)',
    queries: ['artifacts'],
  },
  {
    name: 'siphon_scrape_runs_started_at',
    table: 'scrape_runs',
    columns: ['started_at'],
    definition: '(started_at)',
    queries: ['runs', 'artifacts', 'health'],
  },
  {
    name: 'siphon_scrape_runs_running',
    table: 'scrape_runs',
    columns: ['started_at'],
    definition: '(started_at) where finished_at is null',
    over: { where: 'finished_at is null', column: 'finished_at' },
    queries: ['runs_running', 'artifacts'],
  },
  {
    name: 'siphon_scrape_runs_latest',
    table: 'scrape_runs',
    columns: ['source_id', 'status', 'started_at'],
    definition: '(source_id, status, started_at desc)',
    queries: ['last_runs', 'overdue', 'health'],
  },
  {
    name: 'siphon_scrape_runs_latest_full',
    table: 'scrape_runs',
    columns: ['source_id', 'status', 'started_at'],
    definition: `(source_id, status, started_at desc) where (stats_json ->> 'job_type') is distinct from 'price_only'`,
    over: { where: `(stats_json ->> 'job_type') is distinct from 'price_only'`, column: 'stats_json' },
    queries: ['overdue', 'health'],
  },
];
