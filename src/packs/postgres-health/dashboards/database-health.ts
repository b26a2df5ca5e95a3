import type { Dashboard } from '../../../dashboards/model/dashboard.ts';
import { datasource, instance, job, polledDatabase, sidecar, timeWindow } from '../../../dashboards/model/variables.ts';
import { clients } from './clients.ts';
import { poller } from '../../sidecar/dashboards/poller.ts';
import { server } from './server.ts';
import { tables } from './tables.ts';

export const databaseHealth: Dashboard = {
  uid: 'siphon-database',
  title: 'Database health',
  description: 'Connections, transactions, vacuum and growth; how the services see it, and whether the poller keeps up',
  from: '1d',
  refresh: '1m',
  variables: [datasource, polledDatabase, job, instance, sidecar, timeWindow],
  rows: [server, tables, clients, poller],
};
