import type { Alert } from '../dashboards/rules/alert.ts';
import { databaseAlerts } from './postgres-health/alerts/database.ts';
import { fetchingAlerts } from './scrape-pipeline/alerts/fetching.ts';
import { pollerAlerts } from './sidecar/alerts/poller.ts';
import { runAlerts } from './scrape-pipeline/alerts/runs.ts';
import { sidecarAlerts } from './sidecar/alerts/sidecar.ts';

export const alerts: readonly Alert[] = [
  ...runAlerts,
  ...fetchingAlerts,
  ...databaseAlerts,
  ...pollerAlerts,
  ...sidecarAlerts,
];
