import type { Dashboard } from '../model/dashboard.ts';
import { databaseHealth } from './database-health.ts';
import { pipelineOverview } from './pipeline-overview.ts';
import { priceMonitoring } from './price-monitoring.ts';
import { roasters } from './roasters.ts';

export const dashboards: readonly Dashboard[] = [pipelineOverview, roasters, priceMonitoring, databaseHealth];
