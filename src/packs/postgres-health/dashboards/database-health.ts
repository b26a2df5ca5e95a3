import type { Dashboard } from '../../../dashboards/model/panel.ts';
import { instance, job } from '../../../dashboards/model/service-variables.ts';
import { datasource } from '../../../dashboards/model/variables.ts';
import { polledDatabase } from './variables.ts';
import { clients } from './clients.ts';
import { catalog } from './catalog.ts';
import { replication } from './replication.ts';
import { statements } from './statements.ts';
import { storage } from './storage.ts';
import { server } from './server.ts';
import { tables } from './tables.ts';

export const databaseHealth: Dashboard = {
  uid: 'siphon-database',
  title: 'Database health',
  description: 'Connections, statements, vacuum, storage and replication, and the view of the services',
  from: '1d',
  refresh: '1m',
  variables: [datasource, polledDatabase, job, instance],
  rows: [server, tables, catalog, statements, storage, replication, clients],
};
