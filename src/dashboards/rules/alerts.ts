import type { Alert } from './alert.ts';
import { databaseAlerts } from './alerts/database.ts';
import { fetchingAlerts } from './alerts/fetching.ts';
import { pollerAlerts } from './alerts/poller.ts';
import { runAlerts } from './alerts/runs.ts';
import { sidecarAlerts } from './alerts/sidecar.ts';

export const alerts: readonly Alert[] = [
  ...runAlerts,
  ...fetchingAlerts,
  ...databaseAlerts,
  ...pollerAlerts,
  ...sidecarAlerts,
];
