import type { Dashboard } from '../../../dashboards/model/panel.ts';
import { datasource } from '../../../dashboards/model/variables.ts';
import { poller } from './poller.ts';
import { telemetry } from './telemetry.ts';
import { sidecar } from './variables.ts';

export const sidecarDashboard: Dashboard = {
  uid: 'siphon-sidecar',
  title: 'Sidecar',
  description: 'The telemetry that the sidecar receives, delivers and drops, and its queries on the database',
  from: '1d',
  refresh: '1m',
  variables: [datasource, sidecar],
  rows: [telemetry, poller],
};
