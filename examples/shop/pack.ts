/** Everything about the shop: its metrics, queries, limits, dashboard, alerts and runbooks. */
import { definePack } from 'siphon-otel/pack';
import { shopMetrics } from './metrics.ts';
import { shopQueries } from './queries.ts';
import { thresholds } from './thresholds.ts';

export default definePack({
  name: 'shop',
  description: 'Orders and payments of the example shop',
  metrics: shopMetrics,
  thresholds,
  database: shopQueries,
});
