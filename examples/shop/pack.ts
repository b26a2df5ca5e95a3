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
  // Loaded only by commands that write or check dashboards and alerts.
  dashboards: async () => [(await import('./dashboard.ts')).shopDashboard],
  alerts: async () => (await import('./alerts.ts')).shopAlerts,
  runbooks: { folder: new URL('./runbooks/', import.meta.url), address: 'https://shop.example.com/runbooks' },
});
