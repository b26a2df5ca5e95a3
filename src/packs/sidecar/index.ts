import { sidecarMetrics } from '../../metrics/self.ts';
import { prometheusMetrics } from '../../metrics/third-party.ts';
import { definePack } from '../pack.ts';
import { thresholds } from './thresholds.ts';

export const sidecar = definePack({
  name: 'sidecar',
  description: 'The sidecar itself: what it receives, delivers and drops, and whether its queries keep up',
  metrics: { ...sidecarMetrics, ...prometheusMetrics },
  detailMetrics: {
    siphon_db_poller_counting_since_timestamp_seconds:
      'tells before a takeover whether it loses anything; afterwards the totals say more',
    siphon_sentry_held_spans:
      'comes and goes with the traffic; when it is too much, `siphon_sentry_dropped_items` says so',
    otelcol_process_uptime: 'gives the variable `sidecar` its values',
    scrape_samples_scraped: '`siphon_prometheus_series` tells the same about the page that grows',
  },
  thresholds,
  alerts: async () => {
    const [poller, itself] = await Promise.all([import('./alerts/poller.ts'), import('./alerts/sidecar.ts')]);
    return [...poller.pollerAlerts, ...itself.sidecarAlerts];
  },
});
