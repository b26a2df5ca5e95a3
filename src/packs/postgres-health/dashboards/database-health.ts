import type { Dashboard } from '../../../dashboards/model/panel.ts';
import { instance, job } from '../../../dashboards/model/service-variables.ts';
import { datasource, timeWindow } from '../../../dashboards/model/variables.ts';
import { poller } from '../../sidecar/dashboards/poller.ts';
import { sidecar } from '../../sidecar/dashboards/variables.ts';
import { polledDatabase } from './variables.ts';
import { clients } from './clients.ts';
import { server } from './server.ts';
import { tables } from './tables.ts';

export const databaseHealth: Dashboard = {
  uid: 'siphon-database',
  title: 'Database health',
  description: 'Connections, transactions, vacuum and growth, the view of the services, and the state of the poller',
  from: '1d',
  refresh: '1m',
  variables: [datasource, polledDatabase, job, instance, sidecar, timeWindow],
  rows: [server, tables, clients, poller],
};
