import type { MetricName } from '../catalogue/catalogue.ts';

/** Why one full run and one price run need not leave these metrics on the scrape endpoint. Every other one is required. */
export const notTouchedByOneRun: Partial<Record<MetricName, string>> = {
  scrape_run_oldest_running_seconds: 'absent when no run is under way',
  scrape_runs_started_total: 'not polled yet',
  scrape_runs_finished_total: 'not polled yet',
  scrape_run_duration_seconds: 'not polled yet',
  scrape_artifacts_recorded_total: 'not polled yet',
  scrape_artifact_body_bytes: 'not polled yet',
  prices_recorded_total: 'not polled yet',
  price_change_ratio: 'not polled yet',
  coffees_created_total: 'not polled yet',
  variants_created_total: 'not polled yet',
  database_table_autovacuum_age_seconds: 'absent until autovacuum has come by',
};
