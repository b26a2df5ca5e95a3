import type { MetricName } from '../../src/packs/catalogue.ts';

/** Why one full run and one price run need not leave these metrics on the scrape endpoint. Every other one is required. */
export const notTouchedByOneRun: Partial<Record<MetricName, string>> = {
  scrape_run_oldest_running_seconds: 'absent when no run is under way',
  database_table_autovacuum_age_seconds: 'absent until autovacuum has come by',
};
