import { builtInRunbooks } from '../built-in-runbooks.ts';
import { definePack } from '../pack.ts';
import { httpServiceMetrics } from './metrics.ts';
import { thresholds } from './thresholds.ts';

export const service = definePack({
  name: 'service',
  description: 'Requests, calls and resources of any service with the preload',
  metrics: httpServiceMetrics,
  thresholds,
  dashboards: async () => [(await import('./dashboards/service.ts')).serviceDashboard],
  alerts: async () => (await import('./alerts/service.ts')).serviceAlerts,
  runbooks: builtInRunbooks('service'),
});
