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
    const [runs, fetching] = await Promise.all([import('./alerts/runs.ts'), import('./alerts/fetching.ts')]);
    return [...runs.runAlerts, ...fetching.fetchingAlerts];
  },
});
