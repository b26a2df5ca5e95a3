import type { Dashboard } from '../dashboards/model/dashboard.ts';
import { databaseHealth } from './postgres-health/dashboards/database-health.ts';
import { pipelineOverview } from './scrape-pipeline/dashboards/pipeline-overview.ts';
import { priceMonitoring } from './scrape-pipeline/dashboards/price-monitoring.ts';
import { roasters } from './scrape-pipeline/dashboards/roasters.ts';

export const dashboards: readonly Dashboard[] = [pipelineOverview, roasters, priceMonitoring, databaseHealth];
