import { builtInRunbooks } from '../built-in-runbooks.ts';
import { definePack } from '../pack.ts';
import { scrapePipelineMetrics } from './database-metrics.ts';
import { scrapePipelineDatabase } from './database.ts';
import { operations } from './operations.ts';
import { pipelineMetrics } from './pipeline-metrics.ts';
import { thresholds } from './thresholds.ts';

export const scrapePipeline = definePack({
  name: 'scrape_pipeline',
  description: 'A pipeline that scrapes shops and writes their products and prices to PostgreSQL',
  metrics: { ...pipelineMetrics, ...scrapePipelineMetrics },
  operations,
  thresholds,
  costs: {
    scrape_runs_started_total: 'incremental',
    scrape_runs_finished_total: 'incremental',
    scrape_run_duration_seconds: 'incremental',
    scrape_artifacts_recorded_total: 'incremental',
    scrape_artifact_body_bytes: 'incremental',
    prices_recorded_total: 'incremental',
    price_deltas_total: 'incremental',
    price_change_ratio: 'incremental',
    coffees_created_total: 'incremental',
    variants_created_total: 'incremental',
    scrape_runs_running: 'lookup',
    scrape_run_oldest_running_seconds: 'lookup',
    scrape_last_run_timestamp_seconds: 'lookup',
    scrape_overdue_seconds: 'lookup',
    scrape_due_since_ok: 'lookup',
    scrape_cadence_invalid: 'lookup',
    roasters: 'small_table',
    coffees: 'small_table',
    review_rate_percent: 'small_table',
    variants: 'small_table',
    variants_price_stale: 'small_table',
    scrape_last_run_seen_ratio: 'small_table',
    pipeline_health_score: 'small_table',
    pipeline_health_input_percent: 'small_table',
    pipeline_health_unknown_components: 'small_table',
  },
  database: scrapePipelineDatabase,
  dashboards: async () => {
    const [{ pipelineOverview }, { roasters }, { priceMonitoring }] = await Promise.all([
      import('./dashboards/pipeline-overview.ts'),
      import('./dashboards/roasters.ts'),
      import('./dashboards/price-monitoring.ts'),
    ]);
    return [pipelineOverview, roasters, priceMonitoring];
  },
  alerts: async () => {
    const [runs, fetching, content] = await Promise.all([
      import('./alerts/runs.ts'),
      import('./alerts/fetching.ts'),
      import('./alerts/content.ts'),
    ]);
    return [...runs.runAlerts, ...fetching.fetchingAlerts, ...content.contentAlerts];
  },
  runbooks: builtInRunbooks('scrape-pipeline'),
});
