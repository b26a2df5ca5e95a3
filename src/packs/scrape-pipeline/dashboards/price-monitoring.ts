import type { Dashboard } from '../../../dashboards/model/panel.ts';
import { instance, job } from '../../../dashboards/model/service-variables.ts';
import { datasource } from '../../../dashboards/model/variables.ts';
import { database, platform, roaster } from './variables.ts';
import { changes } from './prices/changes.ts';
import { jobs } from './prices/jobs.ts';

export const priceMonitoring: Dashboard = {
  uid: 'siphon-prices',
  title: 'Price monitoring',
  description: 'Timeliness of price checks, price changes, and changes that are too large to be real',
  from: '30d',
  refresh: '5m',
  variables: [datasource, job, instance, database, platform, roaster],
  rows: [jobs, changes],
};
