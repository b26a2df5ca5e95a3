import type { Dashboard } from '../../../dashboards/model/panel.ts';
import { instance, job } from '../../../dashboards/model/service-variables.ts';
import { datasource } from '../../../dashboards/model/variables.ts';
import { database, platform, roaster } from './variables.ts';
import { allRoasters } from './roaster/all.ts';
import { oneRoaster } from './roaster/one.ts';

export const roasters: Dashboard = {
  uid: 'siphon-roaster',
  title: 'Roaster',
  description: 'Runs, latency, data quality, prices and stock of one roaster, and a comparison of all roasters',
  from: '30d',
  refresh: '5m',
  variables: [datasource, job, instance, database, platform, roaster],
  rows: [allRoasters, oneRoaster],
};
