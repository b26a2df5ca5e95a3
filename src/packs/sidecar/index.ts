import { sidecarMetrics } from '../../metrics/self.ts';
import { prometheusMetrics } from '../../metrics/third-party.ts';
import { builtInRunbooks } from '../built-in-runbooks.ts';
import { definePack } from '../pack.ts';
import { detailMetrics } from './detail-metrics.ts';
import { thresholds } from './thresholds.ts';

export const sidecar = definePack({
  name: 'sidecar',
  description: 'The sidecar itself: the telemetry that it receives, delivers and drops, and its database queries',
  metrics: { ...sidecarMetrics, ...prometheusMetrics },
  detailMetrics,
  thresholds,
  dashboards: async () => [(await import('./dashboards/sidecar.ts')).sidecarDashboard],
  alerts: async () => {
    const [poller, itself] = await Promise.all([import('./alerts/poller.ts'), import('./alerts/sidecar.ts')]);
    return [...poller.pollerAlerts, ...itself.sidecarAlerts];
  },
  runbooks: builtInRunbooks('sidecar'),
});
